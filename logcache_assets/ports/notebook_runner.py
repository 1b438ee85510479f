"""Runs of the export notebook."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from logcache_assets.errors import LogCacheError, Unavailable, WrongData
from logcache_assets.ports.tell import Tell


class NotebookError(LogCacheError):
    """Base of the notebook runner's errors; one of its subclasses is raised."""


class NotebookUnavailable(NotebookError, Unavailable):
    """The notebook did not end in time, or its result could not be read."""


class NotebookWrongData(NotebookError, WrongData):
    """The notebook could not be started, failed, was cancelled, or gave no usable result."""


class NotebookRunner(ABC):
    """Runs the export notebook."""

    @abstractmethod
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell) -> str:
        """Run it to its end and return what it gave to `dbutils.notebook.exit`.

        The same token finds the same run, so a lost reply or a restarted worker never starts a second one; after a
        failed run a new one is started. On an interrupt the run is cancelled before the interrupt is raised again.

        Raises:
            NotebookError: the run failed or did not end in time; the message has the last lines of what it printed.
        """
