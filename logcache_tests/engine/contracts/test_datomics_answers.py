"""The engine's contracts of a real Datomic log equal that Datomic's answers, cell for cell."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.log.log_op import LogSource
from logcache_tests.engine.builds import build, facts_of
from logcache_tests.engine.expected import PII_KEY, expected_counts, find_differences, united
from logcache_tests.engine.world import DATABASES, definition_of, source_at, strict_log, write_cache

CUTS = [
    *((cut, database) for cut in ("night", "end", "yesterday", "today") for database in DATABASES),
    ("today-excised", "customers"),
]


Caches = Callable[[str], Mapping[Instance, MapEntry]]


@pytest.fixture(scope="module", params=["segments alone", "a cache at old"])
def caches(request: pytest.FixtureRequest, shared_store: FolderObjectStore) -> Caches:
    """A function that gives the caches to read with: none, or those at `old`, written once."""

    @cache
    def at_old(*, reextracted: bool) -> dict[Instance, MapEntry]:
        instances = [i for database in DATABASES for i in definition_of(database).instances]
        folder = "caches-excised" if reextracted else "caches"
        sources = [source_at(i, "old", reextracted=reextracted) for i in instances]
        return {s.instance: write_cache(s, shared_store, folder=folder, last_t=s.until_t or 0) for s in sources}

    if request.param == "segments alone":
        return lambda _: {}
    return lambda cut: at_old(reextracted=cut.endswith("-excised"))


def sources_at(database: str, cut: str, caches: Mapping[Instance, MapEntry]) -> tuple[LogSource, ...]:
    """Every instance of a database at a named cut-off, with its cache if there is one."""
    name, reextracted = cut.removesuffix("-excised"), cut.endswith("-excised")
    instances = definition_of(database).instances
    return tuple(replace(source_at(i, name, reextracted=reextracted), cache=caches.get(i)) for i in instances)


@pytest.mark.parametrize(("cut", "database"), CUTS)
def test_every_contract_equals_datomics_answer(
    cut: str, database: str, caches: Caches, shared_store: FolderObjectStore
) -> None:
    """Every row, cell and type of all kinds is equal, with and without a cache."""
    definition = definition_of(database)
    sources = sources_at(database, cut, caches(cut))

    found = build(ContractBuild(definition=definition, sources=sources, pii_key=PII_KEY), shared_store)

    assert [dataset.built.table for dataset in found.values()] == list(contract_tables(definition))
    differences = [d for c in found.values() for d in find_differences(c.built.table, united(c.files), cut)]
    assert differences == []


@pytest.mark.parametrize(
    ("database", "bucket_datoms"), [("customers", 8_000), ("double-entry", 10_000), ("feed", 10_000)]
)
def test_rows_of_a_file_are_sorted_by_the_key(
    database: str, bucket_datoms: int, shared_store: FolderObjectStore
) -> None:
    """Each file is one bucket of one prototype, sorted by the key so that readers can merge and page."""
    wanted = ContractBuild(
        definition=definition_of(database),
        sources=sources_at(database, "end", {}),
        pii_key=PII_KEY,
        bucket_datoms=bucket_datoms,
    )

    found = build(wanted, shared_store)

    for dataset in found.values():
        table = dataset.built.table
        for frame in dataset.frames:
            keys = frame.select(table.key)
            assert keys.equals(keys.sort(table.key))
            assert tuple(frame.columns) == table.columns
            assert frame["prototype"].n_unique() <= 1
        assert dataset.built.rows == len(dataset.frame)
    assert max(len(dataset.files) for dataset in found.values()) > len(wanted.sources)


@pytest.mark.parametrize("cut", ["night", "end", "yesterday", "today"])
@pytest.mark.parametrize("database", DATABASES)
def test_the_log_has_datomics_figures(cut: str, database: str, shared_store: FolderObjectStore) -> None:
    """Number of datoms, greatest t and number of current facts are what Datomic counted."""
    for source in sources_at(database, cut, {}):
        log, facts = strict_log(source, shared_store), facts_of(source, shared_store)

        assert {
            "datoms": len(log),
            "max_t": log["t"].max(),
            "current_datoms": facts["t_to"].null_count(),
        } == expected_counts(cut, source.instance.name)
