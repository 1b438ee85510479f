"""A driver that sends tasks and results as bytes and shares no memory with them.

It does what Spark does, without Spark: whatever cannot be sent fails here too.
"""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from typing_extensions import override

from logcache_assets.engine.drivers.driver import LocalDriver, Task
from logcache_assets.engine.drivers.sending import Sender, load_task

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Sent:
    """A task as bytes."""

    content: bytes

    def run(self) -> bytes:
        """Unpickle and run the task; return its result as bytes."""
        return pickle.dumps(load_task(self.content).run())


class ElsewhereDriver(LocalDriver):
    """Runs tasks that were pickled, and pickles their results."""

    shares_memory = False

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        sender = Sender()
        for answer in super().run([Sent(sender.dump(task)) for task in tasks]):
            yield pickle.loads(answer)  # noqa: S301 - sent by ourselves
