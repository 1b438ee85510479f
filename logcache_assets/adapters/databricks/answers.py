"""What an answer of Databricks that is an error means: whether asking again may help, what was found, what to do.

The SDK repeats what cannot connect, times out, or is refused with 429 or 503, for as long as its client says, and then
raises TimeoutError. It makes an error's class from the status and the `error_code` of an answer. What it knows neither
of, 502 among them, it raises as a bare DatabricksError. Such an answer may be a proxy's, so it refuses nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from logcache_assets.domain.plain_text import shortened
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import NotebookDenied, NotebookError, NotebookUnavailable, NotebookWrongData


class NotThereError(NotebookWrongData):
    """Databricks knows no such run, cluster, policy or file."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a kind of error means."""

    kind: type[NotebookError]
    did: str
    remedy: str


_OUTAGE = _Meaning(
    NotebookUnavailable,
    "did not answer",
    "check the network, LOGCACHE_DATABRICKS_HOST and Databricks' status page, then run again",
)
_UNKNOWN = _Meaning(
    NotebookDenied,
    "does not accept who asks",
    "check LOGCACHE_DATABRICKS_TOKEN, or the client's id and secret, and whether they expired, then run again",
)
_DENIED = _Meaning(
    NotebookDenied, "does not allow what was asked", "give whom we sign in as that right, then run again"
)
_NOT_THERE = _Meaning(NotThereError, "does not know what was asked for", "correct the settings that name it")
_REFUSED = _Meaning(NotebookWrongData, "refuses what was asked", "correct the settings LOGCACHE_DATABRICKS_…")


@contextmanager
def answered(asked: str, host: str, blanked: Callable[[str], str]) -> Iterator[None]:
    """Turn the SDK's errors into the port's.

    Args:
        asked: what Databricks was asked for, in a few words.
        host: of the workspace.
        blanked: takes secrets out of Databricks' words.
    """
    try:
        yield
    except LogCacheError:
        raise
    except Exception as error:  # the SDK lets through those of requests, of json and its own
        if (meaning := _meaning_of(error)) is None:
            raise
        # Behind its words the SDK tells its own configuration.
        words = shortened(blanked(str(error).partition(" Config: host=")[0])) or type(error).__name__
        raise meaning.kind(f"Databricks at {host} {meaning.did} ({asked}): {words}; {meaning.remedy}") from None


def _meaning_of(error: Exception) -> _Meaning | None:
    """What an error means; None for a defect of ours."""
    import requests  # noqa: PLC0415 - 100 ms, spent only where Databricks was asked
    from databricks.sdk import errors  # noqa: PLC0415 - as above
    from databricks.sdk.errors.base import DatabricksError  # noqa: PLC0415 - as above

    passing = (
        errors.TooManyRequests,
        errors.InternalError,
        errors.NotImplemented,
        errors.TemporarilyUnavailable,
        errors.DeadlineExceeded,
    )
    if type(error) is DatabricksError:
        return _OUTAGE
    meanings: tuple[tuple[type[Exception] | tuple[type[Exception], ...], _Meaning], ...] = (
        (errors.Unauthenticated, _UNKNOWN),
        (errors.PermissionDenied, _DENIED if _names_a_right(error) else _UNKNOWN),
        (errors.NotFound, _NOT_THERE),
        (passing, _OUTAGE),
        (DatabricksError, _REFUSED),
        ((requests.RequestException, TimeoutError), _OUTAGE),
        # So the SDK tells of a sign-in that failed. An answer that is no JSON is one of requests' exceptions.
        (ValueError, _UNKNOWN),
    )
    return next((meaning for kind, meaning in meanings if isinstance(error, kind)), None)


def _names_a_right(error: Exception) -> bool:
    """Whether Databricks knows who asks: a token that it does not know is answered by 403, too."""
    return getattr(error, "error_code", None) == "PERMISSION_DENIED"
