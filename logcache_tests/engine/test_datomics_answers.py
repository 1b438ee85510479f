"""The engine's contracts of a real Datomic log are what that Datomic answered, cell for cell."""

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from logcache_assets.domain.definitions import contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.engine.contracts import compute_contracts
from logcache_assets.engine.parquet import parquet_bytes
from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_tests.engine.expected import PII_KEY, expected_counts, find_differences
from logcache_tests.engine.world import (
    DATABASES,
    definition_of,
    facts_at,
    refuse_warning,
    source_at,
    strict_log,
    write_cache,
)

CUTS = [
    *((cut, database) for cut in ("night", "end", "yesterday", "today") for database in DATABASES),
    ("today-excised", "customers"),
]


Caches = Callable[[str], Mapping[Instance, MapEntry]]


@pytest.fixture(scope="module", params=["segments alone", "a cache at old"])
def caches(request: pytest.FixtureRequest, shared_store: LocalObjectStore) -> Caches:
    """The caches to read a cut-off with: none, or those at `old`, written once."""

    @cache
    def at_old(*, reextracted: bool) -> dict[Instance, MapEntry]:
        instances = [i for database in DATABASES for i in definition_of(database).instances]
        folder = "caches-excised" if reextracted else "caches"
        sources = [source_at(i, "old", reextracted=reextracted) for i in instances]
        return {s.instance: write_cache(s, shared_store, folder=folder, last_t=s.until_t or 0) for s in sources}

    if request.param == "segments alone":
        return lambda _: {}
    return lambda cut: at_old(reextracted=cut.endswith("-excised"))


@pytest.mark.parametrize(("cut", "database"), CUTS)
def test_every_contract_equals_datomics_answer(
    cut: str, database: str, caches: Caches, shared_store: LocalObjectStore
) -> None:
    """Every row, cell and type of all kinds, personal data hashed, with and without a cache."""
    definition = definition_of(database)
    facts = facts_at(database, cut, shared_store, caches(cut))

    contracts = list(compute_contracts(definition, facts, pii_key=PII_KEY, warn=refuse_warning))

    assert [c.table for c in contracts] == list(contract_tables(definition))
    assert [d for c in contracts for d in find_differences(c.table, parquet_bytes(c.frame), cut)] == []


@pytest.mark.parametrize("database", DATABASES)
def test_rows_are_sorted_by_the_key(database: str, shared_store: LocalObjectStore) -> None:
    """Readers merge and page contracts by their key."""
    facts = facts_at(database, "end", shared_store)

    for contract in compute_contracts(definition_of(database), facts, pii_key=PII_KEY, warn=refuse_warning):
        keys = contract.frame.select(contract.table.key)

        assert keys.equals(keys.sort(contract.table.key))
        assert tuple(contract.frame.columns) == contract.table.columns


@pytest.mark.parametrize("cut", ["night", "end", "yesterday", "today"])
@pytest.mark.parametrize("database", DATABASES)
def test_the_log_has_datomics_figures(cut: str, database: str, shared_store: LocalObjectStore) -> None:
    """As many datoms, the same greatest t and as many current facts as Datomic counted."""
    facts = facts_at(database, cut, shared_store)

    for instance, found in facts.items():
        log = strict_log(source_at(instance, cut), shared_store)

        assert {
            "datoms": len(log),
            "max_t": log["t"].max(),
            "current_datoms": found["t_to"].null_count(),
        } == expected_counts(cut, instance.name)
