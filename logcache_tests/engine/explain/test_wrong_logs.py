"""Damaged logs behind today's tables: a wrong reader, a damaged cache, a lost or doubled datom.

Exactly the rows that became wrong are at fault. test_accidents.py damages the tables themselves.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import FAULTS
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.compare.same_t import compare_same_t
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_tests.engine.app import SCHEMA_T, A, B, define, log_of, sources_of
from logcache_tests.engine.app_logs import DEFINITION as APP
from logcache_tests.engine.app_logs import USERS, app_logs
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.days import (
    IDENT,
    TOKEN_KEY,
    Accused,
    Day,
    accused,
    compare,
    compute_day,
    datoms_of,
    differing_keys,
    faults_of,
    refuse_other_warnings,
    rewritten,
)
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.explain.test_wrong_readers import reads_a_segment_twice, reads_the_last_t_again
from logcache_tests.engine.law import Reader, answers_by, sound_reader
from logcache_tests.engine.world import (
    FEED_S0,
    cut_off,
    definition_of,
    driver_in,
    open_store,
    segments_of,
    source_at,
    write_cache,
)

TRANSACTIONS, SNAPSHOT = "contract-feed/transactions", "contract-feed/transactions-snapshot"
TAGS = "contract-feed/transaction-tags-history"

FEED = with_fields(definition_of("feed"), prototypes=("s0",))
Y = cut_off(FEED_S0, "yesterday")
Found = dict[str, list[Accused]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Correct contracts of both days of one instance, and its datoms."""

    yesterday: Day
    today: Day
    datoms: Mapping[Segment, Sequence[Datom]]
    touched: frozenset[int]
    """Entities with a datom after yesterday's t."""
    store: FolderObjectStore

    def datoms_of(self, attribute: str) -> list[Datom]:
        """All datoms of an attribute, by t."""
        every = [datom for own in self.datoms.values() for datom in own]
        (a,) = (e for e, a, v, _, _ in every if (a, v) == (IDENT, f":{attribute}"))
        return sorted((datom for datom in every if datom[1] == a), key=lambda datom: datom[3])

    def only_values(self, attribute: str) -> list[Datom]:
        """Datoms that are the only ones of their entity and attribute."""
        own = self.datoms_of(attribute)
        count = Counter(e for e, *_ in own)
        return [datom for datom in own if count[datom[0]] == 1]

    def with_other(self, changes: Mapping[Datom, Sequence[Datom]]) -> LogSource:
        """A source in which datoms are replaced by others."""
        (source,) = self.today.sources
        for segment, own in self.datoms.items():
            if changes.keys() & set(own):
                other = [given for datom in own for given in changes.get(datom, (datom,))]
                source = rewritten(source, segment, other, self.store)
        return source

    def found_in(self, wrong: LogSource, *, explained_by: LogSource | None = None) -> Found:
        """Compute today's tables from a wrong log, and compare them by another one.

        Checks that as many rows are at fault as differ from the correct tables, in every contract.
        """
        day = compute_day(FEED, [wrong], self.store)
        sources = (explained_by,) if explained_by else self.today.sources
        found = compare(self.yesterday, replace(day, sources=sources), self.store)
        for name, figures in found.items():
            wrong_keys = differing_keys(self.today.frame(name), day.frame(name), self.today.table(name).key)
            assert sum(fault.rows for fault in accused(figures)) == len(wrong_keys) or explained_by, name
        return {name: faults for name, figures in found.items() if (faults := accused(figures))}


@pytest.fixture(scope="module")
def sound(shared_store: FolderObjectStore) -> Sound:
    """Only feed-s0."""
    yesterday, today = (compute_day(FEED, [source_at(FEED_S0, c)], shared_store) for c in ("yesterday", "today"))
    datoms = {s: datoms_of(s, shared_store) for s in segments_of(FEED_S0) if s.last_t <= cut_off(FEED_S0, "today")}
    touched = frozenset(e for own in datoms.values() for e, _, _, t, _ in own if t > Y)
    return Sound(yesterday=yesterday, today=today, datoms=datoms, touched=touched, store=shared_store)


def test_segments_that_are_written_again_accuse_nobody(sound: Sound) -> None:
    """Writing the same datoms again gives no faults, so faults below are due to the datoms."""
    datom = sound.only_values("transaction/amount")[-1]

    assert sound.found_in(sound.with_other({datom: (datom,)})) == {}


