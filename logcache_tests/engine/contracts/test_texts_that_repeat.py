"""Datoms that repeat, or seem to: Datomic compares values, a log has their texts; answers written by hand.

Every contract is computed from the segments alone and with a cache at every t.
"""

from dataclasses import replace

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_tests.engine.app import A, B, Change, cells, compute_every_way, define, log_of, sources_of
from logcache_tests.engine.days import compare, compute_day, faults_of

LIMIT = {"attribute": "user/limit", "history": True}
HISTORY = ("user__id", "db__t")


def update(attribute: str, text: str, t: int) -> list[Change]:
    """An update of A's value to another one with the same text."""
    return [(A, attribute, text, t, True), (A, attribute, text, t, False)]


def shown(rows: list[dict[str, object]], column: str) -> list[tuple[object, object, str | None]]:
    """(key, t, value as text) of every row."""
    return [(key, t, None if v is None else str(v)) for key, t, v in cells(rows, *HISTORY, column)]


def test_what_is_asserted_at_a_t_holds_after_it(store: FolderObjectStore) -> None:
    """1E+3 and 1000 are two values with one text; an update from one to the other is a row that keeps the value."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/limit", "1000", 1001, True),
        (A, "user/tags", "x", 1001, True),
        *update("user/limit", "1000", 1002),
        *update("user/tags", "x", 1002),
        (A, "user/limit", "1000", 1003, False),
        (B, "user/id", "b", 1003, True),
    )

    found = compute_every_way(define(LIMIT, {"attribute": "user/tags", "history": True}), store, log)

    assert shown(found["user-limit-history"], "user__limit") == [
        ("a", 1001, "1000.000000000"),
        ("a", 1002, "1000.000000000"),
        ("a", 1003, None),
    ]
    assert shown(found["user-tags-history"], "user__tags") == [("a", 1001, "['x']"), ("a", 1002, "['x']")]
    assert cells(found["users-snapshot"], *HISTORY) == [("a", 1001), ("a", 1002), ("a", 1003), ("b", 1003)]
    assert cells(found["users"], "user__id", "user__tags") == [("a", ["x"]), ("b", None)]


def test_a_key_that_is_updated_to_its_own_text_stays(store: FolderObjectStore) -> None:
    """The entity never loses its rows."""
    log = log_of(
        (A, "user/limit", "1000", 1001, True),
        *update("user/limit", "1000", 1002),
        (A, "user/name", "Ana", 1002, True),
    )

    found = compute_every_way(define({"attribute": "user/name", "history": True}, key="user/limit"), store, log)

    assert cells(found["users-snapshot"], "db__t", "user__name") == [(1001, None), (1002, "Ana")]
    assert cells(found["user-name-history"], "db__t", "user__name") == [(1002, "Ana")]
    assert cells(found["users"], "user__name") == [("Ana",)]


def test_a_datom_that_changes_nothing_is_a_row(store: FolderObjectStore) -> None:
    """An assertion of what holds, or a retraction under another text, is a datom of its t, with a cache too."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/limit", "1.0", 1001, True),
        (A, "user/limit", "1.0", 1002, True),
        (A, "user/limit", "1.00", 1003, False),
        (A, "user/tags", "never there", 1004, False),
        (A, "user/limit", "1.0", 1005, False),
    )

    found = compute_every_way(define(LIMIT), store, log)

    values = [(1001, "1.000000000"), (1002, "1.000000000"), (1003, "1.000000000"), (1004, "1.000000000"), (1005, None)]
    assert shown(found["users-snapshot"], "user__limit") == [("a", t, value) for t, value in values]
    assert shown(found["user-limit-history"], "user__limit") == [("a", t, v) for t, v in values if t != 1004]


def test_datoms_that_change_nothing_are_explained(store: FolderObjectStore) -> None:
    """The new rows of histories have their tx as reason, and no row is at fault."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/limit", "1000", 1001, True),
        *update("user/limit", "1000", 1002),
        (A, "user/limit", "1000", 1003, True),
        (A, "user/limit", "1E+3", 1004, False),
    )
    definition = define(LIMIT)
    yesterday, today = (
        compute_day(definition, [replace(s, until_t=t) for s in sources_of(definition, store, [log])], store)
        for t in (1001, 1004)
    )

    found = compare(yesterday, today, store)

    assert list(faults_of(found)) == []
    assert {name: figures.reasons for name, figures in found.items()} == {
        "contract-app/users": {},
        "contract-app/users-snapshot": {"new-transaction": 3},
        "contract-app/user-limit-history": {"new-transaction": 3},
    }
