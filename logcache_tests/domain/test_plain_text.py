"""Others' words are shown without what a terminal obeys; the sequences are those of ECMA-48, xterm and tput."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.plain_text import plain_line, plain_text, quoted, shortened


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        pytest.param("\x1b[1;31mred\x1b[0m", "red", id="colours"),
        pytest.param("\x1b[32mgreen\x1b(B\x1b[m", "green", id="tput sgr0 of xterm"),
        pytest.param("\x1b[32mgreen\x1b[m\x0f", "green", id="tput sgr0 of linux and vt100"),
        pytest.param("\x0egraphic\x0f", "graphic", id="shift out, shift in"),
        pytest.param("\x9b31mred\x9b0m", "red", id="8-bit control sequences"),
        pytest.param("\x1b]0;title\x07text", "text", id="a window title that ends with BEL"),
        pytest.param("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", id="a hyperlink"),
        pytest.param("\x9d0;title\x9ctext", "text", id="an 8-bit window title"),
        pytest.param("\x1bP1;2|data\x1b\\text", "text", id="a device control string"),
        pytest.param("\x1b]0;never ended", "0;never ended", id="a title without end hides nothing"),
        pytest.param("\x1b7\x1b[2J\x1bcclean\x1b8", "clean", id="save, clear, reset, restore"),
        pytest.param("\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor", id="private sequences"),
        pytest.param("\x1b#8text\x1b%G", "text", id="three-character sequences"),
        pytest.param("text\x1b", "text", id="ESC at the end"),
        pytest.param("text\x1b[12;", "text", id="a sequence that is cut"),
        pytest.param("_\bb_\bo_\bl_\bd", "bold", id="typed over"),
        pytest.param("a\bb\b\b\bc", "c", id="more backspaces than text"),
        pytest.param("10%\r20%\rdone", "10% 20% done", id="carriage returns"),
        pytest.param("bell\x07 null\x00 del\x7f", "bell null del", id="other control characters"),
        pytest.param("user\u202egnp.exe\u2066", "usergnp.exe", id="characters that turn the direction"),
        pytest.param("a\u200b\ufeffb\U000e0041", "ab", id="characters without width"),
        pytest.param("half \ud800", "half \N{REPLACEMENT CHARACTER}", id="half a character"),
        pytest.param("descrição 木 \N{GRINNING FACE}\tx", "descrição 木 \N{GRINNING FACE}\tx", id="letters stay"),
    ],
)
def test_a_terminal_has_nothing_to_obey(raw: str, shown: str) -> None:
    """What can be seen stays."""
    assert plain_text(raw) == shown
    assert plain_line(raw + "\r\n") == shown


@given(st.text())
def test_every_text_becomes_plain(text: str) -> None:
    """No control character but tab and line end is left, it can be encoded, and doing it again changes nothing."""
    plain = plain_text(text)

    assert all(character in "\t\n" or character >= " " for character in plain)
    assert not set(plain) & set(map(chr, range(0x7F, 0xA0)))
    assert plain_text(plain) == plain
    plain.encode()


def test_many_backspaces_take_no_time() -> None:
    """A line of them is a matter of one pass."""
    assert plain_text("x" * 300_000 + "\b" * 300_000) == ""


def test_a_long_text_is_shortened_to_a_line() -> None:
    """300 characters of others' words are enough in a message; 200 MB cost no more than 2 kB."""
    assert shortened("word") == "word"
    assert shortened("one\ntwo") == "one two"
    assert len(shortened("x" * 200_000_000)) == 300
    assert shortened("x" * 301).endswith("x…")
    assert quoted("card/\x1b[31mactive?") == "'card/active?'"
