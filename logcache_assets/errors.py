"""The one family of errors that a user is meant to read.

Every message says what was found, why that is refused and what to do next. The command line prints it and exits with 1,
an asset fails with it; anything outside this family is a defect of the program and keeps its traceback.
"""


class LogCacheError(Exception):
    """Something the user must know and can act on."""


class BadInput(LogCacheError):  # noqa: N818 - reads as what it is: `raise BadInput(...)`
    """A file, setting or argument is malformed; the message names file, place and remedy."""


class WrongUsage(BadInput):
    """What was typed is wrong: a command's option or argument, or a setting; the command line exits with 2."""


class Refused(LogCacheError):  # noqa: N818 - a refusal is not a malfunction
    """A rule forbids going on; nothing was published."""
