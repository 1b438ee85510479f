"""The Spark driver gives what the local one gives: it runs the same tasks, elsewhere."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.domain.definitions import DatabaseDefinition
from logcache_assets.engine.build import ContractBuild
from logcache_assets.engine.cache import CacheError
from logcache_assets.engine.drivers import Folder
from logcache_assets.engine.layout import EngineError
from logcache_assets.engine.log import CachePolicy, LogSource
from logcache_assets.engine.raw_build import RawBuild, build_raw
from logcache_assets.engine.spark import SparkDriver, local_session
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_tests.engine.builds import build
from logcache_tests.engine.expected import PII_KEY, find_differences, united
from logcache_tests.engine.world import (
    FEED_S0,
    OWN_BUCKET,
    cut_off,
    definition_of,
    driver_in,
    refuse_warning,
    source_at,
    write_cache,
)


def sources_of(database: str, cut: str, store: LocalObjectStore, *, cached_at: str | None) -> tuple[LogSource, ...]:
    """Segments up to a cut-off, with caches at another or without."""
    sources = [source_at(instance, cut) for instance in definition_of(database).instances]
    if cached_at is None:
        return tuple(sources)
    caches = {
        s.instance: write_cache(s, store, folder=f"for-{cut}", last_t=cut_off(s.instance, cached_at)) for s in sources
    }
    return tuple(replace(source, cache=caches[source.instance]) for source in sources)


def build_of(database: str, sources: tuple[LogSource, ...], *, bucket_datoms: int = 4_000_000) -> ContractBuild:
    """All contracts of a database."""
    definition: DatabaseDefinition = definition_of(database)
    return ContractBuild(definition=definition, sources=sources, pii_key=PII_KEY, bucket_datoms=bucket_datoms)


@pytest.mark.parametrize(
    ("database", "cached_at", "bucket_datoms"),
    [
        pytest.param("customers", None, 4_000_000, id="segments alone"),
        pytest.param("double-entry", "old", 10_000, id="a cache, several buckets"),
        pytest.param("feed", "old", 4_000_000, id="a cache"),
    ],
)
def test_every_contract_is_datomics_answer(
    database: str, cached_at: str | None, bucket_datoms: int, spark: SparkDriver, store: LocalObjectStore
) -> None:
    """Every row, cell and type at `yesterday`, personal data hashed."""
    sources = sources_of(database, "yesterday", store, cached_at=cached_at)

    found = build(build_of(database, sources, bucket_datoms=bucket_datoms), store, driver=spark)

    wrong = [d for c in found.values() for d in find_differences(c.built.table, united(c.files), "yesterday")]
    assert wrong == []


def test_raw_datasets_are_those_of_the_local_driver(spark: SparkDriver, store: LocalObjectStore) -> None:
    """The log in its order, and the facts of every bucket, file by file."""
    written = {}
    for name, driver in (("spark", spark), ("local", driver_in(store))):
        log, entities = (Folder(store, f"s3://{OWN_BUCKET}/raw-by-{name}/{part}") for part in ("log", "entities"))
        source = source_at(FEED_S0, "night")
        wanted = RawBuild(source=source, log=log, entities=entities, bucket_datoms=5_000)
        build_raw(wanted, store=store, driver=driver, warn=refuse_warning)
        files = store.list_objects(f"s3://{OWN_BUCKET}/raw-by-{name}/")
        written[name] = {f.uri.partition(name)[2]: pl.read_parquet(store.path_of(f.uri)) for f in files}

    assert written["spark"].keys() == written["local"].keys()
    assert len(written["spark"]) > 2
    assert all(frame.equals(written["local"][name]) for name, frame in written["spark"].items())


@dataclass(frozen=True)
class Refusing:
    """A task that cannot be done."""

    error: Exception

    def run(self) -> int:
        """Refuse."""
        raise self.error


def test_an_error_of_the_engine_arrives_as_it_was_raised(spark: SparkDriver) -> None:
    """With its type, its text, and the instance by which the ladder goes on."""
    with pytest.raises(EngineError, match=r"^a value that its type cannot hold$"):
        list(spark.run([Refusing(EngineError("a value that its type cannot hold"))]))

    with pytest.raises(CacheError, match=r"^damaged$") as refusal:
        list(spark.run([Refusing(CacheError(FEED_S0, "damaged"))]))
    assert refusal.value.instance == FEED_S0


def test_any_other_error_shows_where_it_happened(spark: SparkDriver) -> None:
    """A mistake of the code is not a refusal: its traceback from the worker is there."""
    with pytest.raises(Exception, match=r"(?s)test_spark\.py.*ZeroDivisionError: by zero"):
        list(spark.run([Refusing(ZeroDivisionError("by zero"))]))


def test_no_tasks_are_no_job(spark: SparkDriver) -> None:
    """A build without a delta has nothing to spill."""
    assert list(spark.run([])) == []


def test_damage_that_a_worker_finds_is_passed_over_loudly(spark: SparkDriver, store: LocalObjectStore) -> None:
    """The ladder works through Spark: the same contracts from segments alone, and a line about the cache."""
    plain = source_at(FEED_S0, "yesterday")
    other = source_at(definition_of("feed").instances[1], "yesterday")
    entry = write_cache(plain, store, folder="damaged", last_t=cut_off(FEED_S0, "old"))
    path = store.path_of(f"{entry.materialized_entities}/closed-00000-of-00001.parquet")
    content = bytearray(path.read_bytes())
    content[8:200] = bytes(192)
    path.write_bytes(content)
    told: list[str] = []
    wanted = build_of("feed", (replace(plain, cache=entry), other))

    found = build(replace(wanted, policy=CachePolicy.FALLBACK), store, driver=spark, warn=told.append)

    assert [d for c in found.values() for d in find_differences(c.built.table, united(c.files), "yesterday")] == []
    assert re.match(r"WARNING: feed-s0: the cache .*closed-00000-of-00001\.parquet.* Going on without", told[0])


def test_everything_listens_on_loopback_only(spark: SparkDriver) -> None:
    """A laptop in a café opens no port to its neighbours."""
    assert spark.shares_memory is False
    links = [fd.readlink() for process in _sparks() for fd in (process / "fd").glob("*") if os.path.lexists(fd)]
    inodes = {str(link).removeprefix("socket:[").rstrip("]") for link in links}
    lines = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = [line[1] for line in lines if line[3] == "0A" and line[9] in inodes]

    assert listening
    assert all(
        re.match(r"(0100007F|0000000000000000FFFF00000100007F|0{24}01000000):", address) for address in listening
    )


def _sparks() -> list[Path]:
    """The processes of Spark: the JVM and its workers."""
    return [p for p in Path("/proc").glob("[0-9]*") if b"pyspark" in _command(p)]


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_without_java_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Never a JVM's absence as a stack trace."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(BadInput, match="install Java 17 or newer"):
        local_session()
