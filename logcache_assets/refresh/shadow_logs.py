"""Looks at the raw logs of a past night and at the index behind them; part of `logcache shadow`. Nothing is written."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_documents import InstanceRequest, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import plan_comparison
from logcache_assets.domain.names import raw_datasets
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.segments import Segment, find_chain_faults
from logcache_assets.domain.shadow import Holds, Observation, shapes_of
from logcache_assets.domain.soundness import FACTS_COLUMNS, LOG_COLUMNS
from logcache_assets.domain.transactions import Transaction
from logcache_assets.domain.unproven import find_unproven
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.raw.prove_logs import prove_logs
from logcache_assets.engine.raw.survey_values import SurveyedType, survey_values
from logcache_assets.engine.storage.parquet import list_parquet
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import SegmentIndex

_Answer = TypeVar("_Answer")
_SEGMENT_FILE = re.compile(r"/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}-(\d+)-(\d+)\.avro\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLog:
    """What a look at one instance's raw logs gave."""

    observations: tuple[Observation, ...]
    last_t: int | None
    """Where the night's log ends; None if that could not be read."""


def look_at_log(instance: Instance, night: Transaction, index: SegmentIndex, at: Runtime) -> SeenLog:
    """Look at the raw log, the materialized entities and the segments of an instance."""
    found: list[Observation] = []
    segments = _asked(lambda: tuple(index.segments(instance)), instance.name, "the segment index answers", found) or ()
    found += _index_observations(instance, segments)
    paths = [_path_of(name, night) for name in raw_datasets(instance)]
    for name, path in zip(raw_datasets(instance), paths, strict=True):
        found.append(
            Observation(
                subject=name,
                assumed="the night committed it, with a path",
                found=path if isinstance(path, str) and path else "it has none",
                holds="yes" if path else "no",
            )
        )
    if not all(paths):
        return SeenLog(observations=tuple(found), last_t=None)
    request = InstanceRequest(
        instance=instance.name,
        log=paths[0],
        materialized_entities=paths[1],
        segments=plan_comparison(segments, ()),
    )
    logs = _asked(
        lambda: prove_logs([request], store=at.store, driver=at.driver, tell=at.warn)[0],
        instance.name,
        "both raw datasets are Parquet that can be read",
        found,
    )
    if logs is None:
        return SeenLog(observations=tuple(found), last_t=None)
    found += _raw_observations(logs, night)
    found += _value_observations(instance, paths[0], at)
    return SeenLog(observations=tuple(found), last_t=logs.log.last_t or None)


def _path_of(name: str, night: Transaction) -> str:
    dataset = night.datasets.get(name)
    return (dataset.path or "") if dataset else ""


def _asked(ask: Callable[[], _Answer], subject: str, assumed: str, found: list[Observation]) -> _Answer | None:
    """An answer, or None with an observation of what stood in its way."""
    try:
        return ask()
    except LogCacheError as error:
        found.append(Observation(subject=subject, assumed=assumed, found=str(error), holds="no"))
        return None


def _index_observations(instance: Instance, segments: Sequence[Segment]) -> Iterator[Observation]:
    if not segments:
        return
    faults = find_chain_faults(segments, after_t=0)
    yield _observation(
        instance.name,
        "the index's segments make a whole chain from the log's beginning",
        join_problems(faults) if faults else f"{count_of(len(segments), 'segment')} up to t {segments[-1].last_t}",
        holds=not faults,
    )
    asked = [s.requested_range for s in segments if s.requested_range]
    yield Observation(
        subject=instance.name,
        assumed="what an item says was requested, by its shape",
        found=shapes_of(asked),
        holds="yes" if asked else "unknown",
    )
    named = [s for s in segments if _is_named_by_its_range(s)]
    yield _observation(
        instance.name,
        "a segment's file is named <uuid>-<last_batch_t>-<last_t>.avro",
        shapes_of((s.path for s in segments), names=(instance.database, instance.prototype, instance.name)),
        holds=len(named) == len(segments),
    )


def _is_named_by_its_range(segment: Segment) -> bool:
    match = _SEGMENT_FILE.search(segment.path)
    return match is not None and (int(match[1]), int(match[2])) == (segment.last_batch_t, segment.last_t)


def _raw_observations(logs: RawLogs, night: Transaction) -> Iterator[Observation]:
    name = logs.instance
    for what, dataset, wanted in (
        ("raw log", logs.log, LOG_COLUMNS),
        ("materialized entities", logs.materialized_entities, FACTS_COLUMNS),
    ):
        yield _observation(
            name,
            f"the columns of the {what} are {_columns(wanted)}",
            _differing(dataset, wanted) or f"they are, in {count_of(len(dataset.files), 'file')}",
            holds=not _differing(dataset, wanted),
        )
        files = (file.name for file in dataset.files)
        yield Observation(
            subject=name, assumed=f"files of the {what}, by their shape", found=shapes_of(files), holds="yes"
        )
    if _differing(logs.log, LOG_COLUMNS):
        return
    yield _observation(
        name,
        "no datom is in the log twice",
        f"{logs.duplicate_datoms:,} of {logs.log.rows:,}",
        holds=not logs.duplicate_datoms,
    )
    unproven = tuple(find_unproven(logs, source_read_at=night.started_at))
    yield _observation(
        name,
        "the log is its segments, and the materialized entities are its facts",
        join_problems(unproven) if unproven else f"{logs.log.rows:,} datoms up to t {logs.log.last_t}, range by range",
        holds=not unproven,
    )


def _columns(wanted: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in wanted.items())


def _differing(dataset: RawDataset, expected: Mapping[str, str]) -> str:
    """How the columns differ from those that are read."""
    missing = [f"no {name}" for name in expected if name not in dataset.columns]
    other = [
        f"{name} is {kind}" for name, kind in dataset.columns.items() if name in expected and kind != expected[name]
    ]
    more = [f"also {name} {kind}" for name, kind in dataset.columns.items() if name not in expected]
    order = (
        ["their order is another"] if not (missing or other or more) and list(dataset.columns) != [*expected] else []
    )
    return "; ".join([*missing, *other, *more, *order])


def _value_observations(instance: Instance, folder: str, at: Runtime) -> Iterator[Observation]:
    try:
        surveyed = survey_values(list_parquet(folder, at.store), at.store)
    except LogCacheError as error:
        yield Observation(
            subject=instance.name, assumed="the texts of v are canonical", found=str(error), holds="unknown"
        )
        return
    for found in surveyed:
        yield Observation(
            subject=instance.name,
            assumed=f"v of :db.type/{found.value_type} is its canonical text",
            found=_told(found),
            holds=_judged(found),
        )


def _told(found: SurveyedType) -> str:
    if not found.other_form and not found.unreadable:
        return count_of(found.texts, "text")
    return (
        f"of {count_of(found.texts, 'text')} {found.other_form:,} have another form, {found.unreadable:,} fit no column"
    )


def _judged(found: SurveyedType) -> Holds:
    if found.value_type == "unknown":
        return "no"
    return "no" if found.other_form else "yes"


def _observation(subject: str, assumed: str, found: str, *, holds: bool) -> Observation:
    return Observation(subject=subject, assumed=assumed, found=found, holds="yes" if holds else "no")
