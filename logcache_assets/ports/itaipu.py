"""Runs of Itaipu."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTestRun:
    """What this machine knows of a run that an earlier process began."""

    transaction: str | None
    """None if its output names none, or several."""
    is_running: bool | None
    """Whether its process runs here; None if it ended and the run may go on elsewhere."""
    failures: tuple[str, ...]
    """Why it failed, if its output says so."""


class Itaipu(ABC):
    """Starts runs of Itaipu."""

    @abstractmethod
    def test_run(
        self,
        *,
        version: str,
        dataset_prefix: str,
        tell: Tell,
        token: str | None = None,
        named: Callable[[str], None] = lambda _: None,
    ) -> FinishedTestRun:
        """Compute every dataset with this prefix at an Itaipu version.

        Args:
            version: short sha of the commit.
            dataset_prefix: how the names of the datasets begin.
            tell: takes the output, line by line.
            token: of the caller's choice, with which `find_run` finds the run again; by default one of its own.
            named: is called with the run's transaction as soon as the output names it.

        A run that does not end well, or is interrupted, is stopped on the platform, too, but not by its transaction:
        the caller finds out whether that is the run's own, and calls `stop_run`.

        Raises:
            ItaipuError: the run could not be started, failed, or did not name exactly one transaction; the message
                has the last lines of its output, and says whether the run was stopped.
        """

    @abstractmethod
    def find_run(self, token: str, *, version: str) -> EarlierTestRun | None:
        """What this machine knows of a run that was begun with this token at a version; None if it knows nothing."""

    @abstractmethod
    def stop_run(self, token: str, *, version: str, transaction: str | None, tell: Tell) -> None:
        """End whatever an earlier process's run left: its process here, its tasks and cluster on the platform.

        Args:
            token: with which it was begun.
            version: at which it was begun.
            transaction: that it named, if that is known to be its own.
            tell: takes what is done.

        Raises:
            ItaipuUnavailable: it was not ended, and may cost money; the message says what to do by hand.
        """
