"""In several buckets, a task reads what its own bucket refers to, and no more."""

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.contracts.column_timelines import InstanceContext, Shown
from logcache_assets.engine.contracts.columns import agree_columns
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.contracts.referral_tasks import find_refs, with_referred
from logcache_assets.engine.contracts.referred import Behind
from logcache_assets.engine.drivers.driver import LocalDriver
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.datoms import DatomsInMemory
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import DATOM_COLUMNS, END
from logcache_tests.engine.app import Change, define, log_of, sources_of
from logcache_tests.engine.builds import build
from logcache_tests.engine.world import driver_in, refuse_warning

USERS, REFERRING = 40, 20
FIRST = 17592186044418
BUCKETS = 4
DEFINITION = define({"attribute": "user/friend", "ref": "user/name"}, {"attribute": "user/name"})
TABLES = contract_tables(DEFINITION)
FRIEND_ID = 75


def friends() -> list[Change]:
    """Each of the first twenty users has one friend, then another; nobody refers to the other twenty users."""
    changes: list[Change] = []
    for n in range(USERS):
        changes += [(FIRST + n, "user/id", f"u{n}", 1001, True), (FIRST + n, "user/name", f"n{n}", 1002, True)]
    for n in range(REFERRING):
        first, second = str(FIRST + (n + 1) % REFERRING), str(FIRST + REFERRING - 1 - n)
        changes += [(FIRST + n, "user/friend", first, 1003, True), (FIRST + n, "user/friend", first, 1004, False)]
        changes += [(FIRST + n, "user/friend", second, 1004, True)]
    return changes


DATOMS = pl.DataFrame(log_of(*friends()), schema=DATOM_COLUMNS, orient="row")


def reader_of(store: FolderObjectStore, *, buckets: int, after_t: int = 0) -> InstanceReader:
    """A reader of that log."""
    (instance,) = DEFINITION.instances
    facts = InstanceFacts(instance=instance, cached=None, datoms=DatomsInMemory([DATOMS]), buckets=buckets, store=store)
    context = InstanceContext(instance=instance, schema=facts.read_schema(), pii_key=b"key")
    return InstanceReader(facts, context, after_t=after_t)


def names_behind(reader: InstanceReader, bucket: Bucket) -> pl.DataFrame:
    """What the reader gives a bucket for the column of friends."""
    columns = agree_columns(DEFINITION, {reader.facts.instance: reader.context.schema}, refuse_warning)
    (column,) = (column for attribute, column in columns.items() if attribute.ref)
    return reader.targets(column, bucket).timeline


def scratch_files(driver: LocalDriver) -> list[str]:
    """What lies in the driver's scratch folder."""
    return [item.uri for item in driver.scratch.store.list_objects(f"{driver.scratch.uri}/")]


@pytest.mark.parametrize("after_t", [0, END], ids=["all kinds", "entities alone"])
def test_a_bucket_gets_what_it_refers_to(after_t: int, store: FolderObjectStore) -> None:
    """Those entities alone, wherever they lie, with all that the whole instance shows of them."""
    plain = reader_of(store, buckets=BUCKETS, after_t=after_t)
    everything = names_behind(plain, Bucket(0, 1))
    refs = DATOMS.filter(pl.col("a") == FRIEND_ID, "added", pl.col("t") >= (1004 if after_t else 0))

    (reader,) = with_referred([plain], find_refs(TABLES), driver_in(store))

    for bucket in plain.facts.all_buckets():
        referred = bucket.select(refs)["v"].cast(pl.Int64).unique()
        assert 0 < len(referred) < REFERRING
        assert names_behind(reader, bucket).equals(everything.filter(pl.col("e").is_in(referred.implode())))


def test_a_ref_that_no_entity_can_have_leads_to_nothing(store: FolderObjectStore) -> None:
    """As in one bucket; entity ids are positive."""
    log = log_of(
        *friends(), (FIRST + USERS, "user/friend", "-5", 1005, True), (FIRST, "user/friends", "-6", 1005, True)
    )
    definition = define(
        {"attribute": "user/friend", "ref": "user/name"}, {"attribute": "user/friends", "ref": "user/name"}
    )
    (source,) = sources_of(definition, store, [log])
    whole, split = (
        build(ContractBuild(definition=definition, sources=(source,), pii_key=b"k", bucket_datoms=datoms), store)
        for datoms in (4_000_000, 20)
    )

    for name, dataset in whole.items():
        assert len(split[name].files) > 1
        assert sorted(split[name].frame.rows(), key=repr) == sorted(dataset.frame.rows(), key=repr)


def test_an_instance_of_one_bucket_needs_no_files(store: FolderObjectStore) -> None:
    """Its only task reads what it refers to itself."""
    driver, plain = driver_in(store), reader_of(store, buckets=1)

    (reader,) = with_referred([plain], find_refs(TABLES), driver)

    assert reader is plain
    assert scratch_files(driver) == []


def test_contracts_without_refs_need_no_files(store: FolderObjectStore) -> None:
    """However many buckets there are."""
    driver, plain = driver_in(store), reader_of(store, buckets=BUCKETS)
    refs = find_refs(contract_tables(define({"attribute": "user/friend", "ref": "db/ident"})))

    (reader,) = with_referred([plain], refs, driver)

    assert (refs, reader) == ({}, plain)
    assert scratch_files(driver) == []


def test_attributes_behind_refs_are_read_once(store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once per bucket; a task of a contract reads files."""
    asked: list[tuple[str, Bucket]] = []
    read_behind = InstanceReader.read_behind

    def noted(reader: InstanceReader, behind: Behind, bucket: Bucket) -> Shown:
        asked.append((behind[0], bucket))
        return read_behind(reader, behind, bucket)

    monkeypatch.setattr(InstanceReader, "read_behind", noted)
    plain = reader_of(store, buckets=BUCKETS)

    (reader,) = with_referred([plain], find_refs(TABLES), driver_in(store))
    for bucket in plain.facts.all_buckets():
        names_behind(reader, bucket)

    assert sorted(asked) == [("user/name", bucket) for bucket in plain.facts.all_buckets()]
