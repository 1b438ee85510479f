"""The errors that users read, in two families.

`Unavailable`: the world could not answer, so nothing is known; asking again may help. `WrongData`: an answer came, or
an input was given, and it is refused; asking again gives the same. Every message says what was found, why that is
refused and what to do next. The command line prints it and exits with 1, an asset fails with it; any other exception
is a defect of the program and keeps its traceback.
"""


class LogCacheError(Exception):
    """Base of all errors that the user must know and can act on; one of its subclasses is raised."""


class Unavailable(LogCacheError):
    """The world could not answer: nothing is known, and the same read may succeed later."""


class WrongData(LogCacheError):
    """An answer or an input is refused; reading it again changes nothing."""


class BadInput(WrongData):
    """A file, setting or argument is malformed; the message names file, place and remedy."""


class WrongUsage(BadInput):
    """What was typed is wrong: a command's option or argument, or a setting; the command line exits with 2."""


class Refused(WrongData):
    """A rule forbids going on; nothing was published."""