def test_a_datom_that_is_not_read_is_missed(sound: Sound) -> None:
    """The cell still shows yesterday's null, and the snapshot row is missing."""
    old = {e for e, _, _, t, _ in sound.datoms_of("transaction/id") if t <= Y}
    datom = next(d for d in sound.only_values("transaction/attempts") if d[3] > Y and d[0] in old)

    found = sound.found_in(sound.with_other({datom: ()}))

    cells = [(f.reason, f.columns, f.rows) for f in found.pop(TRANSACTIONS)]
    assert cells == [("missed", ("transaction__attempts",), 1)]
    assert Accused("missed", "row missing", "s0", (), 1) in found.pop(SNAPSHOT)
    assert found == {}


def test_half_an_update_is_unexplained(sound: Sound) -> None:
    """Without the assertion the cell is null, a value that it never had."""
    statuses = [d for d in sound.datoms_of("transaction/status") if d[0] in sound.touched]
    last = {e: (e, a, v, t, added) for e, a, v, t, added in statuses if added}
    retracted = {(e, t) for e, _, _, t, added in statuses if not added}
    datom = next(d for e, d in last.items() if d[3] > Y and (e, d[3]) in retracted)

    found = sound.found_in(sound.with_other({datom: ()}))

    assert found[TRANSACTIONS] == [Accused("unexplained", "value to null", "s0", ("transaction__status",), 1)]
    assert found.keys() == {TRANSACTIONS, SNAPSHOT, "contract-feed/transaction-status-history"}


def test_a_datom_lost_before_yesterday_is_unexplained(sound: Sound) -> None:
    """No newer datom touches its entity, as when a damaged cache loses one."""
    datom = next(d for d in sound.only_values("transaction/amount") if d[3] <= Y and d[0] not in sound.touched)

    found = sound.found_in(sound.with_other({datom: ()}))

    assert found[TRANSACTIONS] == [Accused("unexplained", "value to null", "s0", ("transaction__amount",), 1)]
    assert {fault.reason for fault in found[SNAPSHOT]} == {"unexplained"}
    assert found.keys() == {TRANSACTIONS, SNAPSHOT}


def test_a_datom_of_another_entity_is_accused_on_both(sound: Sound) -> None:
    """One entity lacks the value, and the other has it without a cause."""
    old = [e for e, _, _, t, _ in sound.datoms_of("transaction/id") if t <= Y]
    held = {e for e, *_ in sound.datoms_of("transaction/attempts")}
    e, a, v, t, added = next(d for d in sound.only_values("transaction/attempts") if d[3] > Y and d[0] in old)
    other = next(e for e in old if e not in sound.touched | held)

    found = sound.found_in(sound.with_other({(e, a, v, t, added): ((other, a, v, t, added),)}))

    cells = [(f.reason, f.columns, f.rows) for f in found[TRANSACTIONS]]
    assert sorted(cells) == [
        ("missed", ("transaction__attempts",), 1),
        ("unexplained", ("transaction__attempts",), 1),
    ]


def test_a_reader_without_the_newest_segment_only_misses(sound: Sound) -> None:
    """Without the newest segment, its rows are missed in every table."""
    (source,) = sound.today.sources
    before = sorted(s.last_t for s in sound.datoms)[-2]

    found = sound.found_in(replace(source, until_t=before))

    assert {fault.reason for faults in found.values() for fault in faults} == {"missed"}
    assert {TRANSACTIONS, SNAPSHOT, TAGS} < found.keys()


@pytest.fixture(scope="module")
def damaged(sound: Sound) -> LogSource:
    """A source whose cache lost two amounts, one of a transaction that newer datoms touch."""
    amounts = [d for d in sound.only_values("transaction/amount") if d[3] <= Y]
    lost = [next(d for d in amounts if (d[0] in sound.touched) == touched) for touched in (True, False)]
    broken = sound.with_other(dict.fromkeys(lost, ()))
    (source,) = sound.today.sources
    return replace(source, cache=write_cache(broken, sound.store, folder="damaged", last_t=Y))


def test_a_damaged_cache_is_accused_by_the_segments(sound: Sound, damaged: LogSource) -> None:
    """The two lost datoms give two faulty transactions."""
    found = sound.found_in(damaged)

    assert sum(fault.rows for fault in found[TRANSACTIONS]) == 2
    assert {fault.reason for faults in found.values() for fault in faults} == {"unexplained"}


