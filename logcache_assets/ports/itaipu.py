"""Runs of Itaipu."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from logcache_assets.errors import LogCacheError, Unavailable, WrongData
from logcache_assets.ports.tell import Tell


class ItaipuError(LogCacheError):
    """Base of Itaipu's errors; one of its subclasses is raised."""


class ItaipuUnavailable(ItaipuError, Unavailable):
    """Itaipu did not end in time, so it is not known what its run did."""


class ItaipuWrongData(ItaipuError, WrongData):
    """An Itaipu run could not be started or failed, or its output names no transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTestRun:
    """A finished Itaipu run; metapod tells which datasets it committed."""

    transaction: str
    aborted: Mapping[str, str]
    """Dataset → why it failed, for the failures that the run's output names."""


class Itaipu(ABC):
    """Starts runs of Itaipu."""

    @abstractmethod
    def test_run(self, *, version: str, dataset_prefix: str, tell: Tell) -> FinishedTestRun:
        """Compute every dataset with this prefix at an Itaipu version.

        Raises:
            ItaipuError: the run could not be started, failed, or did not name exactly one transaction; the message
                has the last lines of its output.
        """
