"""What a column shows depends on its own attribute alone, and of several values it is the first of Datomic's index.

Answers are written by hand; every contract is computed from the segments alone and with a cache at every t.
"""

from itertools import permutations
from typing import Any

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.names import column_name
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_tests.engine.app import (
    ATTRIBUTES,
    MANY,
    ONE,
    SCHEMA_T,
    A,
    B,
    Change,
    cells,
    compute_every_way,
    define,
    log_of,
    sources_of,
)
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.builds import build
from logcache_tests.engine.facts.test_index_order import ORDERS

CODES = ATTRIBUTES | {"code/no": (90, "long", ONE), "code/word": (91, "keyword", ONE), "code/text": (92, "string", ONE)}


@pytest.mark.parametrize(
    ("ref", "text", "right"),
    [
        pytest.param("code/no", "7", 7, id="a long"),
        pytest.param("code/word", ":code/a-b", "code__a_b", id="a keyword"),
        pytest.param("code/text", "x", "x", id="a text"),
    ],
)
@pytest.mark.parametrize("pii", [False, True], ids=["shown", "hashed"])
def test_a_column_of_no_attribute_changes_no_other(
    ref: str,
    text: str,
    right: object,
    pii: bool,  # noqa: FBT001 - a parameter
    store: FolderObjectStore,
) -> None:
    """Columns that follow one ref share what it leads to, whichever is the first."""
    log = log_of(
        (B, ref, text, 1001, True),
        (A, "user/id", "a", 1002, True),
        (A, "user/friend", str(B), 1002, True),
        attributes=CODES,
    )
    unknown: list[dict[str, Any]] = [
        {"attribute": "user/former", "ref": ref},
        {"attribute": "user/older", "ref": ref, "pii": True},
    ]
    known: dict[str, Any] = {"attribute": "user/friend", "ref": ref, "history": True, "pii": pii}
    found = set()

    for attributes in permutations([known, *unknown]):
        definition = define(*attributes)
        sources = sources_of(definition, store, [log])
        tables = build(ContractBuild(definition=definition, sources=sources, pii_key=b"k"), store, warn=lambda _: None)
        for name in ("users", "users-snapshot", "user-friend-history"):
            (shown,) = tables[f"contract-app/{name}"].frame["user__friend"]
            found.add(shown)
            assert tables[f"contract-app/{name}"].frame.height == 1

    assert len(found) == 1
    assert pii or found == {right}


def once_many(attribute: str) -> list[Datom]:
    """The attribute becomes one of cardinality one at t 1009."""
    entity = ATTRIBUTES_OF_TYPES[attribute][0]
    return [(entity, 41, str(ONE), 1009, True), (entity, 41, str(MANY), 1009, False)]


ATTRIBUTES_OF_TYPES = {
    "user/id": ATTRIBUTES["user/id"],
    **{f"user/{kind}": (100 + n, kind, MANY) for n, kind in enumerate(ORDERS) if kind != "fn"},
    "code/no": (90, "long", ONE),
}
SHOWN_TEXTS = {"string", "symbol", "uuid", "uri", "tuple"}


@pytest.mark.parametrize("kind", sorted(SHOWN_TEXTS))
def test_of_several_texts_the_first_of_the_index_is_shown(kind: str, store: FolderObjectStore) -> None:
    """As the values go in the order of the index, each is the cell in its turn."""
    order, name = ORDERS[kind], f"user/{kind}"
    log = log_of(
        (A, "user/id", "a", SCHEMA_T + 1, True),
        *((A, name, text, SCHEMA_T + 1, True) for text in order),
        *((A, name, text, SCHEMA_T + 2 + n, False) for n, text in enumerate(order)),
        attributes=ATTRIBUTES_OF_TYPES,
        schema_changes=[
            (ATTRIBUTES_OF_TYPES[name][0], 41, str(ONE), 1900, True),
            (ATTRIBUTES_OF_TYPES[name][0], 41, str(MANY), 1900, False),
        ],
    )
    definition = define({"attribute": name, "history": True})

    found = build(
        ContractBuild(definition=definition, sources=sources_of(definition, store, [log]), pii_key=b"k"), store
    )

    rows = found[f"contract-app/user-{kind}-history"].frame.sort("db__t")
    assert rows[column_name(name)].to_list() == [*order, None]
    assert found["contract-app/users-snapshot"].frame.sort("db__t")[column_name(name)].to_list() == [*order, None]


def test_a_ref_is_chosen_before_it_is_followed(store: FolderObjectStore) -> None:
    """The first ref is the smallest entity id; if it leads to nothing, that is null, though another one has a value."""
    bare, z, y = B + 1, B + 2, B + 3
    changes: list[Change] = [
        (z, "code/no", "9", 1001, True),
        (y, "code/no", "1", 1001, True),
        (A, "user/id", "a", 1002, True),
        (B, "user/id", "b", 1002, True),
        *((A, "user/ref", str(target), 1002, True) for target in (y, z)),
        *((B, "user/ref", str(target), 1002, True) for target in (y, bare)),
        (A, "user/ref", str(z), 1003, False),
        (B, "user/ref", str(bare), 1003, False),
    ]
    names = [(z, 10, ":state/z", 1001, True), (y, 10, ":state/a", 1001, True)]
    log = log_of(*changes, attributes=ATTRIBUTES_OF_TYPES, schema_changes=[*names, *once_many("user/ref")])
    shown = {}

    for ref in ("code/no", "db/ident", None):
        one = {"attribute": "user/ref", "history": True} | ({"ref": ref} if ref else {})
        found = compute_every_way(define(one), store, log)
        shown[ref] = cells(found["user-ref-history"], "user__id", "db__t", "user__ref")
        assert shown[ref] == cells(found["users-snapshot"], "user__id", "db__t", "user__ref")

    assert shown == {
        "code/no": [("a", 1002, 9), ("a", 1003, 1), ("b", 1002, None), ("b", 1003, 1)],
        "db/ident": [("a", 1002, "state__z"), ("a", 1003, "state__a"), ("b", 1002, None), ("b", 1003, "state__a")],
        None: [("a", 1002, z), ("a", 1003, y), ("b", 1002, bare), ("b", 1003, y)],
    }
