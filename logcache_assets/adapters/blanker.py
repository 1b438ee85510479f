"""Blanks secrets in the words of others: what is handed to a program in its environment, the program may print.

Whoever repeats such words (to a log file, to Dagster's storage, in an error) passes them through a `Blanker` first.
"""

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from typing_extensions import override

BLANK = "****"

_SECRET_NAME = re.compile(r"KEY(?:_|S?$)|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTHORIZATION", re.IGNORECASE)
"""Names of environment variables that hold secrets."""
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_FLAGS = frozenset({"true", "false", "yes", "none", "null"})
"""Values that only switch something on or off."""

GUESSED_CHARACTERS = 4
"""What has fewer in a variable that may hold a secret is a flag or a number."""
WORD_CHARACTERS = 8
"""A secret with fewer is blanked only where it stands alone, because it may be part of ordinary words."""
LINE_CHARACTERS = 16
"""Each line of a secret with several lines is a secret if it has as many."""

_CHUNK_BYTES = 1 << 20


class Blanker:
    """Replaces secrets by `****`, also where they are encoded as in URLs, JSON, HTML, base64 or hexadecimal.

    Args:
        secrets: what must not be shown; empty ones are passed over.
        urls: addresses, whose passwords must not be shown.
    """

    def __init__(self, secrets: Iterable[str] = (), *, urls: Iterable[str] = ()) -> None:
        passwords = (found for url in urls for found in _PASSWORD_IN_URL.findall(url))
        forms = {form for secret in (*secrets, *passwords) for form in _forms_of(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._forms = tuple(form.encode(errors="surrogateescape") for form in longest_first)
        alternatives = "|".join(map(_pattern, longest_first))
        self._text = re.compile(alternatives) if alternatives else None
        self._bytes = re.compile(alternatives.encode(errors="surrogateescape")) if alternatives else None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "Blanker":
        """The secrets that these variables seem to hold, by their names, and the passwords of all URLs in them."""
        return cls(_secrets_in(environment))

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        return self._text.sub(BLANK, text) if self._text else text

    def blank_file(self, path: Path) -> None:
        """Take the secrets out of a file that nobody writes any more; one without secrets stays as it is."""
        if self._bytes is None or not self._is_in(path):
            return
        blanked = path.with_name(f".{path.name}.blanked")
        with path.open("rb") as source, blanked.open("wb") as sink:
            sink.writelines(self._blanked(iter(lambda: source.read(_CHUNK_BYTES), b"")))
            os.fchmod(sink.fileno(), 0o600)
        blanked.replace(path)

    def _is_in(self, path: Path) -> bool:
        overlap = max(map(len, self._forms))
        before = b""
        with path.open("rb") as source:
            for chunk in iter(lambda: source.read(_CHUNK_BYTES), b""):
                if any(form in before + chunk for form in self._forms):
                    return True
                before = chunk[-overlap:]
        return False

    def _blanked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks without the secrets, also those that begin in one chunk and end in the next."""
        if self._bytes is None:
            return
        overlap = max(map(len, self._forms))
        waiting = b""
        for chunk in chunks:
            waiting += chunk
            safe = len(waiting) - overlap
            done, at = [], 0
            for match in self._bytes.finditer(waiting):
                if match.start() >= safe:
                    break
                done += [waiting[at : match.start()], BLANK.encode()]
                at = match.end()
            yield b"".join([*done, waiting[at : max(at, safe)]])
            waiting = waiting[max(at, safe) :]
        yield self._bytes.sub(BLANK.encode(), waiting)

    @override
    def __repr__(self) -> str:
        return f"Blanker({len(self._forms)} forms)"


def _secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and _may_be_secret(value):
            yield value
        yield from (found for found in _PASSWORD_IN_URL.findall(value) if _may_be_secret(found))


def _may_be_secret(value: str) -> bool:
    is_file = value.startswith(("/", "~", ".")) and os.path.exists(os.path.expanduser(value))  # noqa: PTH110, PTH111 - no object for each variable
    return len(value.strip()) >= GUESSED_CHARACTERS and value.lower() not in _FLAGS and not is_file


def _forms_of(secret: str) -> Iterator[str]:
    stripped = secret.strip()
    if not stripped:
        return
    yield stripped
    yield from (line for line in stripped.splitlines() if len(line) >= LINE_CHARACTERS and not line.startswith("-----"))
    if len(stripped) < WORD_CHARACTERS:
        return
    raw = stripped.encode(errors="surrogateescape")
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    yield from (json.dumps(stripped, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    yield from (repr(stripped)[1:-1], html.escape(stripped), raw.hex())
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What base64 makes of the secret, wherever it begins in the text that was encoded (`user:secret`)."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        # A character of base64 has 6 bits: those that the neighbours of the secret share are left out.
        inner = encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
        yield from {inner, inner.replace("+", "-").replace("/", "_")}


def _pattern(form: str) -> str:
    exact = re.escape(form)
    return exact if len(form) >= WORD_CHARACTERS else rf"(?<![\w-]){exact}(?![\w-])"
