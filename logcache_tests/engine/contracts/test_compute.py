"""Contracts of small invented logs, with answers written by hand."""

from datetime import UTC, datetime
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_tests.engine.app import NAME, A, B, cells, compute, define, log_of, sources_of
from logcache_tests.engine.builds import build


def test_a_history_row_shows_the_value_after_each_change(
    store: FolderObjectStore,
) -> None:
    """Null after a retraction; the key is the last one asserted, and no row precedes the first key."""
    log = log_of(
        (A, "user/name", "too early", 1001, True),
        (A, "user/id", "a", 1002, True),
        (A, "user/name", "Ana", 1003, True),
        (A, "user/name", "too early", 1003, False),
        (A, "user/id", "a", 1004, False),
        (A, "user/name", "Ana", 1005, False),
    )

    found = compute(define(NAME), store, log)

    assert cells(found["user-name-history"], "user__id", "prototype", "db__t", "user__name") == [
        ("a", "s0", 1003, "Ana"),
        ("a", "s0", 1005, None),
    ]
    assert found["user-name-history"][0]["db__tx_instant"] == datetime(2017, 7, 14, 2, 56, 43, tzinfo=UTC)
    assert found["users"] == []


def test_a_snapshot_row_stands_for_every_tx_while_the_key_is_asserted(
    store: FolderObjectStore,
) -> None:
    """Datoms of attributes outside the contract make rows too; there is none while the key is retracted."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/age", "7", 1002, True),
        (A, "user/id", "a", 1003, False),
        (A, "user/name", "Ana", 1004, True),
        (A, "user/id", "a", 1005, True),
    )

    found = compute(define(NAME), store, log)

    assert cells(found["users-snapshot"], "user__id", "db__t", "user__name") == [
        ("a", 1001, None),
        ("a", 1002, None),
        ("a", 1005, "Ana"),
    ]
    assert cells(found["users"], "user__id", "user__name") == [("a", "Ana")]


def test_a_ref_resolves_as_of_the_rows_t(
    store: FolderObjectStore,
) -> None:
    """A later change of the referred entity shows in the entity contract, not in an older snapshot row."""
    log = log_of(
        (B, "user/id", "b", 1001, True),
        (A, "user/id", "a", 1002, True),
        (A, "user/friend", str(B), 1002, True),
        (B, "user/id", "b", 1003, False),
        (B, "user/id", "b2", 1003, True),
    )

    found = compute(define({"attribute": "user/friend", "ref": "user/id"}), store, log)

    rows = cells(found["users-snapshot"], "user__id", "db__t", "user__friend")
    assert ("a", 1002, "b") in rows
    assert ("a", "b2") in cells(found["users"], "user__id", "user__friend")


def test_a_ref_to_what_has_no_value_is_null_and_left_out_of_lists(
    store: FolderObjectStore,
) -> None:
    """An excised entity leaves references behind; a list of nothing else is null."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/friend", "99999", 1001, True),
        (A, "user/friends", "99999", 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/friends", "99999", 1001, True),
        (B, "user/friends", str(A), 1001, True),
    )
    friends = {"attribute": "user/friends", "ref": "user/id"}

    found = compute(define({"attribute": "user/friend", "ref": "user/id"}, friends), store, log)

    rows = cells(found["users"], "user__id", "user__friend", "user__friends")
    assert rows == [("a", None, None), ("b", None, ["a"])]


def test_a_ref_without_a_target_is_the_entity_id(
    store: FolderObjectStore,
) -> None:
    """Entity ids reach 2.3e18 and stay integers, never doubles."""
    log = log_of((A, "user/id", "a", 1001, True), (A, "user/friend", "2305864999446250524", 1001, True))

    found = compute(define({"attribute": "user/friend"}), store, log)

    assert cells(found["users"], "user__friend") == [(2305864999446250524,)]


def test_an_ident_is_named_as_of_the_end(
    store: FolderObjectStore,
) -> None:
    """A rename renames all history; bootstrap entities have names although no log holds them."""
    enum = 17592186044500
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/friend", str(enum), 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/friend", "36", 1001, True),
        schema_changes=[
            (enum, 10, ":state/old", 1001, True),
            (enum, 10, ":state/brand-new", 1002, True),
            (enum, 10, ":state/old", 1002, False),
        ],
    )

    found = compute(define({"attribute": "user/friend", "ref": "db/ident"}), store, log)

    assert ("a", 1001, "state__brand_new") in cells(found["users-snapshot"], "user__id", "db__t", "user__friend")
    assert ("b", "db_cardinality__many") in cells(found["users"], "user__id", "user__friend")


