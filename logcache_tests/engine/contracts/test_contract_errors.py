"""Contracts refuse values that a type cannot hold, incomplete logs, and definitions that the schema contradicts."""

from collections.abc import Mapping
from typing import Any

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.errors import BadInput
from logcache_tests.engine.app import ATTRIBUTES, MANY, NAME, ONE, A, cells, compute, define, log_of
from logcache_tests.engine.avro import TX_BASE


@pytest.mark.parametrize(
    ("change", "t"),
    [
        pytest.param((A, "user/age", "12345678901234567890", 1002, True), 1002, id="a long beyond 64 bits"),
        pytest.param((A, "user/limits", "0.0000000001", 1003, True), 1003, id="a tenth decimal"),
    ],
)
def test_a_value_that_its_type_cannot_hold_names_its_place(
    change: tuple[int, str, str, int, bool], t: int, store: FolderObjectStore
) -> None:
    """The error has instance, attribute, entity and t, but not the value, which may be personal data."""
    log = log_of((A, "user/id", "a", 1001, True), change)
    definition = define({"attribute": "user/age"}, {"attribute": "user/limits"})

    with pytest.raises(EngineError, match=rf"app-s0: {change[1]} of entity {A} has a value at t {t} ") as refusal:
        compute(definition, store, log)

    assert change[2] not in str(refusal.value)


def test_a_wrong_value_that_was_corrected_stops_no_entity_contract(store: FolderObjectStore) -> None:
    """Entity contracts read only current facts; a history would have to show the value."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/age", "12345678901234567890", 1001, True),
        (A, "user/age", "7", 1002, True),
        (A, "user/age", "12345678901234567890", 1002, False),
    )

    found = compute(define({"attribute": "user/age"}), store, log, kinds=("entity",))

    assert cells(found["users"], "user__age") == [(7,)]


def test_a_tx_without_its_instant_is_refused(store: FolderObjectStore) -> None:
    """Every tx asserts its instant, so a log without one has lost datoms."""
    log = [datom for datom in log_of((A, "user/id", "a", 1001, True)) if datom[0] != TX_BASE + 1001]

    with pytest.raises(EngineError, match="app-s0: the tx at t 1001 has no :db/txInstant"):
        compute(define(NAME), store, log)


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
def test_a_definition_that_the_log_contradicts_is_refused(
    attribute: Mapping[str, Any], key: str, reason: str, store: FolderObjectStore
) -> None:
    """The error names the file, the line, the dataset and what to change."""
    with pytest.raises(BadInput, match=reason) as refusal:
        compute(define(attribute, key=key), store, log_of())

    assert str(refusal.value).startswith("contracts/app.yaml, line 1, contract-app/users: ")


@pytest.mark.parametrize("other", [(73, "long", ONE), (73, "string", MANY)])
def test_instances_that_disagree_on_a_type_are_refused(other: tuple[int, str, int], store: FolderObjectStore) -> None:
    """One column cannot hold two types; the error says which instance has which."""
    definition = define(NAME, prototypes=("s0", "s1"))

    with pytest.raises(BadInput, match=r"disagree on the type of user/name \(app-s0 string, app-s1 "):
        compute(definition, store, log_of(), log_of(attributes={**ATTRIBUTES, "user/name": other}))
