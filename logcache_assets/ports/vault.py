"""Where secrets lie that no environment variable holds."""

from abc import ABC, abstractmethod

from logcache_assets.domain.secret_references import SecretReference
from logcache_assets.errors import BadInput, LogCacheError, Unavailable


class VaultError(LogCacheError):
    """Base of a vault's errors; one of its subclasses is raised."""


class VaultUnavailable(VaultError, Unavailable):
    """The vault could not answer."""


class VaultDenied(VaultUnavailable):
    """The vault does not let us read: credentials or a permission are missing; waiting does not help."""

    is_passing = False


class VaultWrongData(VaultError, BadInput):
    """The vault has no such secret, or what it has is none."""


class Vault(ABC):
    """Tells secrets by reference. It can be pickled, and holds no credentials."""

    @abstractmethod
    def read(self, reference: SecretReference) -> str:
        """The secret; raises VaultError, whose message never shows it."""
