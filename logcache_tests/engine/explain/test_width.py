"""How the comparison of two days grows with the columns: by the column, never by pairs of columns."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.explain.causes import REDEFINED, REFERRED, RENAMED, Scope
from logcache_tests.engine.app import sources_of
from logcache_tests.engine.compare.test_comparison import KEY, rows
from logcache_tests.engine.days import compare, compute_day, put_table
from logcache_tests.engine.wide import FIRST_T, SECOND_T, wide_definition, wide_log
from logcache_tests.engine.width import assert_linear, count_asked
from logcache_tests.engine.world import driver_in


def wide(width: int, *, changed_every: int) -> pl.DataFrame:
    """Rows of so many columns beside the key; one in so many has another value in one row, none if 0."""
    cells = {f"c{n}": ["a", "b" if changed_every and not n % changed_every else "a", None] for n in range(width)}
    return rows(**cells)


def comparison_of(width: int, store: FolderObjectStore, *, changed_every: int = 2) -> Comparison:
    """Two days of rows, each kind of cause reaching other columns on two prototypes."""
    some = {bit: frozenset({f"c{n}" for n in range(bit)}) for bit in (REFERRED, RENAMED, REDEFINED)}
    return Comparison(
        yesterday=put_table(store, wide(width, changed_every=0)),
        today=put_table(store, wide(width, changed_every=changed_every)),
        key=KEY,
        row_columns=frozenset({"id"}),
        token_key=b"k",
        scopes={"s0": Scope(after_t=5), "s1": Scope(after_t=6, columns=some, former_names={"c1": frozenset({"b"})})},
    )


def test_a_comparison_grows_linearly_with_its_columns(store: FolderObjectStore) -> None:
    """Thrice 40 more columns add as many calls and as much of a query each time, and no query."""

    def of_width(width: int) -> Callable[[], object]:
        driver, comparison = driver_in(store), comparison_of(width, store)
        return lambda: compare_tables(replace(comparison), driver, driver.scratch.at("comparison"))

    assert_linear(of_width, (40, 80, 120))


def test_columns_that_differ_in_no_row_are_not_looked_at_one_by_one(store: FolderObjectStore) -> None:
    """Of a wide table few columns change, so polars is asked for the flags of these alone."""

    def asked(changed_every: int) -> int:
        driver, comparison = driver_in(store), comparison_of(80, store, changed_every=changed_every)
        return sum(count_asked(lambda: compare_tables(comparison, driver, driver.scratch.at("comparison"))).queries)

    assert asked(changed_every=80) < 0.5 * asked(changed_every=1)


def test_explaining_by_a_log_grows_linearly_with_the_columns(store: FolderObjectStore) -> None:
    """What the log says of many columns is found at once, also what they showed in between: no query per column."""

    def of_width(width: int) -> Callable[[], object]:
        definition = wide_definition(width)
        (source,) = sources_of(definition, store, [wide_log(width)])
        yesterday, today = (compute_day(definition, [replace(source, until_t=t)], store) for t in (FIRST_T, SECOND_T))
        return lambda: compare(yesterday, today, store)

    assert_linear(of_width, (24, 48, 72))
