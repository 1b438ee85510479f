"""The key of personal data, which never leaves the process that read it.

Contracts hash personal data with it, and reports make tokens with it. When the object is pickled, printed or logged,
only the source of the key appears: Spark's workers read the key from their own environment or file.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Self

from typing_extensions import override

from logcache_assets.errors import BadInput
from logcache_assets.ports import Tell


class PersonalDataKey(bytes):
    """A key and its source, which is an environment variable or a file."""

    _source: str | Path

    @classmethod
    def from_variable(cls, variable: str, value: str | None = None) -> Self:
        """The key in an environment variable.

        Args:
            variable: name of the environment variable.
            value: its value, if it was read already.

        Raises:
            BadInput: the variable is not set.
        """
        found = value or os.environ.get(variable)
        if not found:
            raise BadInput(
                f"the key of personal data is missing: {variable} is not set in this process; set it wherever "
                "contracts are computed or compared"
            )
        return cls._made(found, variable)

    @classmethod
    def from_file(cls, file: Path) -> Self:
        """The key in a text file, without its line end.

        Raises:
            BadInput: the file cannot be read.
        """
        try:
            return cls._made(file.read_text(encoding="utf-8").strip(), file)
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the key of personal data in {file} cannot be read ({error}); restore the file") from error

    @classmethod
    def _made(cls, text: str, source: str | Path) -> Self:
        key = cls(text.encode())
        key._source = source
        return key

    @override
    def __reduce__(self) -> tuple[Callable[..., "PersonalDataKey"], tuple[str | Path]]:
        load = PersonalDataKey.from_file if isinstance(self._source, Path) else PersonalDataKey.from_variable
        return load, (self._source,)

    @override
    def __repr__(self) -> str:
        return f"PersonalDataKey(from {self._source})"

    @override
    def __str__(self) -> str:
        return repr(self)


def find_key(configured: str | None, *, variable: str, file: Path, tell: Tell) -> PersonalDataKey | None:
    """The key of personal data, or None if there is none yet. Reports when the key in the file is used by default.

    Args:
        configured: the variable's value, if it is set.
        variable: name of the environment variable that holds the key.
        file: holds the local world's own key, once that was made.
        tell: takes the report.
    """
    if configured is None and not file.is_file():
        return None
    if configured is None:
        tell(f"Personal data is taken to be hashed with the local world's key, {file}; {variable} names another")
    return read_or_make_key(configured, variable=variable, file=file)


def read_or_make_key(configured: str | None, *, variable: str, file: Path) -> PersonalDataKey:
    """The key of personal data that is configured, or else the one in the file, which is made when first needed."""
    if configured:
        return PersonalDataKey.from_variable(variable, configured)
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="utf-8")
    return PersonalDataKey.from_file(file)
