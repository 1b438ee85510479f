"""The errors that users read, in two families.

`Unavailable`: an outside system could not answer, so nothing is known; the same read may succeed later. `WrongData`: an
answer or an input is refused; reading it again gives the same. Every message says what was found, why that is refused
and what to do next. The command line prints it and exits with 1, an asset fails with it. Any other exception is a
defect of the program and keeps its traceback.
"""

from collections.abc import Iterable
from typing import ClassVar, Self

from typing_extensions import override

from logcache_assets.domain.plain_text import plain_text
from logcache_assets.domain.problems import Problem


class LogCacheError(Exception):
    """Base of all errors that a user can act on; one of its subclasses is raised.

    A message may repeat the words of others, so it is shown as plain text, wherever it is shown.
    """

    problems: tuple[Problem, ...] = ()
    """What the message says, problem by problem, for a page with a table; empty if the message alone says it."""

    def __init__(self, *args: object, problems: Iterable[Problem] = ()) -> None:
        super().__init__(*args)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The error that says one problem."""
        return cls(str(problem), problems=(problem,))

    @override
    def __str__(self) -> str:
        return plain_text(super().__str__())


class Unavailable(LogCacheError):
    """An outside system could not answer: nothing is known, and the same read may succeed later."""

    is_passing: ClassVar[bool] = True
    """Whether it may pass by itself, so that asking again makes sense; if not, a person must act first."""


class WrongData(LogCacheError):
    """An answer or an input is refused; reading it again changes nothing."""


class BadInput(WrongData):
    """A file, setting or argument is malformed; the message names file, place and remedy."""


class WrongUsage(BadInput):
    """A command's option or argument, or a setting, is wrong; the command line exits with 2."""


class Refused(WrongData):
    """A rule forbids the next step; nothing was published."""


class NotYet(Refused):
    """All is prepared, and time alone lifts the refusal: the publish window opens, or a run of others ends."""


class Outdated(Refused):
    """The base branch moved while the refresh worked; the next one begins on the new base."""
