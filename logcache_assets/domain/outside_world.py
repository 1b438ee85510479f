"""What a look at the world above a refresh found: segments, the nightly run, the files of the itaipu repository."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.names import contract_prefix, raw_datasets
from logcache_assets.domain.transactions import Dataset, Transaction

SHOWN_AGAIN_AFTER = timedelta(hours=6)
"""Segments arrive all day; a log that grew is shown again only so often."""
DIGITS = 16


class SegmentsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of an instance, as they were shown last."""

    newest_t: int
    count: int
    newest_at: datetime
    """The newest timestamp of all segments."""
    shown_at: datetime


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown before, so that only news are shown."""

    segments: dict[str, SegmentsSeen] = {}
    """By instance."""
    nights: dict[str, str] = {}
    """Asset → digest of the datasets that it showed of a night; `night` → the night's transaction."""
    files: dict[str, str] = {}
    """Path in the itaipu repository → newest commit that changed it."""


def is_due(seen: SegmentsSeen | None, *, newest_t: int, now: datetime) -> bool:
    """True if the segments of an instance are shown again: they grew, and were shown long enough ago."""
    if seen is None:
        return newest_t > 0
    return newest_t != seen.newest_t and now - seen.shown_at >= SHOWN_AGAIN_AFTER


def raw_of(night: Transaction, instances: Iterable[Instance]) -> tuple[Dataset, ...]:
    """The raw datasets of a database that a night has, by its instances."""
    names = [name for instance in instances for name in raw_datasets(instance)]
    return tuple(night.datasets[name] for name in names if name in night.datasets)


def contracts_of(night: Transaction, database: str) -> tuple[Dataset, ...]:
    """The contracts of a database that a night has, ascending by name."""
    prefix = contract_prefix(database)
    return tuple(night.datasets[name] for name in sorted(night.datasets) if name.startswith(prefix))


def digest_of(night: Transaction, datasets: Iterable[Dataset]) -> str:
    """Digest of a night and of the states of these datasets."""
    states = [(dataset.name, dataset.state.value, dataset.path) for dataset in datasets]
    return sha256_of(canonical_json([night.id, states]))[:DIGITS]


def count_states(datasets: Iterable[Dataset]) -> Mapping[str, int]:
    """State → how many datasets have it; each state is named."""
    counted = {"committed": 0, "aborted": 0, "uncommitted": 0}
    for dataset in datasets:
        counted[dataset.state.value] += 1
    return counted
