"""The key of personal data, which never leaves the process that read it.

Contracts hash personal data with it, and reports make tokens with it. When the object is pickled, printed or logged,
only the source of the key appears: Spark's workers read the key from their own environment, file or vault.
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from typing_extensions import override

from logcache_assets.adapters.secret import Secret
from logcache_assets.errors import BadInput
from logcache_assets.ports import Tell
from logcache_assets.ports.vault import Vault

LEAST_BYTES = 16
"""Hashes with a shorter key can be recomputed by trying keys, and personal data found by trying values."""
LEAST_CHARACTERS = 6
"""How many different characters a key has at least: `aaaa…` is tried first."""


class PersonalDataKey(bytes):
    """A key and its source, which is an environment variable or a file."""

    _source: str | Path
    _vault: Vault | None

    @classmethod
    def from_variable(cls, variable: str, value: str | None = None, vault: Vault | None = None) -> Self:
        """The key in an environment variable, or in the vault that the variable names.

        Args:
            variable: name of the environment variable.
            value: its value, if it was read already.
            vault: resolves a reference.

        Raises:
            BadInput: the variable is not set, or its key is weak; the message never shows the key.
        """
        found = os.environ.get(variable) if value is None else value
        if found is None:
            raise BadInput(
                f"the key of personal data is missing: {variable} is not set in this process; set it wherever "
                "contracts are computed or compared"
            )
        text = Secret("the key of personal data", found, vault=vault).read() if found else found
        return cls._made(text, variable, vault=vault, remedy="set a strong one, or unset it for the local world's own")

    @classmethod
    def from_file(cls, file: Path) -> Self:
        """The key in a text file, without its line end.

        Raises:
            BadInput: the file cannot be read, or its key is weak; the message never shows the key.
        """
        try:
            text = file.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            raise BadInput(f"the key of personal data in {file} is no text; restore the file") from None
        except OSError as error:
            raise BadInput(
                f"the key of personal data in {file} cannot be read ({error.strerror}); restore the file"
            ) from error
        return cls._made(
            text, file, remedy="restore it; with a new one, which is made once it is removed, all hashes change"
        )

    @classmethod
    def _made(cls, text: str, source: str | Path, *, remedy: str, vault: Vault | None = None) -> Self:
        try:
            key = cls(text.encode())
        except UnicodeEncodeError:
            raise BadInput(f"the key of personal data in {source} is no text in UTF-8; {remedy}") from None
        if weakness := _weakness(text):
            raise BadInput(
                f"the key of personal data in {source} {weakness}: whoever sees a hash could find the value; {remedy}"
            )
        key._source, key._vault = source, vault
        return key

    @override
    def __reduce__(self) -> tuple[Callable[..., "PersonalDataKey"], tuple[object, ...]]:
        if isinstance(self._source, Path):
            return PersonalDataKey.from_file, (self._source,)
        return PersonalDataKey.from_variable, (self._source, None, self._vault)

    @override
    def __repr__(self) -> str:
        return f"PersonalDataKey(from {self._source})"

    @override
    def __str__(self) -> str:
        return repr(self)


def _weakness(text: str) -> str:
    """Why a key is weak, without a word of it; empty if it is not."""
    if not text.strip():
        return "is empty"
    if len(text.strip().encode()) < LEAST_BYTES:
        return f"has fewer than {LEAST_BYTES} bytes"
    if len(set(text.strip())) < LEAST_CHARACTERS:
        return f"has fewer than {LEAST_CHARACTERS} different characters"
    return ""


def find_key(
    configured: str | None, *, variable: str, file: Path, tell: Tell, vault: Vault | None = None
) -> PersonalDataKey | None:
    """The key of personal data, or None if there is none yet. Reports when the key in the file is used by default.

    Args:
        configured: the variable's value, if it is set.
        variable: name of the environment variable that holds the key.
        file: holds the local world's own key, once that was made.
        tell: takes the report.
        vault: resolves a reference.
    """
    if configured is None and not file.is_file():
        return None
    if configured is None:
        tell(f"Personal data is taken to be hashed with the local world's key, {file}; {variable} names another")
    return read_or_make_key(configured, variable=variable, file=file, vault=vault)


def read_or_make_key(
    configured: str | None, *, variable: str, file: Path, vault: Vault | None = None
) -> PersonalDataKey:
    """The key of personal data that is configured, or else the one in the file, which is made when first needed.

    Raises:
        BadInput: the key is weak.
    """
    if configured is not None:
        return PersonalDataKey.from_variable(variable, configured, vault)
    if not file.is_file():
        _make(file)
    return PersonalDataKey.from_file(file)


def _make(file: Path) -> None:
    """Write a new key, whole or not at all; if another process makes one at the same time, the first one counts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # only this user can read it
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as text:
            text.write(secrets.token_hex(32))
            text.flush()
            os.fsync(text.fileno())
        with suppress(FileExistsError):
            os.link(written, file)
    finally:
        written.unlink()
