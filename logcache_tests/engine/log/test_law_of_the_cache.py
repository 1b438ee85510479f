"""The law of the cache over generated logs: contracts(cache at c, segments after c) at t = contracts(segments) at t."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.log.log_op import LogSource
from logcache_tests.engine.app_logs import APP_S0, DEFINITION, app_logs
from logcache_tests.engine.avro import CODECS, Codec
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.generated import InventedLog, fact_rows, source_of, write_segments
from logcache_tests.engine.law import answers_of, contracts_of
from logcache_tests.engine.world import driver_in, open_store, seal, strict_log, write_cache

BUCKET_DATOMS = st.sampled_from([60, 200, 100_000])
"""Datoms per bucket, for about ten buckets down to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A log, how it is split into segments and cache, and the t to build."""

    log: InventedLog
    cut: int
    until_t: int | None
    ends: tuple[int, ...]
    codecs: tuple[Codec, ...]
    cached_bucket_datoms: int
    bucket_datoms: int

    def source(self, store: FolderObjectStore) -> LogSource:
        """Write its segments."""
        segments = write_segments(self.log.datoms, self.ends, store, instance=APP_S0, codecs=self.codecs)
        return replace(source_of(*segments), until_t=self.until_t)

    def build(self, source: LogSource) -> ContractBuild:
        """A build of all contracts of the source."""
        return ContractBuild(
            definition=DEFINITION, sources=(source,), pii_key=PII_KEY, bucket_datoms=self.bucket_datoms
        )

    def cache(self, source: LogSource, store: FolderObjectStore, *, at: int | None = None) -> MapEntry:
        """Write a cache at the cut."""
        last_t = at or self.cut
        return write_cache(
            source, store, folder=f"cache-{last_t}", last_t=last_t, bucket_datoms=self.cached_bucket_datoms
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any cut, also after the build's t; any split and codec; any number of buckets of the cache."""
    log = draw(app_logs())
    last = log.ts[-1]
    return Case(
        log=log,
        cut=draw(st.sampled_from(log.ts)),
        until_t=draw(st.none() | st.integers(log.ts[0], last)),
        ends=tuple(sorted({*draw(st.sets(st.sampled_from(log.ts))), last})),
        codecs=tuple(draw(st.permutations(CODECS))),
        cached_bucket_datoms=draw(BUCKET_DATOMS),
        bucket_datoms=draw(BUCKET_DATOMS),
    )


@given(cases(), st.booleans())
@settings(max_examples=20)
def test_a_cache_changes_nothing(case: Case, elsewhere: bool) -> None:  # noqa: FBT001
    """A cache changes no datom and no row, whether tasks share memory or read spilled files."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = case.source(store)
        cached = replace(source, cache=case.cache(source, store))
        driver: Driver = ElsewhereDriver(driver_in(store).scratch) if elsewhere else driver_in(store)

        assert answers_of(case.build(cached), store, driver) == answers_of(case.build(source), store)


@given(cases())
@settings(max_examples=8)
def test_buckets_and_files_change_nothing(case: Case) -> None:
    """One bucket and one segment give what many buckets and many segments give."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = case.source(store)
        whole = replace(case, ends=case.ends[-1:], codecs=("null",), bucket_datoms=10_000)

        found = contracts_of(case.build(source), store)

        assert found == contracts_of(whole.build(whole.source(store)), store)


@given(cases(), st.data())
@settings(max_examples=8)
def test_a_cache_made_from_a_cache_is_the_same(case: Case, data: st.DataObject) -> None:
    """A cache may be made from raw datasets of a night that itself read a cache."""
    first = data.draw(st.sampled_from([t for t in case.log.ts if t <= case.cut]))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = replace(case.source(store), until_t=None)
        earlier = case.cache(source, store, at=first)
        split = split_log(earlier, store, pieces=data.draw(st.integers(1, 4)))
        later = write_cache(replace(source, cache=split), store, folder="later", last_t=case.cut)
        from_cache, alone = replace(source, cache=later), replace(source, until_t=case.cut)

        assert fact_rows(facts_of(replace(from_cache, until_t=case.cut), store)) == fact_rows(facts_of(alone, store))
        assert strict_log(replace(from_cache, until_t=case.cut), store).equals(strict_log(alone, store))
        assert answers_of(case.build(from_cache), store) == answers_of(case.build(source), store)


def split_log(entry: MapEntry, store: FolderObjectStore, *, pieces: int) -> MapEntry:
    """Split the cached log into this many files, some without rows, and return the entry that points to them."""
    path = store.path_of(f"{entry.log}/part-00000.parquet")
    frame = pl.read_parquet(path)
    size = -(-len(frame) // pieces)
    for n in range(pieces):
        frame.slice(n * size, size).write_parquet(path.with_name(f"part-{n:05}.parquet"))
    return seal(entry, store)
