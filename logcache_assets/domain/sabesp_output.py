"""Parses the output of sabesp for events of an Itaipu run: cluster, tasks, transaction.

The format is known only from sample lines in the platform's runbook, so lines that do not match are skipped.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from logcache_assets.domain.plain_text import shortened

_TRANSACTION = re.compile(r"--transaction[ =]([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\w/\\-])")
_VERSION = re.compile(r"--version[ =]([0-9a-f]{7,40})\b")
_TASK = re.compile(r"\btask (\S+) id: (\S+) finished with total_time: (\S+) status: (\S+)")
_SCALING = re.compile(r"\bScaling up the cluster (\d{1,9}) (\S+) nodes")

_ABORTED = re.compile(r"\baborted dataset (\S+): (.+)$")

GOOD_STATUS = "FINISHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterScaled:
    """sabesp asked for a cluster."""

    nodes: int
    node_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded:
    """One Aurora task ended, with success or failure."""

    task: str
    id: str
    total_time: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionNamed:
    """Itaipu was started with this metapod transaction."""

    transaction: str
    version: str | None = None
    """The Itaipu version that the same line names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetAborted:
    """One dataset failed; the run goes on without it."""

    dataset: str
    reason: str


SabespEvent = ClusterScaled | TaskEnded | TransactionNamed | DatasetAborted


MOST_EVENTS = 10_000
"""How many events of a run are kept; a sound run has a few, and one for each dataset that fails."""


@dataclass(slots=True)
class Events:
    """The events of a run, each once, in order of appearance."""

    _found: dict[SabespEvent, None] = field(default_factory=dict)

    def add(self, found: Iterable[SabespEvent]) -> bool:
        """Add the events of a line; returns whether one of them is new."""
        before = len(self._found)
        for event in found:
            if len(self._found) < MOST_EVENTS or isinstance(event, TransactionNamed):
                self._found.setdefault(event)
        return len(self._found) > before

    def __iter__(self) -> Iterator[SabespEvent]:
        return iter(self._found)


def parse_sabesp_line(line: str) -> tuple[SabespEvent, ...]:
    """Return the events of one line; most lines have none."""
    return tuple(_events(line))


def _events(line: str) -> Iterator[SabespEvent]:
    for match in _SCALING.finditer(line):
        yield ClusterScaled(nodes=int(match[1]), node_type=shortened(match[2]))
    for match in _TASK.finditer(line):
        task, task_id, total_time, status = map(shortened, match.groups())
        yield TaskEnded(task=task, id=task_id, total_time=total_time, status=status)
    version = _VERSION.search(line)
    for match in _TRANSACTION.finditer(line):
        yield TransactionNamed(transaction=match[1], version=version[1] if version else None)
    for match in _ABORTED.finditer(line):
        yield DatasetAborted(dataset=shortened(match[1]), reason=shortened(match[2]))


def transactions_named(events: Iterable[SabespEvent]) -> tuple[str, ...]:
    """Every distinct transaction, in order of appearance; a sound run names exactly one."""
    return tuple(dict.fromkeys(event.transaction for event in events if isinstance(event, TransactionNamed)))


def transactions_of(events: Iterable[SabespEvent], *, version: str) -> tuple[str, ...]:
    """The transactions that are named without another Itaipu version."""
    named = (event for event in events if isinstance(event, TransactionNamed))
    return transactions_named(event for event in named if not event.version or _is_same(event.version, version))


def datasets_aborted(events: Iterable[SabespEvent]) -> dict[str, str]:
    """Dataset → why it failed, for the failures that the output names."""
    return {event.dataset: event.reason for event in events if isinstance(event, DatasetAborted)}


def find_run_failures(events: Iterable[SabespEvent], *, exit_code: int, version: str) -> tuple[str, ...]:
    """Every reason why a run at an Itaipu version is not a success; exit code 0 alone proves nothing."""
    events = tuple(events)
    return (*_failures(events, exit_code), *_other_versions(events, version))


def _failures(events: tuple[SabespEvent, ...], exit_code: int) -> Iterator[str]:
    if exit_code < 0:
        yield f"sabesp was ended by signal {-exit_code}"
    elif exit_code:
        yield f"sabesp ended with exit code {exit_code}"
    for event in events:
        if isinstance(event, TaskEnded) and event.status != GOOD_STATUS:
            yield f"task {event.task} ({event.id}) ended with status {event.status}"
    named = transactions_named(events)
    if not named:
        yield "its output names no transaction"
    elif len(named) > 1:
        yield f"its output names several transactions, {' and '.join(named)}; which holds the contracts is unknown"


def _other_versions(events: tuple[SabespEvent, ...], version: str) -> Iterator[str]:
    for event in events:
        if isinstance(event, TransactionNamed) and event.version and not _is_same(event.version, version):
            yield f"transaction {event.transaction} is of Itaipu version {event.version}"


def _is_same(one: str, other: str) -> bool:
    """True if two shas, each in full or shortened, may name the same commit."""
    return one.startswith(other) or other.startswith(one)
