r"""Turns the words of others into text that is safe to show: no terminal control sequences, and short.

A terminal obeys what it is sent: sequences that begin with ESC or an 8-bit control character move the cursor, retitle
the window or hide text, and some characters without width turn the direction of what follows. Source: ECMA-48, xterm's
control sequences, Unicode's bidirectional algorithm.
"""

import re

SENTENCE_CHARACTERS = 300
"""How much of others' words a message repeats."""

_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)"  # OSC, DCS and other strings
    "|\x1b[ -/]+[0-~]?"  # the character sets of tput, `ESC ( B`
    "|\x1b[0-~]?"  # two-character sequences, or ESC alone
)
_SPACES = re.compile("[\r\v\f\x1c-\x1f\x85\u2028\u2029]")
"""Characters that end a line in some programs."""
_UNSEEN = re.compile(
    "[\x00-\x07\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Other control characters, and those without width that reorder or hide text."""
_SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no output can encode."""


def plain_text(text: str) -> str:
    """The text without what a terminal would obey or hide; its lines, tabs and all that can be seen stay."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    plain = _SEQUENCES.sub("", text).replace("\r\n", "\n")
    plain = _SPACES.sub(" ", _typed_over(plain) if "\b" in plain else plain)
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _UNSEEN.sub("", plain))


def _typed_over(text: str) -> str:
    r"""The text as it looks after its backspaces: `_\bx` is how old programs underline an x."""
    kept: list[str] = []
    for character in text:
        if character != "\b":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


def plain_line(text: str) -> str:
    """`plain_text` in one line."""
    return plain_text(text.rstrip("\r\n")).replace("\n", " ")


def shortened(text: str, characters: int = SENTENCE_CHARACTERS) -> str:
    """The text in one plain line of at most so many characters, with `…` for what is left out."""
    line = plain_line(text[: 4 * characters])
    return line if len(line) <= characters and len(text) <= 4 * characters else f"{line[: characters - 1]}…"


def quoted(value: str, characters: int = 60) -> str:
    """A value that somebody else wrote, in quotes, for a message: `'card/active?'`."""
    return repr(shortened(value, characters))


def names_in(text: str) -> tuple[str, ...]:
    """The names in a list with commas, `feed, customers`; empty ones do not count."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
