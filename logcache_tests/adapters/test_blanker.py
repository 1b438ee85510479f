"""Secrets do not appear in the words of others that are repeated."""

import base64
import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.adapters.blanker import Blanker

SECRET = 'kæy/with+ö "quotes" & 0123'  # noqa: S105 - an invented one


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param(SECRET, id="as it is"),
        pytest.param(repr(SECRET), id="as Python prints it"),
        pytest.param(json.dumps(SECRET), id="as JSON"),
        pytest.param(json.dumps(SECRET, ensure_ascii=False), id="as JSON in UTF-8"),
        pytest.param(quote_plus(SECRET), id="in a URL"),
        pytest.param(SECRET.encode().hex(), id="as hexadecimal digits"),
        pytest.param(base64.b64encode(SECRET.encode()).decode(), id="as base64"),
        pytest.param(base64.b64encode(f"user:{SECRET}".encode()).decode(), id="as a user's password"),
        pytest.param(base64.urlsafe_b64encode(f"a:{SECRET}x".encode()).decode(), id="as base64 in a URL"),
    ],
)
def test_a_secret_is_blanked_however_it_is_written(printed: str) -> None:
    """No part of it stays, and what is around it does."""
    shown = Blanker([SECRET])(f"https://host/?key={printed} is refused")

    assert "****" in shown
    assert shown.startswith("https://host/?key=")
    assert shown.endswith(" is refused")
    assert not [n for n in range(len(printed) - 9) if printed[n : n + 9] in shown]


def test_the_names_of_variables_tell_which_are_secret() -> None:
    """Keys, tokens, passwords, also those in URLs; not flags, numbers, files and words that only look like it."""
    blank = Blanker.of_environment(
        {
            "LOGCACHE_PII_KEY": "a key of sixteen",
            "PGPASSWORD": "hunter2",
            "databricks_token": "dapi0123",
            "STORE": "postgres://me:opensesame@host/db",
            "SSH_KEY": "/etc/passwd",
            "USE_KEY": "true",
            "KEY_COUNT": "12",
            "KEYBOARD_LAYOUT": "dvorak",
            "HOME": "/home/me",
            "EMPTY_TOKEN": "",
        }
    )

    assert blank("a key of sixteen, hunter2, dapi0123, opensesame") == "****, ****, ****, ****"
    harmless = "/etc/passwd true 12 dvorak /home/me"
    assert blank(harmless) == harmless


def test_a_short_secret_is_blanked_where_it_stands_alone() -> None:
    """It may be a part of ordinary words, which stay readable."""
    assert Blanker(["feed"])("password=feed, contract-feed/feeds") == "password=****, contract-feed/feeds"


def test_each_line_of_a_long_secret_is_secret() -> None:
    """A private key is printed line by line."""
    pem = (
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----"
    )

    shown = [Blanker([pem])(line) for line in pem.splitlines()]

    assert shown == ["-----BEGIN PRIVATE KEY-----", "****", "****", "-----END PRIVATE KEY-----"]


def test_without_secrets_nothing_changes() -> None:
    """Empty ones are none."""
    assert Blanker(["", "  "])("text") == "text"


@given(
    before=st.integers(min_value=0, max_value=40),
    chunk_ends=st.lists(st.integers(min_value=1, max_value=30), max_size=9),
)
def test_a_secret_is_blanked_across_chunks(before: int, chunk_ends: list[int]) -> None:
    """Wherever a file is cut while it is read."""
    text = b"x" * before + b"an invented secret" + b"y" * 50 + b"an invented secret"
    chunks = []
    for size in chunk_ends:
        chunks.append(text[:size])
        text = text[size:]

    blanked = b"".join(Blanker(["an invented secret"])._blanked(iter([*chunks, text])))  # noqa: SLF001 - chunks of 1 MiB would make a slow test

    assert blanked == b"x" * before + b"****" + b"y" * 50 + b"****"


def test_a_file_without_secrets_stays_as_it_is(tmp_path: Path) -> None:
    """Not even its time changes; one with a secret keeps all else."""
    plain, spoilt = tmp_path / "plain", tmp_path / "spoilt"
    plain.write_bytes(b"\xff text")
    spoilt.write_bytes(b"\xff an invented secret\n" * 3)
    inode = plain.stat().st_ino

    for file in (plain, spoilt):
        Blanker(["an invented secret"]).blank_file(file)

    assert plain.stat().st_ino == inode
    assert plain.read_bytes() == b"\xff text"
    assert spoilt.read_bytes() == b"\xff ****\n" * 3
    assert sorted(tmp_path.iterdir()) == [plain, spoilt]


def test_the_secrets_are_not_shown() -> None:
    """The object prints how many it knows."""
    assert "invented" not in repr(Blanker(["an invented secret"]))
