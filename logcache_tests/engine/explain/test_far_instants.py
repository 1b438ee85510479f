"""Instants of any year that Datomic knows, as primary keys and as values, through contracts and comparison."""

from dataclasses import replace
from typing import Literal

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import CellFigures
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_tests.engine.app import A, cells, compute_every_way, define, log_of, sources_of
from logcache_tests.engine.compare.test_comparison import Days, rows
from logcache_tests.engine.days import TOKEN_KEY, Day, compare, compute_day, faults_of, without

BORN = {
    "-292275055-05-16T16:47:04.192Z": -(2**63),
    "-300000-01-01T00:00:00.000Z": -9_529_252_819_200_000,
    "-0001-12-31T23:59:59.999Z": -62_167_219_200_001,
    "+300000-01-01T00:00:00.000Z": 9_404_918_380_800_000,
    "+292278994-08-17T07:12:55.807Z": 2**63 - 1,
}
"""Text → milliseconds, as java.time.Instant tells them; java.util.Date ends at the first and the last."""
DEFINITION = define(
    {"attribute": "user/born", "history": True},
    {"attribute": "user/friend", "ref": "user/born"},
    {"attribute": "user/name"},
    key="user/age",
)
KEYED = define(
    {"attribute": "user/name", "history": True}, {"attribute": "user/friend", "ref": "user/born"}, key="user/born"
)


def log_of_births() -> list[tuple[int, int, str, int, bool]]:
    """One user per instant, each a friend of the first; names change at 1010."""
    users = [A + n for n in range(len(BORN))]
    born = [(e, "user/born", text, 1001, True) for e, text in zip(users, BORN, strict=True)]
    ages = [(e, "user/age", str(n), 1001, True) for n, e in enumerate(users)]
    friends = [(e, "user/friend", str(A), 1002, True) for e in users]
    names = [(e, "user/name", "x", 1010, True) for e in users]
    return log_of(*born, *ages, *friends, *names)


def day(t: int, store: FolderObjectStore) -> Day:
    """The contracts whose key is an instant, at a t."""
    (source,) = sources_of(KEYED, store, [log_of_births()])
    return compute_day(KEYED, [replace(source, until_t=t)], store)


def test_every_year_is_shown_with_its_milliseconds(store: FolderObjectStore) -> None:
    """As values, behind refs, in histories, and as keys; the helper shows instants as milliseconds."""
    first, *_ = right = list(BORN.values())

    shown = compute_every_way(DEFINITION, store, log_of_births())
    keyed = compute_every_way(KEYED, store, log_of_births())

    assert sorted(cells(shown["users"], "user__born", "user__friend")) == [(born, first) for born in right]
    assert sorted(cells(shown["user-born-history"], "user__born")) == [(born,) for born in right]
    assert cells(keyed["users"], "user__born", "user__name") == [(born, "x") for born in right]
    assert cells(keyed["users-snapshot"], "user__born") == [(born,) for born in right for _ in range(3)]
    assert cells(keyed["user-name-history"], "user__born") == [(born,) for born in right]


def test_a_key_of_any_year_is_compared_and_accused(store: FolderObjectStore) -> None:
    """Nothing is at fault but the row that is gone."""
    yesterday, today = day(1002, store), day(1010, store)
    name = "contract-app/users"
    frame = today.frame(name)

    sound = compare(yesterday, today, store)
    damaged = compare(yesterday, today.showing({name: without(frame, 4)}, store), store)

    assert list(faults_of(sound)) == []
    (pattern,) = (p for p in damaged[name].patterns if p.reason == "unexplained")
    assert pattern.change == "row missing"
    assert pattern.examples == tuple(row_tokens(TOKEN_KEY, frame.slice(4, 1).select("user__born", "prototype")))


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_a_table_in_another_unit_beside_far_instants(unit: Literal["us", "ns"], store: FolderObjectStore) -> None:
    """Yesterday's table holds fewer years; equal instants are equal, and the others are other rows."""
    near = pl.Series([0, -1, 1_514_764_800_123])
    ms, other = pl.Datetime("ms", "UTC"), pl.Datetime(unit, "UTC")
    yesterday = rows(id=near.cast(ms).cast(other), value=near.cast(ms).cast(other))
    far = pl.concat([near, pl.Series([2**62])]).cast(ms)
    today = rows(id=far, value=far)

    found = Days(store)(yesterday, today)

    assert found.columns["value"] == CellFigures(equal=3)
    assert (found.today.rows, found.yesterday.rows) == (4, 3)


def test_a_token_is_the_same_in_every_unit() -> None:
    """Whoever wrote a table, a row has one token."""
    born = pl.Series("user__born", [0, -1, 1_514_764_800_123]).cast(pl.Datetime("ms", "UTC"))
    rows = pl.DataFrame([born, pl.Series("prototype", ["s0"] * 3)])

    tokens = [
        list(row_tokens(TOKEN_KEY, rows.with_columns(pl.col("user__born").cast(pl.Datetime(unit, "UTC")))))
        for unit in ("ms", "us", "ns")
    ]

    assert tokens[0] == tokens[1] == tokens[2]
    assert len(set(tokens[0])) == 3
