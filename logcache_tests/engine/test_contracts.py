"""Contracts of small invented logs, where the answer is written by hand; and definitions that the log contradicts."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
import pytest

from logcache_assets.domain.definitions import DatabaseDefinition, Kind, parse_definition
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.contracts import Contract, compute_contracts, write_contract
from logcache_assets.engine.facts import fold_datoms
from logcache_assets.engine.layout import EngineError
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_tests.engine.avro import TX_BASE, Datom
from logcache_tests.engine.generated import log_frame
from logcache_tests.engine.world import OWN_BUCKET, refuse_warning

TYPES = {"ref": 20, "keyword": 21, "long": 22, "string": 23, "fn": 26, "bytes": 27, "double": 57, "bigdec": 61}
ONE, MANY = 35, 36
ATTRIBUTES = {
    "user/id": (72, "string", ONE),
    "user/name": (73, "string", ONE),
    "user/tags": (74, "string", MANY),
    "user/friend": (75, "ref", ONE),
    "user/friends": (76, "ref", MANY),
    "user/limits": (77, "bigdec", MANY),
    "user/scores": (78, "double", MANY),
    "user/hook": (79, "fn", ONE),
    "user/age": (80, "long", ONE),
}
SCHEMA_T = 1000
A, B = 17592186044418, 17592186044419


def schema_datoms(attributes: Mapping[str, tuple[int, str, int]] = ATTRIBUTES) -> list[Datom]:
    """The tx that installs attributes."""
    datoms: list[Datom] = []
    for name, (entity, value_type, cardinality) in attributes.items():
        values = ((10, f":{name}"), (40, str(TYPES[value_type])), (41, str(cardinality)))
        datoms += [(entity, a, v, SCHEMA_T, True) for a, v in values]
    return datoms


def log_of(
    *changes: tuple[int, str, str, int, bool], attributes: Mapping[str, tuple[int, str, int]] = ATTRIBUTES
) -> pl.DataFrame:
    """Facts of a log with these changes (entity, attribute, value, t, added) after the schema."""
    datoms = [*schema_datoms(attributes), *((e, attributes[a][0], v, t, added) for e, a, v, t, added in changes)]
    instants = [(TX_BASE + t, 50, f"2018-01-01T00:00:00.{t % 1000:03d}Z", t, True) for t in {d[3] for d in datoms}]
    return fold_datoms(log_frame([*instants, *datoms]))


def define(
    *attributes: Mapping[str, Any], prototypes: Sequence[str] = ("s0",), key: str = "user/id"
) -> DatabaseDefinition:
    """A definition with one entity `users`."""
    entity = {"name": "users", "primary_key": key, "snapshot": True, "attributes": list(attributes)}
    document = {"database": "app", "prototypes": list(prototypes), "entities": [entity]}
    return parse_definition(json.dumps(document), where="app.yaml")


def compute(definition: DatabaseDefinition, *facts: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows per dataset."""
    contracts = compute_contracts(definition, by_instance(definition, facts), pii_key=b"k", warn=refuse_warning)
    return {c.table.dataset.removeprefix("contract-app/"): c.frame.to_dicts() for c in contracts}


def by_instance(definition: DatabaseDefinition, facts: Sequence[pl.DataFrame]) -> dict[Instance, pl.DataFrame]:
    """Facts of the instances in the order of the prototypes."""
    return dict(zip(definition.instances, facts, strict=True))


