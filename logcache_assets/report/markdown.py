"""Text inside Markdown: escaped, cut to size, and never longer than a pull request's body may be."""

import re
from collections.abc import Sequence
from typing import TypeVar

from logcache_assets.report.formatting import show_number

LONGEST = 60_000
"""Characters of a report: GitHub allows 65,536 in the body of a pull request."""
LONGEST_TEXT = 360
"""Characters of one sentence."""

MARKUP = re.compile(r"([\\`*\[\]~|#!])|(?<!\w)(_)|(_)(?!\w)")
"""What Markdown would read as its own; an underscore inside a word is none of it."""

Item = TypeVar("Item")


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def escape_markdown(value: object) -> Markdown:
    """The value as plain text of one line, whatever it holds; nobody is notified and nothing is loaded by it."""
    if isinstance(value, Markdown):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Markdown(show_number(value))
    line = " ".join(str(value).split())
    marked = MARKUP.sub(r"\\\g<0>", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markdown(re.sub(r"(?<!\w)@", "@&#8203;", marked))


def code(value: object) -> Markdown:
    """A name in code type; a table's cell ends at a bar even there."""
    line = clip(" ".join(str(value).split())).replace("`", "'").replace("|", "\\|")
    return Markdown(f"`{line}`") if line else Markdown("")


def clip(text: str, longest: int = LONGEST_TEXT) -> str:
    """The beginning of a long text."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def codes(names: Sequence[str], shown: int = 6) -> Markdown:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return Markdown(", ".join(code(name) for name in names[:shown]) + more)


def cut_to_size(text: str, longest: int = LONGEST) -> str:
    """At most so many characters, ending with a whole line; lists are short enough unless names are absurdly long."""
    if len(text) <= longest:
        return text
    ending = "\n\nCut here: the rest is in the report's HTML page.\n"
    return text[: longest - len(ending)].rpartition("\n")[0] + ending
