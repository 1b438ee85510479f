"""A driver whose tasks run elsewhere: each is sent as bytes, sees no memory of this process, and its result comes back.

What Spark does, without Spark: whatever cannot be sent fails here too.
"""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from typing_extensions import override

from logcache_assets.engine.drivers.driver import LocalDriver, Task

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Sent:
    """A task on its way."""

    content: bytes

    def run(self) -> bytes:
        """Do it there, and send what it gave."""
        return pickle.dumps(pickle.loads(self.content).run())  # noqa: S301 - sent by ourselves


class ElsewhereDriver(LocalDriver):
    """One task at a time, in another world."""

    shares_memory = False

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        for answer in super().run([Sent(pickle.dumps(task)) for task in tasks]):
            yield pickle.loads(answer)  # noqa: S301 - sent by ourselves
