"""What commands print: one JSON document or aligned lines."""

import json

import pytest

from logcache_assets.cli.output import Result, emit, table, tell


def lines_of(result: Result) -> list[str]:
    """A result for a person."""
    return [f"name: {result['name']}", "done"]


def test_a_result_is_lines_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, and nothing on standard error."""
    emit({"name": "feed"}, lines_of, as_json=False)

    assert capsys.readouterr() == ("name: feed\ndone\n", "")


def test_a_result_is_one_json_document_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole result, not what a person is shown, with characters as they are."""
    result = {"name": "transações", "rows": None, "datasets": [{"rows": 3}], "approved": True}

    emit(result, lines_of, as_json=True)

    captured = capsys.readouterr()
    assert json.loads(captured.out) == result
    assert "transações" in captured.out
    assert captured.err == ""


def test_progress_leaves_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Else `--json` would print more than its document."""
    tell("reading feed-s0")

    assert capsys.readouterr() == ("", "reading feed-s0\n")


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    """Thousands are separated, what is absent is a dash, and no line ends in spaces."""
    lines = table(
        ("instance", "t", "note"),
        [("feed-s0", 95599, "active"), ("double-entry-s1", None, ""), ("x", 7, None)],
    )

    assert lines == [
        "instance              t  note",
        "feed-s0          95,599  active",
        "double-entry-s1       -",
        "x                     7  -",
    ]


def test_a_table_without_rows_is_its_headings() -> None:
    """A new world has no pull request, and that is no error."""
    assert table(("number", "state"), []) == ["number  state"]


def test_truth_is_a_word_and_no_number() -> None:
    """A boolean is not shown as 1."""
    assert table(("ok",), [(True,), (False,)]) == ["ok", "True", "False"]