def test_a_damaged_cache_that_explains_itself_hides_what_was_touched(sound: Sound, damaged: LogSource) -> None:
    """A limit: the touched transaction is not found; recomputing yesterday's contract finds it."""
    found = sound.found_in(damaged, explained_by=damaged)
    at_yesterday = ContractBuild(
        definition=FEED, sources=(replace(damaged, until_t=Y),), pii_key=PII_KEY, policy=CachePolicy.STRICT
    )
    runtime = Runtime(store=sound.store, driver=driver_in(sound.store), warn=refuse_other_warnings)
    again = compare_same_t(at_yesterday, sound.yesterday.tables, token_key=TOKEN_KEY, runtime=runtime)

    assert sum(fault.rows for fault in found[TRANSACTIONS]) == 1
    assert (again[TRANSACTIONS].differing, again[TRANSACTIONS].columns) == (2, ("transaction__amount",))


@pytest.mark.parametrize("reader", [reads_the_last_t_again, reads_a_segment_twice])
def test_datoms_that_are_read_twice_change_no_table(reader: Reader, sound: Sound) -> None:
    """A limit: `>=` for `>` at the cache's end shows only in the log's duplicate datoms (C19), not in contracts."""
    (source,) = sound.today.sources
    cached = replace(source, cache=write_cache(source, sound.store, folder="sound", last_t=Y))

    found, right = (answers_by(r, FEED, cached, sound.store) for r in (reader, sound_reader))

    assert found.contracts == right.contracts
    assert found.datoms > right.datoms


def test_a_row_that_should_have_gone_is_missed(store: FolderObjectStore) -> None:
    """An entity lost its key since yesterday, but today's table still has its row."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (B, "user/id", "b", 1001, True),
        (A, "user/name", "Eva", 1001, True),
        (A, "user/id", "a", 1002, False),
    )
    definition, users = define({"attribute": "user/name"}), "contract-app/users"
    (source,) = sources_of(definition, store, [log])
    yesterday, today = (compute_day(definition, [replace(source, until_t=t)], store) for t in (1001, 1002))

    found = compare(yesterday, today.showing({users: yesterday.frame(users)}, store), store)

    assert accused(found[users]) == [Accused("missed", "not changed", "s0", (), 1)]
    assert list(faults_of(compare(yesterday, today, store))) == []


@st.composite
def wrong_logs(draw: st.DrawFn) -> tuple[list[Datom], int, list[Datom]]:
    """A log, yesterday's t, and a wrong log: without a datom, with one elsewhere, or cut off."""
    log = draw(app_logs())
    datom = draw(st.sampled_from([d for d in log.datoms if d[1] != TX_INSTANT and d[3] > SCHEMA_T]))
    moved = (draw(st.sampled_from(USERS)), *datom[1:])
    end, yesterdays_t = draw(st.sampled_from(log.ts[1:])), draw(st.sampled_from(log.ts[1:]))
    wrong = draw(
        st.sampled_from(
            [
                [d for d in log.datoms if d is not datom],
                [d if d is not datom else moved for d in log.datoms],
                [d for d in log.datoms if d[3] <= end],
            ]
        )
    )
    return log.datoms, yesterdays_t, wrong


@given(wrong_logs())
@settings(max_examples=5)
def test_whatever_is_wrong_with_a_log_the_wrong_rows_are_accused(case: tuple[list[Datom], int, list[Datom]]) -> None:
    """Exactly the wrong rows are at fault; with duplicate keys, the table is."""
    log, yesterdays_t, wrong = case
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        other = compute_day(APP, sources_of(APP, store, [wrong]), store)
        (source,) = (replace(s, until_t=log[-1][3]) for s in sources_of(APP, store, [log]))
        yesterday, today = (compute_day(APP, [replace(source, until_t=t)], store) for t in (yesterdays_t, log[-1][3]))

        found = compare(yesterday, replace(other, sources=today.sources), store)

        for name, figures in found.items():
            right, shown, key = today.frame(name), other.frame(name), today.table(name).key
            if figures.prototypes is None:
                assert any(day.frame(name).select(key).is_duplicated().any() for day in (yesterday, other))
            elif right.schema == shown.schema and right.select(key).is_unique().all():
                faults = sum(rows for reason, rows in figures.reasons.items() if reason in FAULTS)
                assert faults == len(differing_keys(right, shown, key)), name
