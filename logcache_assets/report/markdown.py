"""Escapes and shortens text for Markdown that fits into the body of a pull request."""

import re
from collections.abc import Sequence
from typing import TypeVar

from logcache_assets.report.formatting import show_number

LONGEST = 60_000
"""Most characters of a report; GitHub allows 65,536 in the body of a pull request."""
LONGEST_TEXT = 360
"""Most characters of one sentence."""

MARKUP = re.compile(r"([\\`*\[\]~|#!])|(?<!\w)(_)|(_)(?!\w)")
"""Characters that Markdown interprets; an underscore inside a word is not one of them."""

Item = TypeVar("Item")


class Markdown(str):
    """Text that is already Markdown, which is not escaped again."""

    __slots__ = ()


def escape_markdown(value: object) -> Markdown:
    """Any value as plain text on one line; it can mention nobody and load nothing."""
    if isinstance(value, Markdown):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Markdown(show_number(value))
    line = " ".join(str(value).split())
    marked = MARKUP.sub(r"\\\g<0>", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markdown(re.sub(r"(?<!\w)@", "@&#8203;", marked))


def code(value: object) -> Markdown:
    """A name as code; bars are escaped, because they end a table's cell even there."""
    line = clip(" ".join(str(value).split())).replace("`", "'").replace("|", "\\|")
    return Markdown(f"`{line}`") if line else Markdown("")


def clip(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, shortened with an ellipsis if it is longer than `longest`."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def codes(names: Sequence[str], shown: int = 6) -> Markdown:
    """The first few names as code, and the number of others."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return Markdown(", ".join(code(name) for name in names[:shown]) + more)


def cut_to_size(text: str, longest: int = LONGEST) -> str:
    """Cut a text at the end of a line to at most `longest` characters; needed only if names are absurdly long."""
    if len(text) <= longest:
        return text
    ending = "\n\nCut here: the rest is in the report's HTML page.\n"
    return text[: longest - len(ending)].rpartition("\n")[0] + ending
