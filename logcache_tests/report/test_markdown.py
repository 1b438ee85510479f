"""Text inside Markdown stays plain text."""

import pytest

from logcache_assets.report.markdown import clip, code, codes, cut_to_size, escape_markdown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        pytest.param("transaction__amount", "transaction__amount", id="an underscore inside a word"),
        pytest.param("_loud_", r"\_loud\_", id="an underscore around a word"),
        pytest.param("a|b", r"a\|b", id="the end of a cell"),
        pytest.param("a\n\n# b", r"a \# b", id="lines"),
        pytest.param(r"a\|b", r"a\\\|b", id="an escape of its own"),
        pytest.param("<b>&amp;", "&lt;b&gt;&amp;amp;", id="tags and entities"),
        pytest.param("![x](y)", r"\!\[x\](y)", id="an image"),
        pytest.param("by @team, a@b.c", "by @&#8203;team, a@b.c", id="a mention, not an address"),
        pytest.param(1_234_567, "1,234,567", id="a number"),
    ],
)
def test_markup_is_escaped(text: object, escaped: str) -> None:
    """Text is escaped by the rules of CommonMark and GitHub's tables."""
    assert escape_markdown(text) == escaped


def test_what_is_markdown_already_is_not_escaped_again() -> None:
    """A name as code keeps its characters, except those that would end it."""
    assert escape_markdown(code("a*b|c`d\ne")) == "`a*b\\|c'd e`"


def test_few_names_are_listed_and_the_rest_counted() -> None:
    """A long list of names does not overflow its cell."""
    assert codes(["a", "b", "c"], 2) == "`a`, `b` and 1 more"


def test_a_long_text_is_clipped() -> None:
    """An ellipsis shows that text was cut."""
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"


def test_a_report_that_is_too_long_ends_with_a_whole_line() -> None:
    """The last line says that the report was cut."""
    text = cut_to_size("a line\n" * 100, 200)

    assert len(text) <= 200
    assert set(text.splitlines()[:-2]) == {"a line"}
    assert text.endswith("HTML page.\n")
