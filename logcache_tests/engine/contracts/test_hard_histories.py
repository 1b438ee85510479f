"""Hard cases of keys, txes and references, with answers written by hand; hard_cases.py lists all.

Every contract is computed from the segments alone and with a cache at every t.
"""

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_tests.engine.app import (
    ATTRIBUTES,
    NAME,
    A,
    B,
    cells,
    compute_every_way,
    define,
    log_of,
)
from logcache_tests.engine.avro import TX_BASE, instant_ms, instant_text

FAR = 2305864999446250524
FRIEND = {"attribute": "user/friend", "ref": "user/id", "history": True}
HISTORY = ("user__id", "db__t")


def test_an_update_comes_as_assertion_first(store: FolderObjectStore) -> None:
    """The retraction that follows does not remove the new value, in any order of entities."""
    log = log_of(
        (B, "user/id", "b", 1001, True),
        (A, "user/id", "a", 1001, True),
        (B, "user/name", "Ben", 1001, True),
        (A, "user/name", "Ana", 1002, True),
        (A, "user/name", "Eva", 1003, True),
        (B, "user/name", "Bob", 1003, True),
        (A, "user/name", "Ana", 1003, False),
        (B, "user/name", "Ben", 1003, False),
    )

    found = compute_every_way(define(NAME), store, log)

    assert cells(found["user-name-history"], *HISTORY, "user__name") == [
        ("a", 1002, "Ana"),
        ("a", 1003, "Eva"),
        ("b", 1001, "Ben"),
        ("b", 1003, "Bob"),
    ]


def test_a_changed_key_is_the_key_from_then_on(store: FolderObjectStore) -> None:
    """Earlier rows keep the key of their t."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "Ana", 1002, True),
        (A, "user/id", "z", 1003, True),
        (A, "user/id", "a", 1003, False),
        (A, "user/name", "Ana", 1004, False),
    )

    found = compute_every_way(define(NAME), store, log)

    assert cells(found["user-name-history"], *HISTORY, "user__name") == [("a", 1002, "Ana"), ("z", 1004, None)]
    assert cells(found["users-snapshot"], *HISTORY) == [("a", 1001), ("a", 1002), ("z", 1003), ("z", 1004)]
    assert cells(found["users"], "user__id") == [("z",)]


def test_a_key_that_was_retracted_and_given_back(store: FolderObjectStore) -> None:
    """Meanwhile the history continues with the last key, and the snapshot has a gap."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/id", "a", 1002, False),
        (A, "user/name", "Ana", 1003, True),
        (A, "user/id", "a", 1004, True),
    )

    found = compute_every_way(define(NAME), store, log)

    assert cells(found["user-name-history"], *HISTORY) == [("a", 1003)]
    assert cells(found["users-snapshot"], *HISTORY, "user__name") == [("a", 1001, None), ("a", 1004, "Ana")]


def test_a_key_that_moved_in_one_tx(store: FolderObjectStore) -> None:
    """A key that moves between entities may have two history rows at one t."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "Ana", 1001, True),
        (B, "user/id", "a", 1002, True),
        (A, "user/id", "a", 1002, False),
        (B, "user/name", "Bea", 1003, True),
        (A, "user/name", "Ana", 1003, False),
    )

    found = compute_every_way(define(NAME), store, log)

    assert sorted(cells(found["user-name-history"], *HISTORY, "user__name"), key=repr) == [
        ("a", 1001, "Ana"),
        ("a", 1003, "Bea"),
        ("a", 1003, None),
    ]
    assert cells(found["users-snapshot"], *HISTORY, "user__name") == [
        ("a", 1001, "Ana"),
        ("a", 1002, None),
        ("a", 1003, "Bea"),
    ]
    assert cells(found["users"], "user__id", "user__name") == [("a", "Bea")]


def test_keys_swapped_in_one_tx(store: FolderObjectStore) -> None:
    """Each row has the key that its entity has at its t; refs follow the key."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "Ana", 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/friend", str(A), 1001, True),
        (A, "user/id", "b", 1002, True),
        (A, "user/id", "a", 1002, False),
        (B, "user/id", "a", 1002, True),
        (B, "user/id", "b", 1002, False),
    )

    found = compute_every_way(define(NAME, FRIEND), store, log)

    assert cells(found["users"], "user__id", "user__name", "user__friend") == [("a", None, "b"), ("b", "Ana", None)]
    assert cells(found["users-snapshot"], *HISTORY, "user__name", "user__friend") == [
        ("a", 1001, "Ana", None),
        ("a", 1002, None, "b"),
        ("b", 1001, None, "a"),
        ("b", 1002, "Ana", None),
    ]


