"""metapod, the metadata service: transactions and their datasets."""

from abc import ABC, abstractmethod
from datetime import datetime

from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.errors import LogCacheError, Unavailable, WrongData


class MetapodError(LogCacheError):
    """Base of metapod's errors; one of its subclasses is raised."""


class MetapodUnavailable(MetapodError, Unavailable):
    """metapod could not answer."""


class MetapodDenied(MetapodUnavailable):
    """metapod may not be asked, or cannot be as configured: credentials, certificates, the address.

    Only a person can change it.
    """

    is_passing = False


class MetapodWrongData(MetapodError, WrongData):
    """metapod refused the query, or its answer is malformed."""


class UnknownTransactionError(MetapodWrongData):
    """metapod knows no transaction with this id."""


class Metapod(ABC):
    """The metadata service: transactions and their datasets."""

    @abstractmethod
    def transaction(self, transaction_id: str) -> Transaction:
        """One transaction with all its datasets in every state; raises UnknownTransactionError."""

    @abstractmethod
    def transactions(self, *types: TransactionType, since: datetime) -> tuple[Transaction, ...]:
        """Transactions of these types that started at or after an instant, newest first, with their datasets."""