def test_a_retracted_name_is_no_name(
    store: FolderObjectStore,
) -> None:
    """An enum that lost its ident is null, an attribute that lost it is unknown."""
    enum, nameless = 17592186044500, 73
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/friend", str(enum), 1001, True),
        (A, "user/name", "x", 1001, True),
        schema_changes=[
            (enum, 10, ":state/gone", 1001, True),
            (enum, 10, ":state/gone", 1002, False),
            (nameless, 10, ":user/name", 1002, False),
        ],
    )
    definition, told = define({"attribute": "user/friend", "ref": "db/ident"}, NAME), list[str]()

    found = compute(definition, store, log, warn=told.append)

    assert cells(found["users"], "user__id", "user__friend", "user__name") == [("a", None, None)]
    assert len(told) == 1


def test_lists_are_distinct_and_ascend_by_value(
    store: FolderObjectStore,
) -> None:
    """Text sorts by code point, not UTF-16 unit; equal decimals appear once; NaN is last."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        *((A, "user/tags", tag, 1001, True) for tag in ("\uffff", "😀", "b", "Z", "")),
        *((A, "user/limits", limit, 1001, True) for limit in ("10.0", "9", "1.0", "1.00", "-1")),
        *((A, "user/scores", score, 1001, True) for score in ("NaN", "Infinity", "10.0", "9.0", "-Infinity")),
    )
    columns = [{"attribute": f"user/{name}"} for name in ("tags", "limits", "scores")]

    (row,) = compute(define(*columns), store, log)["users"]

    assert row["user__tags"] == ["", "Z", "b", "\uffff", "😀"]
    assert [str(limit) for limit in row["user__limits"]] == [
        "-1.000000000",
        "1.000000000",
        "9.000000000",
        "10.000000000",
    ]
    assert str(row["user__scores"]) == "[-inf, 9.0, 10.0, inf, nan]"


def test_the_engine_hides_no_double_key(
    store: FolderObjectStore,
) -> None:
    """One key on two entities or prototypes stays two rows, which the uniqueness check finds."""
    log = log_of((A, "user/id", "a", 1001, True), (B, "user/id", "a", 1001, True))

    found = compute(define(NAME, prototypes=("s1", "s0")), store, log, log)

    assert sorted(cells(found["users"], "user__id", "prototype")) == [("a", "s0")] * 2 + [("a", "s1")] * 2


def test_an_attribute_that_was_many_gives_the_smallest_of_several_values(
    store: FolderObjectStore,
) -> None:
    """Rows from before the change to cardinality one have several values; Datomic returns the smallest."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "z", 1001, True),
        (A, "user/name", "b", 1002, True),
        (A, "user/name", "b", 1003, False),
    )

    found = compute(define(NAME), store, log)

    assert cells(found["user-name-history"], "db__t", "user__name") == [(1001, "z"), (1002, "b"), (1003, "z")]


def test_an_unknown_attribute_is_told_and_null(
    store: FolderObjectStore,
) -> None:
    """An attribute that no instance has gives a warning and nulls; it may be new."""
    definition, told = define({"attribute": "user/later"}, NAME), list[str]()
    sources = sources_of(definition, store, [log_of((A, "user/id", "a", 1001, True))])

    found = build(ContractBuild(definition=definition, sources=sources, pii_key=b"k"), store, warn=told.append)

    users = found["contract-app/users"]
    assert users.built.columns["user__later"] == "string"
    assert users.frame["user__later"].to_list() == [None]
    assert len(told) == 1
    assert "contracts/app.yaml, line 1, contract-app/users: no instance has the attribute user/later" in told[0]


def test_an_empty_contract_is_a_file_with_the_schema(
    store: FolderObjectStore,
) -> None:
    """Readers find the columns even without rows."""
    definition = define(NAME, {"attribute": "user/limits"})
    sources = sources_of(definition, store, [log_of()])

    found = build(ContractBuild(definition=definition, sources=sources, pii_key=b""), store)

    users = found["contract-app/users"]
    table = pq.read_table(BytesIO(users.files[0]))
    assert (table.num_rows, users.built.rows, len(users.files)) == (0, 0, 1)
    assert table.column_names == ["user__id", "prototype", "user__name", "user__limits"]
    assert str(table.schema.field("user__limits").type.value_type) == "decimal128(38, 9)"


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (("entity",), ["users"]),
        (("history", "snapshot"), ["users-snapshot", "user-name-history"]),
    ],
)
def test_only_the_wanted_kinds_are_computed(kinds: tuple[str, ...], names: list[str], store: FolderObjectStore) -> None:
    """A build can compute entity contracts alone."""
    found = compute(define(NAME), store, log_of(), kinds=kinds)

    assert list(found) == names
