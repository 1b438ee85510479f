"""Generated logs with known answers: facts are recorded while datoms are made, never folded from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle

import polars as pl
from hypothesis import strategies as st

from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.storage.schemas import LOG_SCHEMA
from logcache_assets.ports import ObjectStore
from logcache_tests.engine.avro import TX_BASE, Codec, Datom, avro_bytes, instant_ms, instant_text
from logcache_tests.engine.world import OWN_BUCKET

INSTANCE = parse_instance("double-entry-s0")
ONE, MANY = 100, 101
"""Ids of an attribute of cardinality one and one of cardinality many."""

Fact = tuple[int, int, str, int, int | None]
"""(e, a, v, t_from, t_to)."""


@dataclass
class InventedLog:
    """Datoms in log order, and the facts that they give."""

    one_valued: set[int] = field(default_factory=lambda: {ONE})
    """Attributes of cardinality one; all others are of cardinality many."""
    datoms: list[Datom] = field(default_factory=list)
    open: dict[tuple[int, int, str], int] = field(default_factory=dict)
    closed: list[Fact] = field(default_factory=list)

    def transact(self, t: int, changes: Sequence[tuple[int, int, str | None]]) -> None:
        """Add a tx: (e, a, v) asserts, (e, a, None) retracts all values; updates assert first, as in Datomic."""
        self._assert(TX_BASE + t, 50, instant_text(t), t)
        for e, a in dict.fromkeys((e, a) for e, a, _ in changes):
            wanted = [v for f, b, v in changes if (f, b) == (e, a)]
            held = [v for f, b, v in self.open if (f, b) == (e, a)]
            added = [] if None in wanted else [v for v in dict.fromkeys(wanted) if v is not None]
            if a in self.one_valued:
                added = added[:1]
            removed = held if None in wanted else [v for v in held if a in self.one_valued and v not in added]
            for v in added:
                if v not in held:
                    self._assert(e, a, v, t)
            for v in removed:
                self.datoms.append((e, a, v, t, False))
                self.closed.append((e, a, v, self.open.pop((e, a, v)), t))

    def _assert(self, e: int, a: int, v: str, t: int) -> None:
        self.datoms.append((e, a, v, t, True))
        self.open[e, a, v] = t

    @property
    def facts(self) -> list[Fact]:
        """Every fact, sorted by repr."""
        return sorted([*self.closed, *((*key, t, None) for key, t in self.open.items())], key=repr)

    @property
    def ts(self) -> list[int]:
        """Every t of the log."""
        return sorted({t for _, _, _, t, _ in self.datoms})


def small_log() -> InventedLog:
    """Three txes: x, updated to y, and z of another entity."""
    log = InventedLog()
    log.transact(10, [(1, ONE, "x")])
    log.transact(20, [(1, ONE, "y")])
    log.transact(30, [(2, ONE, "z")])
    return log


@st.composite
def invented_logs(draw: st.DrawFn) -> InventedLog:
    """A few txes at increasing, not dense t, on few entities and values, so that values recur."""
    change = st.tuples(st.integers(1, 3), st.sampled_from([ONE, MANY]), st.sampled_from(["x", "y", "z", None]))
    log, t = InventedLog(), 999
    for changes in draw(st.lists(st.lists(change, max_size=4), min_size=1, max_size=12)):
        t += draw(st.integers(1, 3))
        log.transact(t, changes)
    return log


def log_frame(datoms: Sequence[Datom]) -> pl.DataFrame:
    """A frame of datoms, as LogOp gives it."""
    rows = [(e, a, v, t, TX_BASE + t, added, instant_ms(t)) for e, a, v, t, added in datoms]
    return pl.DataFrame(rows, {**LOG_SCHEMA, "tx_instant": pl.Int64()}, orient="row").cast(LOG_SCHEMA)


def fact_rows(frame: pl.DataFrame) -> list[Fact]:
    """The facts of a frame, in the order of InventedLog.facts."""
    return sorted(frame.select("e", "a", "v", "t_from", "t_to").iter_rows(), key=repr)


def datom_rows(frame: pl.DataFrame) -> list[Datom]:
    """The datoms of a frame, in its order."""
    return list(frame.select("e", "a", "v", "t", "added").iter_rows())


def write_segments(
    log: Sequence[Datom],
    ends: Sequence[int],
    store: ObjectStore,
    *,
    instance: Instance = INSTANCE,
    codecs: Iterable[Codec] = ("null",),
) -> tuple[Segment, ...]:
    """Write one segment per end; ends ascend up to the log's last t, and codecs alternate."""
    segments, last = [], 0
    for end, codec in zip(ends, cycle(codecs), strict=False):
        inside = [datom for datom in log if last < datom[3] <= end]
        content = avro_bytes(inside, codec=codec)
        segments.append(write_segment(inside, store, last_batch_t=last, last_t=end, content=content, instance=instance))
        last = end
    return tuple(segments)


def write_segment(
    datoms: Sequence[Datom],
    store: ObjectStore,
    *,
    last_batch_t: int,
    last_t: int,
    content: bytes | None = None,
    instance: Instance = INSTANCE,
) -> Segment:
    """Write a segment with these datoms, or with other bytes, and return its index item."""
    path = f"s3://{OWN_BUCKET}/segments/{instance.name}/{last_batch_t}-{last_t}.avro"
    store.write(path, avro_bytes(datoms) if content is None else content)
    return Segment(
        instance=instance,
        path=path,
        initial_t=min((datom[3] for datom in datoms), default=last_batch_t + 1),
        last_batch_t=last_batch_t,
        last_t=last_t,
        timestamp_ms=instant_ms(last_t),
    )


def source_of(*segments: Segment) -> LogSource:
    """A source of the whole log in these segments."""
    return LogSource(instance=segments[0].instance if segments else INSTANCE, index=SegmentList(segments))


def segments_in(source: LogSource) -> tuple[Segment, ...]:
    """All segments that a source's index holds of its instance, ascending by last_t."""
    return source.index.segments(source.instance)


def with_index(source: LogSource, segments: Iterable[Segment]) -> LogSource:
    """The source with an index of these segments."""
    return replace(source, index=SegmentList(segments))
