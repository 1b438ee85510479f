"""Contracts refuse values that a type cannot hold, incomplete logs, and definitions that the schema contradicts."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.kinds import KIND_NAMES
from logcache_assets.domain.names import column_name, history_name
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.errors import BadInput
from logcache_tests.engine.app import (
    ATTRIBUTES,
    MANY,
    NAME,
    ONE,
    A,
    B,
    Change,
    cells,
    compute,
    compute_every_way,
    define,
    log_of,
    sources_of,
)
from logcache_tests.engine.avro import TX_BASE
from logcache_tests.engine.builds import build
from logcache_tests.engine.world import write_cache


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


TINY = "0.0000000001"
"""A tenth decimal: no decimal(38, 9) holds it."""
LIMITS = ATTRIBUTES | {"terms/rate": (90, "bigdec", ONE), "terms/rates": (91, "bigdec", MANY)}
COLUMNS: list[dict[str, Any]] = [
    {"attribute": "user/limit", "history": True},
    {"attribute": "user/limits"},
    {"attribute": "user/friend", "ref": "terms/rate"},
    {"attribute": "user/friends", "ref": "terms/rate"},
    {"attribute": "user/state"},
]
KEYED: list[Change] = [(A, "user/id", "a", 1001, True), (B, "user/name", "no key", 1001, True)]
SHOWN: dict[str, tuple[list[Change], str, int]] = {
    "a value": ([(A, "user/limit", TINY, 1003, True)], "user/limit", A),
    "one of many": ([(A, "user/limits", v, t, True) for v, t in (("1", 1002), (TINY, 1003))], "user/limits", A),
    "behind a ref": ([(B, "terms/rate", TINY, 1003, True), (A, "user/friend", str(B), 1004, True)], "terms/rate", B),
    "behind many refs": (
        [(B, "terms/rate", TINY, 1003, True), (A, "user/friends", str(B), 1002, True)],
        "terms/rate",
        B,
    ),
    "no entity id": ([(A, "user/state", "on", 1003, True)], "user/state", A),
}
"""What → the changes, the attribute and entity of the value, which is asserted at 1003."""


@pytest.mark.parametrize("kinds", [("entity",), KIND_NAMES], ids=["entities alone", "all kinds"])
@pytest.mark.parametrize(
    ("cut", "bucket_datoms"), [(None, 100), (None, 4), (1002, 100), (1003, 100), (1003, 4), (1004, 100)]
)
@pytest.mark.parametrize(
    ("changes", "attribute", "entity"), [pytest.param(*case, id=what) for what, case in SHOWN.items()]
)
def test_an_error_names_the_t_of_the_assertion(  # noqa: PLR0917 - three parameters, a case
    changes: list[Change],
    attribute: str,
    entity: int,
    cut: int | None,
    bucket_datoms: int,
    kinds: tuple[str, ...],
    store: FolderObjectStore,
) -> None:
    """From segments and from a cache, in one bucket or several, whichever contracts are computed."""
    every_t: list[Change] = [(B, "user/tags", str(t), t, True) for t in range(1002, 1006)]
    log = log_of(*KEYED, *changes, *every_t, attributes=LIMITS)
    definition = define(*COLUMNS)
    (source,) = sources_of(definition, store, [log])
    cached = replace(source, cache=write_cache(source, store, folder="cache", last_t=cut)) if cut else source

    with pytest.raises(EngineError, match=rf"app-s0: {attribute} of entity {entity} has a value at t 1003 ") as refusal:
        build(
            ContractBuild(
                definition=definition, sources=(cached,), pii_key=b"k", kinds=kinds, bucket_datoms=bucket_datoms
            ),
            store,
        )

    assert TINY not in str(refusal.value)


NOT_SHOWN: dict[str, list[Change]] = {
    "of an entity without a key": [(B, "user/limit", TINY, 1002, True), (B, "user/limits", TINY, 1002, True)],
    "that nothing refers to": [(B, "terms/rate", TINY, 1002, True), (A, "user/friend", str(B + 1), 1003, True)],
    "before it was referred to": [
        (B, "terms/rate", TINY, 1002, True),
        (B, "terms/rate", TINY, 1003, False),
        (A, "user/friend", str(B), 1003, True),
    ],
    "before the entity's first key": [
        (B, "user/limit", TINY, 1002, True),
        (B, "user/limit", TINY, 1003, False),
        (B, "user/id", "b", 1003, True),
    ],
    "in an attribute that no column shows": [(A, "terms/rates", TINY, 1002, True)],
    "behind another one that is first": [
        (A, "user/limit", "1" + "0" * 40, 1002, True),
        (A, "user/limit", "-1", 1002, True),
        (A, "user/limit", "1" + "0" * 40, 1003, False),
    ],
    "that never held": [(A, "user/limit", TINY, 1003, False)],
}


@pytest.mark.parametrize("changes", [pytest.param(changes, id=what) for what, changes in NOT_SHOWN.items()])
def test_a_value_that_no_row_shows_is_none(changes: list[Change], store: FolderObjectStore) -> None:
    """Only what a row would show must fit."""
    log = log_of(*KEYED, *changes, (A, "user/name", "Ana", 1005, True), attributes=LIMITS)

    found = compute_every_way(define(*COLUMNS), store, log)

    assert ("a", None, None) in cells(found["users"], "user__id", "user__limits", "user__friend")


def test_a_key_that_its_type_cannot_hold_is_an_error_where_a_row_has_it(store: FolderObjectStore) -> None:
    """No row vanishes, whatever kind is computed."""
    log = log_of(
        (A, "user/limit", "1", 1001, True),
        (A, "user/limit", TINY, 1002, True),
        (A, "user/limit", "1", 1002, False),
        (A, "user/limit", "2", 1003, True),
        (A, "user/limit", TINY, 1003, False),
        (A, "user/name", "Ana", 1004, True),
    )
    ended = log_of(
        (A, "user/limit", TINY, 1002, True), (A, "user/limit", TINY, 1003, False), (A, "user/name", "x", 1004, True)
    )
    definition = define(NAME, key="user/limit")

    found = compute(definition, store, log, kinds=("entity", "history"))

    assert [str(row["user__limit"]) for row in found["user-name-history"]] == ["2.000000000"]
    with pytest.raises(EngineError, match=rf"user/limit of entity {A} has a value at t 1002 "):
        compute(definition, store, log, kinds=("snapshot",))
    with pytest.raises(EngineError, match=rf"user/limit of entity {A} has a value at t 1002 "):
        compute(definition, store, [datom for datom in log if datom[3] <= 1002], kinds=("entity",))
    with pytest.raises(EngineError, match=rf"user/limit of entity {A} has a value at t 1002 "):
        compute(definition, store, ended, kinds=("history",))


def hashed(text: str) -> str:
    """The hash that a cell of personal data shows."""
    return hmac.digest(b"k", text.encode(), hashlib.sha256).hex()


@pytest.mark.parametrize("ref", [None, "terms/rate"], ids=["own", "behind a ref"])
def test_a_hash_holds_any_value(ref: str | None, store: FolderObjectStore) -> None:
    """Numbers with more digits than any decimal are hashed as their text."""
    long = "1" + "0" * 40
    own: list[Change] = [(A, "user/limit", long, 1002, True), (A, "user/limits", long, 1002, True)]
    own += [(A, "user/limits", text, 1002, True) for text in (TINY, "1.5")]
    behind: list[Change] = [(A, "user/friend", str(B), 1002, True), (B, "terms/rate", long, 1002, True)]
    log = log_of(KEYED[0], *(behind if ref else own), attributes=LIMITS)
    name = "user/friend" if ref else "user/limit"
    one = {"attribute": name, "pii": True, "history": True} | ({"ref": ref} if ref else {})

    found = compute_every_way(define(one, {"attribute": "user/limits", "pii": True}), store, log)

    (row,) = found["users"]
    assert row[column_name(name)] == hashed(long)
    assert found[history_name(name)][-1][column_name(name)] == hashed(long)
    assert row["user__limits"] == (None if ref else sorted(map(hashed, (long, TINY, "1.5"))))


def test_a_list_of_hashes_has_one_for_each_element(store: FolderObjectStore) -> None:
    """1.0 and 1.00 are one element of the list, so they are one hash: that of either text."""
    texts = ("1.0", "1.00", "10", "100", "-0.50")
    log = log_of(KEYED[0], *((A, "user/limits", text, 1002, True) for text in texts))

    found = compute_every_way(define({"attribute": "user/limits", "pii": True}), store, log)

    one = min(hashed("1.0"), hashed("1.00"))
    assert found["users"][0]["user__limits"] == sorted([one, *map(hashed, texts[2:])])


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

    with pytest.raises(EngineError, match=":db/txInstant once for each tx, first at t 1001"):
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