def cells(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of every row."""
    return [tuple(row[column] for column in columns) for row in rows]


NAME = {"attribute": "user/name", "history": True}


def test_a_history_row_shows_the_value_after_each_change() -> None:
    """Also null after a retraction; the primary key is the last one asserted, and no row precedes the first one."""
    facts = log_of(
        (A, "user/name", "too early", 1001, True),
        (A, "user/id", "a", 1002, True),
        (A, "user/name", "Ana", 1003, True),
        (A, "user/name", "too early", 1003, False),
        (A, "user/id", "a", 1004, False),
        (A, "user/name", "Ana", 1005, False),
    )

    found = compute(define(NAME), facts)

    assert cells(found["user-name-history"], "user__id", "prototype", "db__t", "user__name") == [
        ("a", "s0", 1003, "Ana"),
        ("a", "s0", 1005, None),
    ]
    assert found["user-name-history"][0]["db__tx_instant"] == datetime(2018, 1, 1, microsecond=3000, tzinfo=UTC)
    assert found["users"] == []


def test_a_snapshot_row_stands_for_every_tx_while_the_key_is_asserted() -> None:
    """Datoms of attributes outside the contract count; a row disappears while the key is retracted."""
    facts = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/age", "7", 1002, True),
        (A, "user/id", "a", 1003, False),
        (A, "user/name", "Ana", 1004, True),
        (A, "user/id", "a", 1005, True),
    )

    found = compute(define(NAME), facts)

    assert cells(found["users-snapshot"], "user__id", "db__t", "user__name") == [
        ("a", 1001, None),
        ("a", 1002, None),
        ("a", 1005, "Ana"),
    ]
    assert cells(found["users"], "user__id", "user__name") == [("a", "Ana")]


def test_a_ref_resolves_as_of_the_rows_t() -> None:
    """A later change of the referred entity shows in the entity contract, not in an older snapshot row."""
    facts = log_of(
        (B, "user/id", "b", 1001, True),
        (A, "user/id", "a", 1002, True),
        (A, "user/friend", str(B), 1002, True),
        (B, "user/id", "b", 1003, False),
        (B, "user/id", "b2", 1003, True),
    )

    found = compute(define({"attribute": "user/friend", "ref": "user/id"}), facts)

    rows = cells(found["users-snapshot"], "user__id", "db__t", "user__friend")
    assert ("a", 1002, "b") in rows
    assert ("a", "b2") in cells(found["users"], "user__id", "user__friend")


def test_a_ref_to_what_has_no_value_is_null_and_left_out_of_lists() -> None:
    """An excised entity leaves references behind; a list of nothing else is null."""
    facts = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/friend", "99999", 1001, True),
        (A, "user/friends", "99999", 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/friends", "99999", 1001, True),
        (B, "user/friends", str(A), 1001, True),
    )
    friends = {"attribute": "user/friends", "ref": "user/id"}

    found = compute(define({"attribute": "user/friend", "ref": "user/id"}, friends), facts)

    rows = cells(found["users"], "user__id", "user__friend", "user__friends")
    assert rows == [("a", None, None), ("b", None, ["a"])]


def test_a_ref_without_a_target_is_the_entity_id() -> None:
    """Up to 2.3e18, so never a double."""
    facts = log_of((A, "user/id", "a", 1001, True), (A, "user/friend", "2305864999446250524", 1001, True))

    found = compute(define({"attribute": "user/friend"}), facts)

    assert cells(found["users"], "user__friend") == [(2305864999446250524,)]


def test_an_ident_is_named_as_of_the_end() -> None:
    """A rename renames all history; bootstrap entities have names though no log holds them."""
    enum = 17592186044500
    facts = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/friend", str(enum), 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/friend", "36", 1001, True),
    )
    renamed = fold_datoms(
        log_frame([(enum, 10, ":state/old", 1001, True), (enum, 10, ":state/old", 1002, False)]).vstack(
            log_frame([(enum, 10, ":state/brand-new", 1002, True)])
        )
    )
    definition = define({"attribute": "user/friend", "ref": "db/ident"})

    found = compute(definition, pl.concat([facts, renamed]))

    assert ("a", 1001, "state__brand_new") in cells(found["users-snapshot"], "user__id", "db__t", "user__friend")
    assert ("b", "db_cardinality__many") in cells(found["users"], "user__id", "user__friend")


def test_a_retracted_name_is_no_name() -> None:
    """An enum without an ident shows as null, an attribute without one is unknown."""
    enum, renamed = 17592186044500, 73
    facts = log_of(
        (A, "user/id", "a", 1001, True), (A, "user/friend", str(enum), 1001, True), (A, "user/name", "x", 1001, True)
    )
    idents = [(enum, 10, ":state/gone", 1001, True), (enum, 10, ":state/gone", 1002, False)]
    names = fold_datoms(log_frame([*idents, (renamed, 10, ":user/name", 1002, False)]))
    closed = pl.when(pl.col("e") == renamed, pl.col("a") == 10).then(pl.lit(1002)).otherwise(pl.col("t_to"))
    definition, told = define({"attribute": "user/friend", "ref": "db/ident"}, NAME), list[str]()
    log = pl.concat([facts.with_columns(t_to=closed.cast(pl.Int64)), names])

    users = next(iter(compute_contracts(definition, by_instance(definition, [log]), pii_key=b"", warn=told.append)))

    assert cells(users.frame.to_dicts(), "user__id", "user__friend", "user__name") == [("a", None, None)]
    assert len(told) == 1


def test_lists_are_distinct_and_ascend_by_value() -> None:
    """Text by code point, not by UTF-16 unit; equal decimals once; NaN last."""
    facts = log_of(
        (A, "user/id", "a", 1001, True),
        *((A, "user/tags", tag, 1001, True) for tag in ("\uffff", "😀", "b", "Z", "")),
        *((A, "user/limits", limit, 1001, True) for limit in ("10.0", "9", "1.0", "1.00", "-1")),
        *((A, "user/scores", score, 1001, True) for score in ("NaN", "Infinity", "10.0", "9.0", "-Infinity")),
    )
    columns = [{"attribute": f"user/{name}"} for name in ("tags", "limits", "scores")]

    (row,) = compute(define(*columns), facts)["users"]

    assert row["user__tags"] == ["", "Z", "b", "\uffff", "😀"]
    assert [str(limit) for limit in row["user__limits"]] == [
        "-1.000000000",
        "1.000000000",
        "9.000000000",
        "10.000000000",
    ]
    assert str(row["user__scores"]) == "[-inf, 9.0, 10.0, inf, nan]"


def test_the_engine_hides_no_double_key() -> None:
    """One key on two entities or prototypes stays two rows, for the uniqueness check to find."""
    facts = log_of((A, "user/id", "a", 1001, True), (B, "user/id", "a", 1001, True))

    found = compute(define(NAME, prototypes=("s1", "s0")), facts, facts)

    assert cells(found["users"], "user__id", "prototype") == [("a", "s0")] * 2 + [("a", "s1")] * 2


def test_an_attribute_that_was_many_gives_the_smallest_of_several_values() -> None:
    """Rows from before the change to cardinality one hold several; Datomic finds the smallest first."""
    facts = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "z", 1001, True),
        (A, "user/name", "b", 1002, True),
        (A, "user/name", "b", 1003, False),
    )

    found = compute(define(NAME), facts)

    assert cells(found["user-name-history"], "db__t", "user__name") == [(1001, "z"), (1002, "b"), (1003, "z")]


def test_an_unknown_attribute_is_told_and_null() -> None:
    """It may be new; the build does not wait for it."""
    definition, told = define({"attribute": "user/later"}, NAME), list[str]()
    facts = by_instance(definition, [log_of((A, "user/id", "a", 1001, True))])

    contracts = list(compute_contracts(definition, facts, pii_key=b"k", warn=told.append))

    assert contracts[0].frame.schema["user__later"] == pl.String
    assert contracts[0].frame["user__later"].to_list() == [None]
    assert len(told) == 1
    assert "contracts/app.yaml, contract-app/users: no instance has the attribute user/later" in told[0]


def test_an_empty_contract_is_a_file_with_the_schema(store: LocalObjectStore) -> None:
    """Readers find the columns even where there is no row."""
    definition = define(NAME, {"attribute": "user/limits"})
    (users, *_) = compute_contracts(definition, by_instance(definition, [log_of()]), pii_key=b"", warn=refuse_warning)

    write_contract(users, f"s3://{OWN_BUCKET}/users", store)

    table = pq.read_table(BytesIO(store.read(f"s3://{OWN_BUCKET}/users/part-00000.parquet")))
    assert table.num_rows == 0
    assert table.column_names == ["user__id", "prototype", "user__name", "user__limits"]
    assert str(table.schema.field("user__limits").type.value_type) == "decimal128(38, 9)"


@pytest.mark.parametrize(("kinds", "count"), [(("entity",), 1), (("history", "snapshot"), 2)])
def test_only_the_wanted_kinds_are_computed(kinds: tuple[Kind, ...], count: int) -> None:
    """Entity contracts alone are what most runs need."""
    definition = define(NAME)
    facts = by_instance(definition, [log_of()])

    contracts: list[Contract] = list(
        compute_contracts(definition, facts, pii_key=b"", warn=refuse_warning, kinds=kinds)
    )

    assert [c.table.kind in kinds for c in contracts] == [True] * count


@pytest.mark.parametrize(
    ("change", "t"),
    [
        pytest.param((A, "user/age", "12345678901234567890", 1002, True), 1002, id="a long beyond 64 bits"),
        pytest.param((A, "user/limits", "0.0000000001", 1003, True), 1003, id="a tenth decimal"),
    ],
)
def test_a_value_that_its_type_cannot_hold_names_its_place(change: tuple[int, str, str, int, bool], t: int) -> None:
    """Instance, attribute, entity and t, but never the value, which may be personal data."""
    facts = log_of((A, "user/id", "a", 1001, True), change)
    definition = define({"attribute": "user/age"}, {"attribute": "user/limits"})

    with pytest.raises(EngineError, match=rf"app-s0: {change[1]} of entity {A} has a value at t {t} ") as refusal:
        compute(definition, facts)

    assert change[2] not in str(refusal.value)


def test_a_wrong_value_that_was_corrected_stops_no_entity_contract() -> None:
    """Entity contracts ask current facts only; a history would have to show it."""
    facts = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/age", "12345678901234567890", 1001, True),
        (A, "user/age", "7", 1002, True),
        (A, "user/age", "12345678901234567890", 1002, False),
    )
    definition = define({"attribute": "user/age"})
    facts_by_instance = by_instance(definition, [facts])

    (users,) = compute_contracts(definition, facts_by_instance, pii_key=b"", warn=refuse_warning, kinds=("entity",))

    assert users.frame["user__age"].to_list() == [7]


def test_a_tx_without_its_instant_is_refused() -> None:
    """Every tx asserts its instant, so a log without one lost datoms."""
    facts = log_of((A, "user/id", "a", 1001, True)).filter(pl.col("e") != TX_BASE + 1001)

    with pytest.raises(EngineError, match="app-s0: the tx at t 1001 has no :db/txInstant"):
        compute(define(NAME), facts)


@pytest.mark.parametrize(
    ("attribute", "key", "reason"),
    [
        pytest.param({"attribute": "user/hook"}, "user/id", ":db.type/fn", id="a function"),
        pytest.param({"attribute": "user/name", "ref": "user/id"}, "user/id", "not a ref", id="a ref that is none"),
        pytest.param(
            {"attribute": "user/friend", "ref": "user/tags"}, "user/id", "cardinality many", id="a ref to a list"
        ),
        pytest.param(NAME, "user/tags", "primary key user/tags", id="a key of cardinality many"),
    ],
)
def test_a_definition_that_the_log_contradicts_is_refused(attribute: Mapping[str, Any], key: str, reason: str) -> None:
    """Naming the file, the dataset and what to change."""
    with pytest.raises(BadInput, match=reason) as refusal:
        compute(define(attribute, key=key), log_of())

    assert str(refusal.value).startswith("contracts/app.yaml, contract-app/users: ")


@pytest.mark.parametrize("other", [(73, "long", ONE), (73, "string", MANY)])
def test_instances_that_disagree_on_a_type_are_refused(other: tuple[int, str, int]) -> None:
    """One column cannot hold both; the error says which instance has which."""
    definition = define(NAME, prototypes=("s0", "s1"))

    with pytest.raises(BadInput, match=r"disagree on the type of user/name \(app-s0 string, app-s1 "):
        compute(definition, log_of(), log_of(attributes={**ATTRIBUTES, "user/name": other}))
