"""Commands print one JSON document or aligned lines."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from logcache_assets.cli.output import Result, emit, show_progress, table, tell

HIDE_CURSOR, SHOW_CURSOR, ERASE_LINE = "\x1b[?25l", "\x1b[?25h", "\x1b[2K"


class Found(Result, frozen=True, kw_only=True):
    """A result as a command returns it."""

    name: str
    rows: int | None = None
    datasets: tuple[dict[str, int], ...] = ()
    approved: bool = True


def lines_of(result: Found) -> list[str]:
    """A result for a person."""
    return [f"name: {result.name}", "done"]


def test_a_result_is_lines_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, and nothing on standard error."""
    emit(Found(name="feed"), lines_of, as_json=False)

    assert capsys.readouterr() == ("name: feed\ndone\n", "")


def test_a_result_is_one_json_document_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    """It has all fields of the result, with characters unescaped."""
    result = {"name": "transações", "rows": None, "datasets": [{"rows": 3}], "approved": True}

    emit(Found(name="transações", datasets=({"rows": 3},)), lines_of, as_json=True)

    captured = capsys.readouterr()
    assert json.loads(captured.out) == result
    assert "transações" in captured.out
    assert captured.err == ""


def test_progress_leaves_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error, a line each time if that is no terminal, so `--json` prints only its document."""
    tell("reading feed-s0")
    show_progress("feed: 1 of 2 buckets [50 %]")
    show_progress("feed: 2 of 2 buckets")

    assert capsys.readouterr() == ("", "reading feed-s0\nfeed: 1 of 2 buckets [50 %]\nfeed: 2 of 2 buckets\n")


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


def test_a_long_cell_is_neither_wrapped_nor_cut() -> None:
    """A path can be copied, and what looks like markup is text."""
    path = "s3://bucket/" + "long-name/" * 40 + "[bold]"

    assert table(("dataset", "path"), [("contract-feed/accounts", path)]) == [
        "dataset                 path",
        f"contract-feed/accounts  {path}",
    ]


def on_terminals(code: str) -> str:
    """Run Python code with a terminal for its output and return what the terminal got."""
    mine, its = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    code = f"from logcache_assets.cli.output import *; {code}"
    subprocess.run([sys.executable, "-c", code], stdin=its, stdout=its, stderr=its, env=environment, check=True)
    os.close(its)
    shown = b""
    with suppress(OSError):  # the end of a terminal whose other side is closed
        while piece := os.read(mine, 65536):
            shown += piece
    os.close(mine)
    return shown.decode()


def test_a_terminal_gets_one_line_of_progress_that_is_gone_in_the_end() -> None:
    """It is replaced, other lines come above it, and the cursor is shown again."""
    shown = on_terminals("show_progress('1 of 2 [x]'); tell('a warning'); show_progress('2 of 2'); clear_progress()")

    assert "1 of 2 [x]" in shown
    assert shown.index("1 of 2") < shown.index("a warning") < shown.index("2 of 2")
    assert (shown.count(HIDE_CURSOR), shown.count(SHOW_CURSOR)) == (2, 2)
    assert shown.rstrip().endswith(ERASE_LINE)


def test_headings_are_bold_on_a_terminal_only() -> None:
    """Piped output has no escape sequences."""
    assert "\x1b[1m" in on_terminals("print(*table(('name',), [('feed',)]), sep='\\n')")
    assert table(("name",), [("feed",)]) == ["name", "feed"]


def test_nobody_who_reads_is_no_reason_to_fail() -> None:
    """`logcache status | head -1` ends quietly, and so does a command whose progress nobody reads any more."""
    code = "from logcache_assets.cli.output import *\nfor n in range(20_000): tell('told'); write_result('x' * 99)"

    done = subprocess.run(
        ["/bin/bash", "-c", 'set -o pipefail; "$0" -c "$1" 2>&1 | head -2', sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_help_whose_reader_has_ended_ends_quietly() -> None:
    """Click prints the help itself."""
    code = "import sys; from logcache_assets.cli.main import run_command; sys.exit(run_command(['--help']))"

    done = subprocess.run(
        ["/bin/bash", "-c", '"$0" -c "$1" | true', sys.executable, code], capture_output=True, text=True, check=True
    )

    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_result_that_cannot_be_written_is_an_error() -> None:
    """A full disk is no reader that has ended: the result is lost, and that is said."""
    code = (
        "import sys; from logcache_assets.cli import main, output\n"
        "sys.exit(main._exit_code(lambda: output.write_result('result'), as_json=False))"
    )

    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -c "$1" >/dev/full', sys.executable, code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == "logcache: the result could not be written (No space left on device); repair where it goes\n"


def test_a_terminal_has_nothing_to_obey(capsys: pytest.CaptureFixture[str]) -> None:
    """Names that others wrote are shown without control characters, and escaped in JSON."""
    emit(Found(name="a\x1b[2J\u202eb"), lines_of, as_json=False)
    tell("c\x9b31m\x07d")
    emit(Found(name="e\u202ef"), lines_of, as_json=True)

    captured = capsys.readouterr()
    assert captured.out.startswith("name: ab\ndone\n")
    assert captured.err == "cd\n"
    assert '"e\\u202ef"' in captured.out
    assert table(("name",), [("a\x1b[2J\nb",)]) == ["name", "a b"]


def test_letters_that_a_stream_cannot_write_are_escaped() -> None:
    """A terminal in ASCII is no reason to fail."""
    code = "from logcache_assets.cli.output import *; write_result('descrição')"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=True
    )

    assert done.stdout == b"descri\\xe7\\xe3o\n"


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_is_no_reason_to_fail(closed: str) -> None:
    """Some daemons start commands without standard output or error."""
    code = "from logcache_assets.cli.output import *; tell('a'); show_progress('b'); write_result('c')"

    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" {closed}>&-', sys.executable, code], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == (("", "a\nb\n") if closed == "1" else ("c\n", ""))
