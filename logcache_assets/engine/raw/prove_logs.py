"""Describes raw logs and compares each, range by range, with the segments of the index: the export notebook's work.

The log's side is summed while it is described. Of the segments only those are read that no manifest vouches for. Where
the sums of a range differ, both sides are read once more to count what differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from msgspec.structs import replace

from logcache_assets.domain.log_documents import InstanceRequest, RawLogs
from logcache_assets.domain.log_ranges import ComparedRange, DatomSum, RequestedSegment
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.engine.raw.compare_facts import count_unmatched
from logcache_assets.engine.raw.datom_hash import datom_hash
from logcache_assets.engine.raw.describe_raw import DescribedLogs, DescribeTask
from logcache_assets.engine.raw.sum_ranges import SumSegmentsTask, segment_of
from logcache_assets.engine.storage.parquet import collect_parquet, scan_parquet
from logcache_assets.errors import WrongData
from logcache_assets.ports import ObjectStore, Tell

SEGMENTS_OF_A_TASK = 100
"""How many segments one task reads, one after the other."""

COUNTED_RANGES = 10
"""In how many differing ranges of an instance the differing datoms are counted; the others are only named."""


def prove_logs(
    instances: Sequence[InstanceRequest], *, store: ObjectStore, driver: Driver, tell: Tell
) -> tuple[RawLogs, ...]:
    """Describe both raw datasets of every instance, and compare the logs with the segments.

    Returns:
        One description per instance, in the same order.

    Raises:
        EngineError: a file or a segment cannot be read; the message names the instance.
    """
    wanted = {instance.instance: instance for instance in instances}
    described = {}
    for found in driver.run([_describe_task(instance, store) for instance in instances]):
        described[found.logs.instance] = found
        tell(f"{found.logs.instance}: {found.logs.log.rows:,} datoms up to t {found.logs.log.last_t}")
    sums = _sum_segments(wanted, described, store=store, driver=driver)
    for name, of_paths in sums.items():
        tell(f"{name}: compared with {len(of_paths)} segments that no manifest vouches for")
    return tuple(_compare(wanted[name], described[name], sums.get(name, {}), store) for name in wanted)


def prove_each(
    instances: Sequence[InstanceRequest], *, store: ObjectStore, driver: Driver, tell: Tell
) -> dict[str, RawLogs | str]:
    """`prove_logs` of all at once; if one cannot be read, of one after the other, so that the others are.

    Returns:
        Instance → its description, or why it cannot be read.
    """
    try:
        found = prove_logs(instances, store=store, driver=driver, tell=tell)
    except WrongData as error:
        if len(instances) == 1:
            return {instances[0].instance: f"its files or segments cannot be read: {error}"}
        alone = (prove_each([instance], store=store, driver=driver, tell=tell) for instance in instances)
        return {name: logs for proven in alone for name, logs in proven.items()}
    return {logs.instance: logs for logs in found}


def _describe_task(instance: InstanceRequest, store: ObjectStore) -> DescribeTask:
    return DescribeTask(
        instance=instance.instance,
        log=instance.log,
        materialized_entities=instance.materialized_entities,
        store=store,
        segments=instance.segments,
    )


def _sum_segments(
    wanted: Mapping[str, InstanceRequest],
    described: Mapping[str, DescribedLogs],
    *,
    store: ObjectStore,
    driver: Driver,
) -> dict[str, dict[str, DatomSum]]:
    """Instance → path → sum, of every segment that must be read."""
    tasks = [
        SumSegmentsTask(instance=name, segments=tuple(group), until_t=last_t, store=store)
        for name, instance in wanted.items()
        for last_t in [described[name].logs.log.last_t]
        for group in _groups([s for s in _up_to(instance.segments, last_t) if not _vouches(s, last_t)])
    ]
    sums: dict[str, dict[str, DatomSum]] = {}
    for name, found in driver.run(tasks):
        sums.setdefault(name, {}).update(found)
    return sums


def _groups(segments: Sequence[RequestedSegment]) -> Iterator[Sequence[RequestedSegment]]:
    return (segments[n : n + SEGMENTS_OF_A_TASK] for n in range(0, len(segments), SEGMENTS_OF_A_TASK))


def _up_to(segments: Sequence[RequestedSegment], last_t: int) -> Iterator[RequestedSegment]:
    """The segments that hold datoms of a log up to last_t."""
    return (segment for segment in segments if segment.last_batch_t < last_t)


def _vouches(segment: RequestedSegment, last_t: int) -> bool:
    """Whether a manifest gives the sum of what the log holds of a segment; it gives only sums of whole segments."""
    return segment.vouched is not None and segment.last_t <= last_t


def _compare(
    instance: InstanceRequest, described: DescribedLogs, sums: Mapping[str, DatomSum], store: ObjectStore
) -> RawLogs:
    last_t = described.logs.log.last_t
    log_sums = dict(zip((s.path for s in instance.segments), described.log_sums, strict=True))
    ranges = [
        _range_of(s, last_t=last_t, log=log_sums[s.path], read=sums.get(s.path))
        for s in _up_to(instance.segments, last_t)
    ]
    differing = [n for n, found in enumerate(ranges) if not found.equal]
    of_path = {s.path: s for s in instance.segments}
    for n in differing[:COUNTED_RANGES]:
        difference = RangeDifference(instance.instance, of_path[ranges[n].segment], ranges[n], described.log_files)
        ranges[n] = difference.count(store)
    return replace(described.logs, ranges=tuple(ranges))


def _range_of(segment: RequestedSegment, *, last_t: int, log: DatomSum, read: DatomSum | None) -> ComparedRange:
    expected = read if read is not None else segment.vouched
    if expected is None:
        raise AssertionError(f"{segment.path} was not read")
    return ComparedRange(
        segment=segment.path,
        timestamp_ms=segment.timestamp_ms,
        last_batch_t=segment.last_batch_t,
        last_t=min(segment.last_t, last_t),
        log=log,
        segments=expected,
        vouched=read is None,
    )


@dataclass(frozen=True, slots=True)
class RangeDifference:
    """A range in which a log differs from its segment."""

    instance: str
    segment: RequestedSegment
    compared: ComparedRange
    log_files: tuple[str, ...]

    def count(self, store: ObjectStore) -> ComparedRange:
        """The range with the number of datoms that only one side has."""
        inside = (pl.col("t") > self.compared.last_batch_t) & (pl.col("t") <= self.compared.last_t)
        of_segment = read_segment(segment_of(self.instance, self.segment), store).filter(inside)
        of_log = collect_parquet(scan_parquet(self.log_files, store).filter(inside), self.log_files[0])
        wanted, found = of_segment.select(hash=datom_hash()), of_log.select(hash=datom_hash())
        counts = count_unmatched(wanted, found)
        return replace(self.compared, missing=int(counts["missing"].sum()), extra=int(counts["extra"].sum()))
