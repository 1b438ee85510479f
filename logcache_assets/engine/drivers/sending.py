"""Tasks as bytes, for workers that share no memory with their driver.

Many tasks of a run hold the same value, such as the reader of an instance, which reads once what all its buckets need.
A worker runs one task after the other, and keeps what the last one shared: the next task that holds the same value
finds what was read, and does not read it again.
"""

import pickle
import threading
import uuid
from io import BytesIO
from typing import Any

from typing_extensions import override


class Shared:
    """Base of values that many tasks of a run hold."""


class Sender:
    """Turns the tasks of one run into bytes; used by several threads."""

    def __init__(self) -> None:
        self._run, self._lock = uuid.uuid4().hex, threading.Lock()
        self._sent: dict[int, tuple[Shared, str, bytes]] = {}

    def dump(self, task: object) -> bytes:
        """The bytes of a task, with those of the values that it shares: any worker may be its first one."""
        content = BytesIO()
        _TaskPickler(content, self).dump(task)
        return content.getvalue()

    def name_and_bytes(self, value: Shared) -> tuple[str, bytes]:
        """A name that is this value's in this run alone, and its bytes."""
        with self._lock:
            if id(value) not in self._sent:
                # The value is held too, so that no other one gets its id.
                self._sent[id(value)] = value, f"{self._run}-{len(self._sent)}", pickle.dumps(value)
            return self._sent[id(value)][1:]


class _TaskPickler(pickle.Pickler):
    def __init__(self, content: BytesIO, sender: Sender) -> None:
        super().__init__(content)
        self._sender = sender

    @override
    def persistent_id(self, obj: Any) -> tuple[str, bytes] | None:
        return self._sender.name_and_bytes(obj) if isinstance(obj, Shared) else None


class _Kept:
    """The shared value of this worker's last task."""

    def __init__(self) -> None:
        self._lock, self._name, self._value = threading.Lock(), "", None

    def value(self, name: str, content: bytes) -> Any:  # noqa: ANN401 - whatever is shared
        with self._lock:
            if self._name != name:
                self._name, self._value = name, pickle.loads(content)  # noqa: S301 - our own driver wrote it
            return self._value

    def drop(self) -> None:
        with self._lock:
            self._name, self._value = "", None


_KEPT = _Kept()


class _TaskUnpickler(pickle.Unpickler):
    shares = False

    @override
    def persistent_load(self, pid: Any) -> Any:
        self.shares = True
        return _KEPT.value(*pid)


def load_task(content: bytes) -> Any:  # noqa: ANN401 - any task
    """The task that a Sender made bytes of; one that shares nothing lets go of what the last one shared."""
    unpickler = _TaskUnpickler(BytesIO(content))
    task = unpickler.load()
    if not unpickler.shares:
        _KEPT.drop()
    return task
