"""The errors that users read, in two families.

`Unavailable`: an outside system could not answer, so nothing is known; the same read may succeed later. `WrongData`: an
answer or an input is refused; reading it again gives the same. Every message says what was found, why that is refused
and what to do next. The command line prints it and exits with 1, an asset fails with it. Any other exception is a
defect of the program and keeps its traceback.
"""

from typing_extensions import override

from logcache_assets.domain.plain_text import plain_text


class LogCacheError(Exception):
    """Base of all errors that a user can act on; one of its subclasses is raised.

    A message may repeat the words of others, so it is shown as plain text, wherever it is shown.
    """

    @override
    def __str__(self) -> str:
        return plain_text(super().__str__())


class Unavailable(LogCacheError):
    """An outside system could not answer: nothing is known, and the same read may succeed later."""


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
