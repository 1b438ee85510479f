"""Reads that are repeated while the outside world cannot answer.

`@repeated` goes on the reading methods of adapters and local twins, on the innermost one that asks the outside world,
so that repetitions do not multiply. Only `Unavailable` is repeated: wrong data stays wrong. Writes, copies, runs and
whole stages are never repeated. Each pause is short and sleeps in the calling thread, so an interrupt ends it at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from logcache_assets.errors import Unavailable

if TYPE_CHECKING:
    from tenacity import Retrying

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedReads:
    """How often an unanswered read is repeated; by default 4 attempts within about 2 seconds of pauses."""

    attempts: int = 4
    first_pause_seconds: float = 0.2
    """Doubles with each pause; up to half of it is added at random, so that parallel readers spread out."""
    longest_pause_seconds: float = 1
    longest_seconds: float = 5
    """No attempt begins later than this after the first one began."""

    def retrying(self) -> "Retrying":
        """The loop around one read, made by tenacity."""
        import tenacity  # noqa: PLC0415 - 40 ms, spent only where the outside world is read

        first = self.first_pause_seconds
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_passing),
            stop=tenacity.stop_after_attempt(self.attempts) | tenacity.stop_after_delay(self.longest_seconds),
            wait=tenacity.wait_exponential(multiplier=first, max=self.longest_pause_seconds)
            + tenacity.wait_random(0, first / 2),
            reraise=True,
        )


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and error.is_passing


class Reader(Protocol):
    """What has repeated reads: its attribute `reads` says how."""

    @property
    def reads(self) -> RepeatedReads:
        """How often and with which pauses reads are repeated."""


_Self = TypeVar("_Self", bound=Reader)


def repeated(
    read: Callable[Concatenate[_Self, _Arguments], _Answer],
) -> Callable[Concatenate[_Self, _Arguments], _Answer]:
    """Repeat a reading method while it raises `Unavailable`; its last error is raised. Not for generators."""

    @wraps(read)
    def asked(self: _Self, /, *arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        return self.reads.retrying()(read, self, *arguments, **named)

    return asked
