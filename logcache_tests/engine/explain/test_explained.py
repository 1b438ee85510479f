"""No false alarms: whatever happened in a real log between two runs, every difference has its true reason.

PAIRS=200 compares that many random pairs of cuts of the demo's log.
"""

import gzip
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import IDENT_REF, ContractTable, DatabaseDefinition
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS
from logcache_tests.engine.app import Change, define, log_of, sources_of
from logcache_tests.engine.app_logs import DEFINITION as APP
from logcache_tests.engine.app_logs import USERS, app_logs
from logcache_tests.engine.days import (
    Explaining,
    accused,
    cached_day,
    compare,
    compute_day,
    delta_of,
    faults_of,
    figures_between,
)
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.expected import EXPECTED, PII_KEY, expected_types
from logcache_tests.engine.generated import InventedLog, source_of
from logcache_tests.engine.log.test_law_of_the_real_log import ts_of
from logcache_tests.engine.world import (
    DATABASES,
    cut_off,
    definition_of,
    driver_in,
    open_store,
    segments_of,
    write_cache,
)

PAIRS = int(os.environ.get("PAIRS", "6"))

CUTS = ("old", "night", "yesterday", "today", "end")
CUT_PAIRS = [
    pytest.param(database, *pair, id=f"{database} from {pair[0]} to {pair[1]}")
    for database in DATABASES
    for pair in pairwise(CUTS)
    if any(cut_off(i, pair[0]) < cut_off(i, pair[1]) for i in definition_of(database).instances)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two cuts of every instance of a database, and how the log is read to compare them."""

    database: str
    before: Mapping[Instance, int]
    """Instances that are new today are missing here."""
    until: Mapping[Instance, int]
    cached_until: Mapping[Instance, int]
    bucket_datoms: int
    """Datoms per bucket of the caches; a small number gives many buckets."""
    reextracted: bool
    pii_key: bytes | None
    elsewhere: bool


def draw_pair(seed: int, store: FolderObjectStore) -> Pair:
    """A random pair; the three databases take turns."""
    rng, database = random.Random(seed), DATABASES[seed % len(DATABASES)]  # noqa: S311 - repeatable on purpose
    every = definition_of(database).instances
    instances = rng.sample(every, rng.choice([1, len(every)]))
    before, until, cached_until = dict[Instance, int](), dict[Instance, int](), dict[Instance, int]()
    new = rng.choice(instances) if len(instances) > 1 and rng.random() < 1 / 4 else None
    for instance in instances:
        ts = ts_of(instance, store)
        first, last = sorted(rng.randint(ts[0], ts[-1]) for _ in range(2))
        until[instance] = last
        if instance != new:
            before[instance] = first
        if instance != new and rng.random() < 1 / 2:
            cached_until[instance] = rng.choice([t for t in ts if t <= first])
    return Pair(
        database=database,
        before=before,
        until=until,
        cached_until=cached_until,
        bucket_datoms=rng.choice([BUCKET_DATOMS, 2_000]),
        reextracted=rng.random() < 1 / 2,
        pii_key=rng.choice([PII_KEY, PII_KEY, None]),
        elsewhere=rng.random() < 1 / 4,
    )


def definition_of_instances(database: str, instances: Iterable[Instance]) -> DatabaseDefinition:
    """The demo's definition for some prototypes."""
    return with_fields(definition_of(database), prototypes=tuple(instance.prototype for instance in instances))


def source_of_pair(pair: Pair, instance: Instance, number: int, store: FolderObjectStore) -> LogSource:
    """How today's log of an instance is read."""
    segments = segments_of(instance, reextracted=pair.reextracted)
    source = replace(source_of(*segments), until_t=pair.until[instance])
    if instance not in pair.cached_until:
        return source
    last_t = pair.cached_until[instance]
    return replace(
        source,
        cache=write_cache(source, store, folder=f"pair-{number}", last_t=last_t, bucket_datoms=pair.bucket_datoms),
    )


def reextracted_in(pair: Pair) -> frozenset[Instance]:
    """Instances with a segment of yesterday's log that was extracted again."""
    return frozenset(
        instance
        for instance, t in pair.before.items()
        if any(s.last_batch_t < t for s in set(segments_of(instance, reextracted=True)) - set(segments_of(instance)))
        and pair.reextracted
    )


@pytest.mark.parametrize("number", range(PAIRS))
def test_no_pair_of_cuts_gives_a_false_alarm(number: int, shared_store: FolderObjectStore) -> None:
    """Any two t, with or without cache, key of personal data, excision between them, or new prototype."""
    pair = draw_pair(number, shared_store)
    definition = definition_of_instances(pair.database, pair.until)
    former = definition_of_instances(pair.database, pair.before)
    before = [replace(source_of(*segments_of(i)), until_t=t) for i, t in pair.before.items()]
    sources = [source_of_pair(pair, instance, number, shared_store) for instance in definition.instances]
    driver = driver_in(shared_store)
    yesterday = compute_day(former, before, shared_store)
    today = compute_day(definition, sources, shared_store)

    explaining = Explaining(
        reextracted=reextracted_in(pair),
        pii_key=pair.pii_key,
        driver=ElsewhereDriver(driver.scratch) if pair.elsewhere else driver,
    )
    found = compare(yesterday, today, shared_store, explaining)

    assert found.keys() == today.tables.keys()
    assert list(faults_of(found)) == []


@pytest.mark.parametrize(("database", "one", "other"), CUT_PAIRS)
def test_days_of_the_demo_give_no_false_alarm(
    database: str, one: str, other: str, shared_store: FolderObjectStore
) -> None:
    """Each named cut-off of the demo is compared with the next."""
    found = figures_between(database, one, other, shared_store)

    assert list(faults_of(found)) == []
    assert sum(figures.differing for figures in found.values()) > 0


OTHER_WRITERS = [
    pytest.param(pl.Datetime("us", "UTC"), id="timestamps in microseconds"),
    pytest.param(pl.Datetime("ns", "America/Sao_Paulo"), id="timestamps of another zone"),
    pytest.param(pl.Decimal(25, 9), id="decimals of fewer digits"),
    pytest.param(pl.Decimal(38, 18), id="decimals of Spark's own scale"),
]


@pytest.mark.parametrize("dtype", OTHER_WRITERS)
def test_types_of_another_writer_give_no_false_alarm(dtype: pl.DataType, shared_store: FolderObjectStore) -> None:
    """Itaipu may use other column types for the same values."""
    name = "contract-double-entry/entries"
    yesterday, today = (cached_day("double-entry", cut, shared_store).only(name) for cut in ("yesterday", "today"))
    column = pl.col("entry__amount" if isinstance(dtype, pl.Decimal) else "entry__post_date").cast(dtype)
    one, other = (day.showing({name: day.frame(name).with_columns(column)}, shared_store) for day in (yesterday, today))

    found = compare(one, other, shared_store)

    assert list(faults_of(found)) == []
    assert found[name].reasons == figures_between("double-entry", "yesterday", "today", shared_store)[name].reasons


def test_a_reason_is_a_cause_that_reaches_what_differs(shared_store: FolderObjectStore) -> None:
    """A renamed ident in a row does not explain the row's amount, which is a new column."""
    name, today = "contract-feed/transactions", cached_day("feed", "today", shared_store)
    entities = tuple(
        with_fields(e, attributes=tuple(a for a in e.attributes if a.attribute != "transaction/amount"))
        for e in today.definition.entities
    )
    former = with_fields(today.definition, entities=entities)
    yesterday = compute_day(former, cached_day("feed", "yesterday", shared_store).sources, shared_store)

    found = compare(yesterday, today, shared_store)

    before = figures_between("feed", "yesterday", "today", shared_store)[name].reasons
    assert found[name].reasons["renamed-ident"] == before["renamed-ident"]
    assert sum(found[name].reasons.values()) == today.frame(name).height
    assert found[name].reasons.keys() == {"new-transaction", "renamed-ident", "definition-changed"}
    assert list(faults_of(found)) == []


@given(log=app_logs(), data=st.data())
@settings(max_examples=5)
def test_no_invented_log_gives_a_false_alarm(log: InventedLog, data: st.DataObject) -> None:
    """Moving keys, changed names and cardinalities, odd values and an excision are all explained."""
    ends = sorted(data.draw(st.sampled_from(log.ts[1:]), label=day) for day in ("one day", "another"))
    cut = data.draw(st.none() | st.sampled_from([t for t in log.ts if t <= ends[0]]), label="cached until")
    excised = data.draw(st.none() | st.sampled_from(USERS), label="excised")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        before = [replace(source, until_t=ends[0]) for source in sources_of(APP, store, [log.datoms])]
        yesterday = compute_day(APP, before, store)
        left = [datom for datom in log.datoms if datom[0] != excised]
        (source,) = (replace(source, until_t=ends[1]) for source in sources_of(APP, store, [left]))
        cache = write_cache(source, store, folder="cache", last_t=cut, bucket_datoms=40) if cut else None
        today = compute_day(APP, [replace(source, cache=cache)], store)
        explaining = Explaining(reextracted=frozenset(APP.instances) if excised else frozenset())

        found = compare(yesterday, today, store, explaining)

    assert all(figures.prototypes is not None for figures in found.values())
    assert [fault for figures in found.values() for fault in accused(figures)] == []


FIRST, SECOND = USERS[:2]
"""Two entities that are in different buckets."""
KEYS_THAT_WANDER: dict[str, list[Change]] = {
    "to another entity": [(FIRST, "user/id", "a", 1002, False), (SECOND, "user/id", "a", 1003, True)],
    "both ways in one tx": [
        (FIRST, "user/id", "b", 1002, True),
        (FIRST, "user/id", "a", 1002, False),
        (SECOND, "user/id", "a", 1002, True),
        (SECOND, "user/id", "b", 1002, False),
    ],
    "to one that has it, and back": [
        (FIRST, "user/id", "b", 1002, True),
        (FIRST, "user/id", "a", 1002, False),
        (FIRST, "user/id", "a", 1003, True),
        (FIRST, "user/id", "b", 1003, False),
    ],
}
"""Changes after t 1001, when the first entity has key `a` and the second `b`."""


@pytest.mark.parametrize(
    "bucket_datoms", [pytest.param(BUCKET_DATOMS, id="in one bucket"), pytest.param(40, id="in several buckets")]
)
@pytest.mark.parametrize("changes", [pytest.param(value, id=name) for name, value in KEYS_THAT_WANDER.items()])
def test_a_key_that_wanders_gives_no_false_alarm(
    bucket_datoms: int, changes: list[Change], store: FolderObjectStore
) -> None:
    """A row belongs to the entity that has its key now, whichever had it before."""
    named = [(e, "user/name", f"name of {e}", 1001, True) for e in USERS]
    keyed = [(e, "user/id", key, 1001, True) for e, key in zip(USERS, "abc", strict=True)]
    definition = define({"attribute": "user/name", "history": True})
    (whole,) = sources_of(definition, store, [log_of(*keyed, *named, *changes)])
    source = replace(whole, until_t=changes[-1][3])
    yesterday, today = (compute_day(definition, [replace(source, until_t=t)], store) for t in (1001, changes[-1][3]))
    cache = write_cache(source, store, folder="cache", last_t=1001, bucket_datoms=bucket_datoms)

    found = compare(yesterday, replace(today, sources=(replace(source, cache=cache),)), store)

    assert list(faults_of(found)) == []


Row = dict[str, object]
Key = tuple[str, ...]


@cache
def datomics_rows(dataset: str, cut: str) -> dict[Key, Row]:
    """Key → row of a contract in Datomic's answer; decimals without trailing zeros."""
    types = expected_types(cut)[dataset]
    key = [name for name in types if name in {next(iter(types)), "prototype", "db__t"}]
    with gzip.open(EXPECTED / cut / f"{dataset}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        for name, kind in types.items():
            if kind and "decimal" in kind and isinstance(row[name], str) and "." in row[name]:
                row[name] = row[name].rstrip("0").rstrip(".")
    return {tuple(row[name] for name in key): row for row in rows}


def true_reasons(table: ContractTable, one: str, other: str, store: FolderObjectStore) -> Counter[tuple[str, str]]:
    """(prototype, reason) → number of differing rows, from Datomic's rows and the segments."""
    before, after = datomics_rows(table.dataset, one), datomics_rows(table.dataset, other)
    differing = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    return Counter(
        (key[1], true_reason(table, key, before.get(key), after.get(key), (one, other), store)) for key in differing
    )


def true_reason(  # noqa: PLR0917 - a row is what both days say of a key
    table: ContractTable,
    key: Key,
    before: Row | None,
    after: Row | None,
    cuts: tuple[str, str],
    store: FolderObjectStore,
) -> str:
    """The reason of a row: its own tx, else a tx of an entity it shows, else a name, else the excision."""
    instance = parse_instance(f"{table.dataset.split('/')[0].removeprefix('contract-')}-{key[1]}")
    delta = delta_of(instance, *cuts, store)
    if table.kind.rows_have_t:
        is_new = int(key[2]) > cut_off(instance, cuts[0])
        return "new-transaction" if is_new else OTHERWISE[cuts[1]]
    entities = delta.holders.get((table.entity.primary_key, key[0]), set())
    if entities & delta.touched:
        return "new-transaction"
    changed = [a for a in table.attributes if before and after and before[a.column] != after[a.column]]
    refs = [a.attribute for a in changed if a.ref and a.ref != IDENT_REF]
    shown = {target for e in entities for name in refs for target in delta.values.get((e, name), ())}
    return "referred-entity" if shown & delta.touched else OTHERWISE[cuts[1]]


OTHERWISE = {"today": "renamed-ident", "today-excised": "excised"}
"""The reason of untouched rows by dataset: the demo renames no ident of customers, and excises nobody else."""

DATOMICS_PAIRS = [
    *((database, "yesterday", "today") for database in DATABASES),
    ("customers", "yesterday", "today-excised"),
    ("customers", "today", "today-excised"),
]


@pytest.mark.parametrize(("database", "one", "other"), DATOMICS_PAIRS)
def test_reasons_are_those_of_datomics_rows_and_the_segments(
    database: str, one: str, other: str, shared_store: FolderObjectStore
) -> None:
    """Reasons equal those found row by row, by prototype, in Datomic's answers and the segments."""
    found = figures_between(database, one, other, shared_store)

    reasons = {
        dataset: Counter({(p, r): rows for p, f in (c.prototypes or {}).items() for r, rows in f.reasons.items()})
        for dataset, c in found.items()
    }
    tables = [cached_day(database, other, shared_store).table(dataset) for dataset in found]
    assert reasons == {t.dataset: true_reasons(t, one, other, shared_store) for t in tables}
    assert list(faults_of(found)) == []
