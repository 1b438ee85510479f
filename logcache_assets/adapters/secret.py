"""A secret that an adapter needs: read when it is used, shown nowhere, and never sent to another process.

What is given may be a reference to a vault (domain/secret_references.py); then the vault is asked.
"""

import os
from collections.abc import Callable

from typing_extensions import override

from logcache_assets.domain.secret_references import find_reference, is_reference
from logcache_assets.errors import BadInput
from logcache_assets.ports.vault import Vault


class Secret:
    """A secret, or where it is.

    Args:
        what: what it is called in messages, `metapod's token`.
        value: the secret itself, or a reference to it.
        variable: environment variable that holds either.
        vault: resolves references.
    """

    def __init__(
        self, what: str, value: str | None = None, *, variable: str | None = None, vault: Vault | None = None
    ) -> None:
        self.what = what
        self._value = value
        self._variable = variable
        self._vault = vault

    def read(self) -> str:
        """The secret; its vault is asked if it lies there.

        Raises:
            BadInput: its variable is not set, or its vault has no such secret.
            VaultError: its vault could not answer.
        """
        found = self._value or os.environ.get(self._variable or "")
        if not found:
            raise BadInput(f"{self.what} is missing: the environment variable {self._variable} is not set; set it")
        reference = find_reference(found)
        if reference is None:
            return found
        if self._vault is None:
            raise BadInput(f"{self.what} is {found}, and there is no vault to ask; set the secret itself")
        return self._vault.read(reference)

    def read_for_header(self) -> str:
        """The secret as it can stand in a header of HTTP; raises BadInput also when it cannot."""
        found = self.read()
        if found != found.strip() or not (found.isascii() and found.isprintable()):
            where = f" in the environment variable {self._variable}" if self._variable else ""
            raise BadInput(
                f"{self.what}{where} has spaces around it, a line end or characters beyond ASCII, so it cannot be "
                "sent; set it again"
            )
        return found

    @property
    def _reference(self) -> str | None:
        return self._value if self._value is not None and is_reference(self._value) else None

    @override
    def __repr__(self) -> str:
        shown = self._reference or (f"variable={self._variable!r}" if self._variable else "****")
        return f"Secret({self.what!r}, {shown})"

    @override
    def __reduce__(self) -> "tuple[Callable[..., Secret], tuple[str, str | None, str | None, Vault | None]]":
        if self._variable is None and self._reference is None:
            raise BadInput(
                f"{self.what} is never sent to another process; put it into an environment variable there, and name "
                "that variable here"
            )
        return _secret_elsewhere, (self.what, self._reference, self._variable, self._vault)


def _secret_elsewhere(what: str, value: str | None, variable: str | None, vault: Vault | None) -> Secret:
    return Secret(what, value, variable=variable, vault=vault)
