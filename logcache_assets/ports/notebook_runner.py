"""Runs of the export notebook."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from logcache_assets.errors import LogCacheError, Unavailable, WrongData
from logcache_assets.ports.tell import Tell


class NotebookError(LogCacheError):
    """Base of the notebook runner's errors; one of its subclasses is raised."""


class NotebookUnavailable(NotebookError, Unavailable):
    """The notebook did not end in time, or where it runs could not answer; what became of a run is not known."""


class NotebookDenied(NotebookUnavailable):
    """Where notebooks run, these credentials are refused; only a person can change that."""

    is_passing: ClassVar[bool] = False


class NotebookWrongData(NotebookError, WrongData):
    """The notebook could not be started, failed, was cancelled, or gave no usable result."""


_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def require_token(token: str) -> None:
    """Refuse a token that is no name, before anything is started; raises NotebookWrongData."""
    if not _TOKEN.fullmatch(token):
        raise NotebookWrongData(f"the token {token[:80]!r} is refused: use up to 64 letters, digits, _ and -")


OUTAGE = "ConnectionError: "
"""How the last words of a notebook begin that could not reach what it reads: it is no fault of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookRun:
    """A run that succeeded."""

    result: str
    """What it gave to `dbutils.notebook.exit`."""
    page: str
    """URL of where a person sees this run and what it printed."""


class NotebookRunner(ABC):
    """Runs the export notebook."""

    @abstractmethod
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell, tell_output: Tell) -> NotebookRun:
        """Run it to its end.

        The same token finds the same run, so a lost reply or a restarted worker never starts a second one; after a
        failed run a new one is started. On an interrupt the run is cancelled before the interrupt is raised again.

        Args:
            parameters: what the notebook asks its widgets for.
            token: up to 64 letters, digits, `_` and `-`.
            tell: takes where the run can be seen, and each change of its state.
            tell_output: takes the lines that the notebook prints, where they can be had while it runs.

        Raises:
            NotebookError: the run failed or did not end in time; the message has its last words. A notebook that ends
                with a ConnectionError is NotebookUnavailable, one that ends with another exception NotebookWrongData.
        """

    @abstractmethod
    def checks(self) -> Mapping[str, Callable[[], str]]:
        """What must be so before a notebook can run: name → a question that tells what it found.

        A question raises NotebookError if it is not so; the message ends with what to do.
        """
