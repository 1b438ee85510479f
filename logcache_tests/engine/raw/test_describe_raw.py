"""The raw datasets of an instance and their description."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.log_documents import RawLogs
from logcache_assets.domain.soundness import LOG_COLUMNS, find_export_problems
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_assets.engine.raw.datom_hash import datom_hash
from logcache_assets.engine.raw.describe_raw import DescribeTask, count_duplicates, low_half
from logcache_assets.engine.storage.parquet import read_each, write_part
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.expected import expected_counts
from logcache_tests.engine.generated import log_frame
from logcache_tests.engine.world import (
    FEED_S0,
    OWN_BUCKET,
    cut_off,
    driver_in,
    refuse_warning,
    seal,
    source_at,
    strict_log,
    write_cache,
)

LOG = f"s3://{OWN_BUCKET}/cache/feed-s0/log"
ENTITIES = f"s3://{OWN_BUCKET}/cache/feed-s0/materialized-entities"


@pytest.fixture
def night(store: FolderObjectStore) -> FolderObjectStore:
    """A store with the raw datasets that a night wrote for feed-s0."""
    source = source_at(FEED_S0, "night")
    write_cache(source, store, folder="cache", last_t=source.until_t or 0)
    return store


def described(store: FolderObjectStore, *, log: str = LOG, entities: str = ENTITIES) -> RawLogs:
    """What the notebook finds in both folders, compared with nothing."""
    return DescribeTask(instance="feed-s0", log=log, materialized_entities=entities, store=store).run().logs


def duplicates_in(uris: Sequence[str], store: FolderObjectStore) -> int:
    """The duplicates of a log in these files."""
    hashes = [low_half(frame.select(datom_hash()).to_series()) for frame in read_each(uris, store)]
    return count_duplicates(hashes, uris, store)


def test_files_that_a_writer_left_are_not_described(night: FolderObjectStore) -> None:
    """Neither read nor named: an attempt that died left the whole log a second time."""
    before = described(night)
    for folder in (LOG, ENTITIES):
        for uri in [item.uri for item in night.list_objects(f"{folder}/")]:
            name = uri.rpartition("/")[2]
            night.write(f"{folder}/_temporary/0/{name}", night.read(uri))
            night.write(f"{folder}/.{name}.crc", b"crc")
        night.write(f"{folder}/_SUCCESS", b"")

    assert described(night) == before


def test_a_description_has_datomics_figures(night: FolderObjectStore) -> None:
    """Rows, last t and current facts are what Datomic counted, and a sound log has no faults."""
    counts = expected_counts("night", "feed-s0")

    found = described(night)

    assert (found.log.rows, found.log.last_t, found.current_facts) == tuple(counts.values())
    assert found.materialized_entities.last_t == found.log.last_t
    assert found.log.columns == LOG_COLUMNS == column_types(LOG_SCHEMA)
    assert [f.name for f in found.log.files] == ["part-00000.parquet"]
    assert found.log.files[0].etag == night.head(f"{LOG}/part-00000.parquet").etag
    assert list(find_export_problems(found, None)) == []
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_facts_are_written_for_their_readers(night: FolderObjectStore) -> None:
    """Open and closed facts are in separate files, ordered by attribute, entity and t."""
    halves = [
        pl.read_parquet(night.path_of(f"{ENTITIES}/{half}-00000-of-00001.parquet")) for half in ("open", "closed")
    ]

    for facts in halves:
        assert facts.schema == FACTS_SCHEMA
        assert facts.equals(facts.sort("a", "e", "t_from", "v"))
    assert [facts["t_to"].null_count() for facts in halves] == [len(halves[0]), 0]
    assert len(halves[1]) > 0
    written = pl.concat(halves).sort("a", "e", "t_from", "v")
    assert written.equals(facts_of(source_at(FEED_S0, "night"), night))


def test_doubled_rows_are_counted(night: FolderObjectStore) -> None:
    """A second copy of the rows gives as many duplicates and another fingerprint."""
    before = described(night)
    log = strict_log(source_at(FEED_S0, "night"), night)
    night.write(f"{LOG}/part-00001.parquet", night.read(f"{LOG}/part-00000.parquet"))

    after = described(night)

    assert after.duplicate_datoms == len(log)
    assert after.log.fingerprint != before.log.fingerprint
    assert [f.name for f in after.log.files] == ["part-00000.parquet", "part-00001.parquet"]


def test_two_equal_byte_arrays_are_no_duplicate(store: FolderObjectStore) -> None:
    """Datomic writes equal byte arrays of one tx twice; two equal rows of other types are duplicates."""
    types = [(100, 40, "27", 5, True), (101, 40, "23", 5, True)]
    of_bytes = [(1, 100, "5Q==", 6, True)] * 2
    of_text = [(1, 101, "x", 6, True)] * 3

    sound, doubled = (
        write_part(log_frame(datoms), LOG, store, number=n).uri
        for n, datoms in enumerate([[*types, *of_bytes], [*types, *of_bytes, *of_text]])
    )

    assert duplicates_in([sound], store) == 0
    assert duplicates_in([doubled], store) == 2


def test_duplicates_are_found_across_files(store: FolderObjectStore) -> None:
    """Equal byte arrays are recognised even if their attribute is installed in another file."""
    parts = [
        [(100, 40, "27", 5, True), (101, 40, "23", 5, True), (1, 101, "x", 6, True)],
        [(1, 100, "5Q==", 7, True), (1, 101, "x", 6, True)],
        [(1, 100, "5Q==", 7, True)],
    ]

    uris = [write_part(log_frame(datoms), LOG, store, number=n).uri for n, datoms in enumerate(parts)]

    assert duplicates_in(uris, store) == 1


def test_a_fingerprint_is_of_the_rows_and_not_of_the_files(store: FolderObjectStore) -> None:
    """The fingerprint does not depend on files or order."""
    log = strict_log(source_at(FEED_S0, "old"), store)
    write_part(log, f"{LOG}/one", store)
    write_part(log[100:].reverse(), f"{LOG}/two", store, number=0)
    write_part(log[:100], f"{LOG}/two", store, number=1)

    one, two = (described(store, log=f"{LOG}/{name}").log for name in ("one", "two"))

    assert (len(one.files), len(two.files)) == (1, 2)
    assert one.fingerprint == two.fingerprint


def test_a_corrupt_file_is_named(night: FolderObjectStore) -> None:
    """A truncated Parquet file is an error, never an empty dataset."""
    uri = f"{LOG}/part-00000.parquet"
    night.write(uri, night.read(uri)[:-1])

    with pytest.raises(EngineError, match=f"feed-s0: {uri} is not a readable Parquet file"):
        described(night)


def test_figures_of_what_is_no_log_say_so(night: FolderObjectStore) -> None:
    """Other columns and an empty folder are described, so that the rules can refuse them with a reason."""
    path = night.path_of(f"{LOG}/part-00000.parquet")
    pl.read_parquet(path).drop("tx_instant").write_parquet(path)

    found = described(night, entities=f"{ENTITIES}-gone")

    assert "tx_instant" not in found.log.columns
    assert (found.materialized_entities.rows, found.materialized_entities.files) == (0, ())
    reasons = " ".join(map(str, find_export_problems(found, None)))
    assert "C17" in reasons
    assert "C5" in reasons


def test_a_log_is_written_in_log_order(store: FolderObjectStore) -> None:
    """Rows are sorted by t and keep their order within a tx, with and without a cache."""
    source = source_at(FEED_S0, "night")
    log = strict_log(source, store)
    cached = replace(source, cache=write_cache(source, store, folder="old", last_t=cut_off(FEED_S0, "old")))

    write_cache(cached, store, folder="cache", last_t=source.until_t or 0)

    written = pl.read_parquet(store.path_of(f"{LOG}/part-00000.parquet"))
    assert written.equals(log)
    assert written["t"].is_sorted()


def test_what_was_built_is_counted(store: FolderObjectStore) -> None:
    """Datoms, facts and last t are what Datomic counted."""
    source, counts = source_at(FEED_S0, "night"), expected_counts("night", "feed-s0")
    wanted = RawBuild(source=source, log=Folder(store, LOG), entities=Folder(store, ENTITIES))

    built = build_raw(wanted, store=store, driver=driver_in(store), warn=refuse_warning)

    assert (built.datoms, built.last_t) == (counts["datoms"], counts["max_t"])
    assert built.facts == len(facts_of(source, store))


def test_raw_datasets_before_the_caches_end_are_cut(store: FolderObjectStore) -> None:
    """A cache that is ahead gives the datasets as of that t."""
    source = source_at(FEED_S0, "old")
    ahead = write_cache(source, store, folder="ahead", last_t=cut_off(FEED_S0, "night"))

    entry = write_cache(replace(source, cache=ahead), store, folder="cache", last_t=source.until_t or 0)

    written = pl.read_parquet(store.path_of(f"{LOG}/part-00000.parquet"))
    assert written.equals(strict_log(source, store))
    assert facts_of(replace(source, cache=entry), store).equals(facts_of(source, store))


def test_a_cached_log_that_ends_elsewhere_is_not_copied(store: FolderObjectStore) -> None:
    """Only reading the log finds its damage, because the entities are sound."""
    source = source_at(FEED_S0, "night")
    behind = write_cache(source, store, folder="behind", last_t=cut_off(FEED_S0, "old"))
    mixed = write_cache(source, store, folder="mixed", last_t=cut_off(FEED_S0, "yesterday"))
    store.write(f"{mixed.log}/part-00000.parquet", store.read(f"{behind.log}/part-00000.parquet"))

    with pytest.raises(CacheError, match=rf"feed-s0: .*{mixed.log} holds .*ends at t {behind.last_t} \(C5\)"):
        write_cache(replace(source, cache=seal(mixed, store)), store, folder="cache", last_t=source.until_t or 0)
