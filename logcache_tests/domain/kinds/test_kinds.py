"""The contract kinds: what each makes of an entity, and that domain and engine know the same ones."""

import pickle

import pytest

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.kinds import KIND_NAMES, KINDS
from logcache_assets.domain.kinds.entity import ENTITY
from logcache_assets.domain.kinds.history import HISTORY
from logcache_assets.domain.kinds.kind import ContractKind
from logcache_assets.domain.kinds.snapshot import SNAPSHOT
from logcache_assets.engine.contracts.compute import ROWS_BY_KIND

STATUS = ContractAttribute("transaction/status", history=True)
AMOUNT = ContractAttribute("transaction/amount")
PAID_AT = ContractAttribute("transaction/paid-at", history=True)
TRANSACTIONS = ContractEntity("transactions", "transaction/id", (STATUS, AMOUNT, PAID_AT), snapshot=True)
PLAIN = ContractEntity("accounts", "account/id", (AMOUNT,))


def test_the_engine_computes_the_rows_of_every_kind() -> None:
    """A kind that only one of both registries has is half a kind."""
    assert set(ROWS_BY_KIND) == set(KIND_NAMES)


def test_no_two_kinds_share_a_name() -> None:
    """Tags, documents and the engine find a kind by its name."""
    assert len(set(KIND_NAMES)) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_kind_is_the_same_in_another_process(kind: ContractKind) -> None:
    """Tables travel to Spark's workers, and are compared with those that come back."""
    assert pickle.loads(pickle.dumps(kind)) == kind  # noqa: S301 - our own bytes
    assert [other for other in KINDS if other == kind] == [kind]


@pytest.mark.parametrize(
    ("kind", "datasets"),
    [
        pytest.param(ENTITY, [("transactions", (STATUS, AMOUNT, PAID_AT), "name")], id="entity"),
        pytest.param(SNAPSHOT, [("transactions-snapshot", (STATUS, AMOUNT, PAID_AT), "name")], id="snapshot"),
        pytest.param(
            HISTORY,
            [
                ("transaction-status-history", (STATUS,), "attributes[0]"),
                ("transaction-paid-at-history", (PAID_AT,), "attributes[2]"),
            ],
            id="history",
        ),
    ],
)
def test_a_kind_makes_its_datasets_of_an_entity(kind: ContractKind, datasets: list[object]) -> None:
    """Name, attributes and the key of the definition that asks for it."""
    assert [(d.name, d.attributes, d.declared_at) for d in kind.datasets_of(TRANSACTIONS)] == datasets


def test_what_an_entity_does_not_ask_for_is_not_made() -> None:
    """Snapshots and histories are wanted by name; the entity contract always is."""
    assert {kind.name: len(list(kind.datasets_of(PLAIN))) for kind in KINDS} == {
        "entity": 1,
        "snapshot": 0,
        "history": 0,
    }


@pytest.mark.parametrize(
    ("kind", "key", "columns"),
    [
        pytest.param(ENTITY, ["transaction__id", "prototype"], [], id="entity"),
        pytest.param(SNAPSHOT, ["transaction__id", "prototype", "db__t"], ["db__t", "db__tx_instant"], id="snapshot"),
        pytest.param(HISTORY, ["transaction__id", "prototype", "db__t"], ["db__t", "db__tx_instant"], id="history"),
    ],
)
def test_rows_with_a_t_are_identified_by_it(kind: ContractKind, key: list[str], columns: list[str]) -> None:
    """Key and times stand before the attributes; the instant repeats, so it is no part of the key."""
    found = kind.columns(TRANSACTIONS, (STATUS, AMOUNT))

    assert list(kind.key_columns(TRANSACTIONS)) == key
    assert list(found) == ["transaction__id", "prototype", *columns, "transaction__status", "transaction__amount"]
    assert kind.rows_have_t == bool(columns)


def test_only_a_history_has_rows_by_its_attribute() -> None:
    """Another attribute of the name changes which rows a history has, and only the cells of the other kinds."""
    assert {kind.name: kind.row_attributes((STATUS,)) for kind in KINDS} == {
        "entity": (),
        "snapshot": (),
        "history": (STATUS,),
    }


def test_a_kind_says_what_a_row_is() -> None:
    """As the description of the contract's asset begins."""
    assert [kind.describe(TRANSACTIONS, (STATUS,)) for kind in KINDS] == [
        "One row per transaction/id",
        "The whole entity after every transaction that touched it, by transaction/id",
        "One row per change of transaction/status",
    ]
