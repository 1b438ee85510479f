"""Runs of Itaipu."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from logcache_assets.errors import LogCacheError, Unavailable, WrongData
from logcache_assets.ports.tell import Tell


class ItaipuError(LogCacheError):
    """Base of Itaipu's errors; one of its subclasses is raised."""


class ItaipuUnavailable(ItaipuError, Unavailable):
    """Itaipu did not end in time: what its run did is not known."""


class ItaipuWrongData(ItaipuError, WrongData):
    """An Itaipu run could not be started or failed, or its output names no transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTestRun:
    """An Itaipu run that came to its end; which datasets it committed is metapod's to say."""

    transaction: str
    aborted: Mapping[str, str]
    """Dataset → why it failed, as far as the run's output tells."""


class Itaipu(ABC):
    """Starts runs of Itaipu."""

    @abstractmethod
    def test_run(self, *, version: str, dataset_prefix: str, tell: Tell) -> FinishedTestRun:
        """Compute every dataset with this prefix at an Itaipu version.

        Raises:
            ItaipuError: no or several transactions, a failed task, a non-zero exit; with the last lines.
        """
