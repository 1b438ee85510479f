"""Hard cases of names and cardinalities, with answers written by hand; hard_cases.py lists all.

Every contract is computed from the segments alone and with a cache at every t.
"""

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_tests.engine.app import ATTRIBUTES, MANY, NAME, ONE, A, B, cells, compute_every_way, define, log_of

ON, OFF = 17592186044500, 17592186044501
STATE = {"attribute": "user/state", "ref": "db/ident", "history": True}
TAGS = {"attribute": "user/tags", "history": True}
HISTORY = ("user__id", "db__t")


def test_names_swapped_in_one_tx_are_swapped_in_all_history(store: FolderObjectStore) -> None:
    """Idents are as of the build's t, for enums and for attributes."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/state", str(ON), 1001, True),
        (A, "user/name", "name", 1001, True),
        (A, "user/nick", "nick", 1001, True),
        schema_changes=[
            (ON, 10, ":state/on", 1001, True),
            (OFF, 10, ":state/off", 1001, True),
            (ON, 10, ":state/off", 1002, True),
            (ON, 10, ":state/on", 1002, False),
            (OFF, 10, ":state/on", 1002, True),
            (OFF, 10, ":state/off", 1002, False),
            (73, 10, ":user/nick", 1003, True),
            (73, 10, ":user/name", 1003, False),
            (87, 10, ":user/name", 1003, True),
            (87, 10, ":user/nick", 1003, False),
        ],
    )

    found = compute_every_way(define(STATE, NAME), store, log)

    assert cells(found["user-state-history"], *HISTORY, "user__state") == [("a", 1001, "state__off")]
    assert cells(found["users-snapshot"], *HISTORY, "user__name") == [("a", 1001, "nick")]


def test_a_name_that_went_and_came_back_is_the_name(store: FolderObjectStore) -> None:
    """An ident that changes from A to B and back is A."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/state", str(ON), 1002, True),
        schema_changes=[
            (ON, 10, ":state/a", 1001, True),
            (ON, 10, ":state/b", 1002, True),
            (ON, 10, ":state/a", 1002, False),
            (ON, 10, ":state/a", 1003, True),
            (ON, 10, ":state/b", 1003, False),
        ],
    )

    found = compute_every_way(define(STATE), store, log)

    assert cells(found["user-state-history"], *HISTORY, "user__state") == [("a", 1002, "state__a")]


def test_a_retracted_name_may_be_anothers(store: FolderObjectStore) -> None:
    """The enum that lost the name has none; the attribute that has it now gives the column."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/state", str(ON), 1001, True),
        (B, "user/id", "b", 1001, True),
        (B, "user/state", str(OFF), 1001, True),
        (A, "user/name", "old", 1001, True),
        (A, "user/nick", "new", 1001, True),
        schema_changes=[
            (ON, 10, ":state/on", 1001, True),
            (ON, 10, ":state/on", 1002, False),
            (73, 10, ":user/name", 1002, False),
            (OFF, 10, ":state/on", 1003, True),
            (87, 10, ":user/name", 1003, True),
            (87, 10, ":user/nick", 1003, False),
        ],
    )

    found = compute_every_way(define(STATE, NAME), store, log)

    rows = cells(found["users"], "user__id", "user__state", "user__name")
    assert rows == [("a", None, "new"), ("b", "state__on", None)]


def test_an_attribute_that_became_many_shows_lists_of_all_its_days(store: FolderObjectStore) -> None:
    """Cardinality is as of the build's t: earlier values are lists of one."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/tags", "x", 1001, True),
        (A, "user/tags", "y", 1002, True),
        (A, "user/tags", "x", 1002, False),
        (A, "user/tags", "b", 1004, True),
        attributes={**ATTRIBUTES, "user/tags": (74, "string", ONE)},
        schema_changes=[(74, 41, str(MANY), 1003, True), (74, 41, str(ONE), 1003, False)],
    )

    found = compute_every_way(define(TAGS), store, log)

    assert cells(found["user-tags-history"], *HISTORY, "user__tags") == [
        ("a", 1001, ["x"]),
        ("a", 1002, ["y"]),
        ("a", 1004, ["b", "y"]),
    ]


def test_an_attribute_that_became_one_shows_the_smallest_of_its_many_days(store: FolderObjectStore) -> None:
    """Datomic returns the smallest of several values; later updates replace it."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/tags", "y", 1001, True),
        (A, "user/tags", "x", 1001, True),
        (A, "user/tags", "x", 1002, False),
        (A, "user/tags", "z", 1004, True),
        (A, "user/tags", "y", 1004, False),
        schema_changes=[(74, 41, str(ONE), 1003, True), (74, 41, str(MANY), 1003, False)],
    )

    found = compute_every_way(define(TAGS), store, log)

    assert cells(found["user-tags-history"], *HISTORY, "user__tags") == [
        ("a", 1001, "x"),
        ("a", 1002, "y"),
        ("a", 1004, "z"),
    ]
    assert cells(found["users"], "user__tags") == [("z",)]