def test_a_retracted_entity_takes_the_references_to_it_along(store: FolderObjectStore) -> None:
    """`retractEntity` retracts its values, its components' values and every ref to it, at one t."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "Ana", 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/friend", str(A), 1001, True),
        (A, "user/id", "a", 1002, False),
        (A, "user/name", "Ana", 1002, False),
        (B, "user/friend", str(A), 1002, False),
    )

    found = compute_every_way(define(NAME, FRIEND), store, log)

    assert cells(found["user-name-history"], *HISTORY, "user__name") == [("a", 1001, "Ana"), ("a", 1002, None)]
    assert cells(found["user-friend-history"], *HISTORY, "user__friend") == [("b", 1001, "a"), ("b", 1002, None)]
    assert cells(found["users-snapshot"], *HISTORY) == [("a", 1001), ("b", 1001), ("b", 1002)]
    assert cells(found["users"], "user__id", "user__friend") == [("b", None)]


@pytest.mark.parametrize(
    ("referred", "shown"),
    [
        pytest.param("99999", None, id="to nothing"),
        pytest.param(str(A), "a", id="to itself"),
        pytest.param(str(TX_BASE + 1001), "tx", id="to a tx"),
        pytest.param("10", None, id="to a bootstrap entity"),
        pytest.param(str(FAR), "far", id="to the greatest id"),
    ],
)
def test_a_ref_leads_anywhere(referred: str, shown: str | None, store: FolderObjectStore) -> None:
    """A ref may lead to an entity of another kind."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (TX_BASE + 1001, "user/id", "tx", 1001, True),
        (FAR, "user/id", "far", 1001, True),
        (A, "user/friend", referred, 1002, True),
    )

    found = compute_every_way(define(FRIEND), store, log)

    assert cells(found["user-friend-history"], *HISTORY, "user__friend") == [("a", 1002, shown)]


def test_a_tx_is_an_entity_and_an_older_one_may_get_datoms(store: FolderObjectStore) -> None:
    """The t of a row is that of the datom, `db__txInstant` that of the tx that the row is about."""
    tx = TX_BASE + 1001
    log = log_of(
        (A, "user/age", "1", 1001, True),
        (tx, "user/id", "tx", 1003, True),
        (tx, "user/name", "audited", 1004, True),
    )

    found = compute_every_way(define(NAME, {"attribute": "db/txInstant", "history": True}), store, log)

    assert cells(found["user-name-history"], *HISTORY, "db__tx_instant") == [("tx", 1004, instant_ms(1004))]
    assert cells(found["users"], "user__id", "db__txInstant") == [("tx", instant_ms(1001))]
    assert found["db-txInstant-history"] == []
    assert cells(found["users-snapshot"], *HISTORY, "db__tx_instant", "db__txInstant") == [
        ("tx", 1003, instant_ms(1003), instant_ms(1001)),
        ("tx", 1004, instant_ms(1004), instant_ms(1001)),
    ]


def test_several_ts_may_share_an_instant(store: FolderObjectStore) -> None:
    """Txes of one instant are separate rows, distinguished by t."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "x", 1002, True),
        (A, "user/name", "y", 1003, True),
        (A, "user/name", "x", 1003, False),
        *((TX_BASE + t, "db/txInstant", instant_text(1002), t, True) for t in (1002, 1003)),
    )

    found = compute_every_way(define(NAME), store, log)

    assert cells(found["user-name-history"], "db__t", "db__tx_instant", "user__name") == [
        (1002, instant_ms(1002), "x"),
        (1003, instant_ms(1002), "y"),
    ]


def test_entity_0_and_empty_txes_make_no_row(store: FolderObjectStore) -> None:
    """Datomic writes `[0 13 attribute]` for each new attribute; a tx may hold only its instant."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (TX_BASE + 1003, "db/txInstant", instant_text(1003), 1003, True),
        schema_changes=[(0, 13, "72", 1000, True), (0, 11, "90", 1002, True)],
    )

    found = compute_every_way(define(NAME), store, log)

    assert cells(found["users-snapshot"], *HISTORY) == [("a", 1001)]


def test_an_attribute_that_one_instance_lacks_is_null_there(store: FolderObjectStore) -> None:
    """The column has the type of the other instances, and there is no warning."""
    without = {name: found for name, found in ATTRIBUTES.items() if name != "user/age"}
    logs = [
        log_of((A, "user/id", "a", 1001, True), (A, "user/age", "7", 1001, True)),
        log_of((A, "user/id", "b", 1001, True), attributes=without),
    ]

    found = compute_every_way(define({"attribute": "user/age"}, prototypes=("s0", "s1")), store, *logs)

    assert sorted(cells(found["users"], "user__id", "prototype", "user__age")) == [("a", "s0", 7), ("b", "s1", None)]
