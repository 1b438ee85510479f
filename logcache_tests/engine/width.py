"""What a piece of work asks of polars and of Python, for tests of how it grows with columns."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import polars as pl

EXECUTED_BY = frozenset({"collect", "_collect_eager"})
"""Methods of LazyFrame that execute a query; every method of a DataFrame that computes calls one."""


@dataclass(slots=True)
class Asked:
    """Counts of some work, in all threads that it starts."""

    calls: int = 0
    """Calls of Python functions."""
    queries: list[int] = field(default_factory=list)
    """The length of each query that polars executed, as text."""

    def see(self, frame: FrameType, event: str, _: object) -> None:
        """Count one event of Python's profiler."""
        if event != "call":
            return
        self.calls += 1
        query = frame.f_locals.get("self") if frame.f_code.co_name in EXECUTED_BY else None
        if isinstance(query, pl.LazyFrame):
            self.queries.append(len(query.explain(optimized=False)))


@contextmanager
def _profiled(see: Callable[[FrameType, str, object], None]) -> Iterator[None]:
    sys.setprofile(see)
    threading.setprofile(see)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def count_asked(work: Callable[[], object]) -> Asked:
    """Do the work, and count what it asks."""
    asked = Asked()
    with _profiled(asked.see):
        work()
    return asked


def assert_linear(of_width: Callable[[int], Callable[[], object]], widths: tuple[int, int, int]) -> None:
    """Assert that queries do not grow in number with the columns, and that their length and the calls grow linearly.

    Args:
        of_width: gives the work on so many columns.
        widths: three widths, of which the last is as far from the second as the second from the first.
    """
    for width in widths:
        of_width(width)()  # what is done once is done before it is counted
    few, more, many = (count_asked(of_width(width)) for width in widths)

    assert len(few.queries) == len(more.queries) == len(many.queries)
    for one, two, three in ((few.calls, more.calls, many.calls), (*(sum(a.queries) for a in (few, more, many)),)):
        assert three - two <= 1.1 * (two - one)
