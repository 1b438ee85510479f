"""A table may have columns of any name, also of those that the comparison gives to columns of its own."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

import msgspec
import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.engine import compare, explain
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.digests import key_hash
from logcache_assets.engine.explain.causes import TOUCHED, Scope
from logcache_assets.engine.explain.joined_columns import ENTITY, HELD, PRESENT, WHY_BITS, WHY_T
from logcache_assets.engine.storage import shards
from logcache_assets.engine.storage.shards import put_shards
from logcache_tests.engine.days import put_table
from logcache_tests.engine.world import driver_in


def words_of_the_code() -> Iterator[str]:
    """Every text and every name of an argument in the code of the comparison: what names a column is among them."""
    names = (f"{room.__name__}.{m.name}" for room in (compare, explain) for m in iter_modules(room.__path__))
    for module in (*map(import_module, names), shards):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                case ast.Constant(value=str(text)) if text.isprintable() and " " not in text:
                    yield text
                case ast.keyword(arg=str(name)):
                    yield name


OF_CONTRACTS = {"", "prototype", "db__t"}
"""Words that are no name, or names that mean the same in every contract."""
NAMES = sorted({*words_of_the_code(), "k", "row", "today:amount", "differs:amount"} - OF_CONTRACTS)


def days_of(keys: Sequence[str], cells: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Two days of six rows: one is gone, one is new, one changed in all its cells, and two have one key."""
    columns = {**{name: list("abcdee") for name in keys}, **{name: list("012345") for name in cells}}
    for gone, changed in (("d", "1"), ("c", "new")):
        frame = pl.DataFrame({"prototype": ["s0"] * 6, **columns})
        yield frame.with_columns(pl.col(cells).replace("1", changed)).filter(pl.col(keys[0]) != gone)


def figures_of(
    keys: Sequence[str], cells: Sequence[str], store: FolderObjectStore, *, bucket_rows: int = 100
) -> ContractFigures:
    """The comparison of both days, of which the log knows the changed row and those with one key."""
    yesterday, today = days_of(keys, cells)
    comparison = Comparison(
        yesterday=put_table(store, yesterday),
        today=put_table(store, today),
        key=(keys[0], "prototype", *keys[1:]),
        row_columns=frozenset(keys),
        token_key=b"k",
        scopes={"s0": Scope(after_t=5)},
        bucket_rows=bucket_rows,
    )
    known = today.filter(pl.col(keys[0]).is_in(["b", "e"])).with_columns(
        pl.Series(PRESENT, [True] * 3),
        pl.Series(WHY_BITS, [TOUCHED, 0, 0], pl.UInt8()),
        pl.Series(WHY_T, [7, None, None], pl.Int64()),
        pl.Series(ENTITY, [1, 2, 3]),
        pl.Series(HELD, [True] * 3),
    )
    hashed = known.with_columns(key_hash(known, comparison.columns))
    recorded = tuple(put_shards(hashed, buckets=comparison.buckets, folder=None))
    driver = driver_in(store)
    return compare_tables(replace(comparison, recorded=recorded), driver, driver.scratch.at("comparison")).figures


def outcome(found: ContractFigures, cells: Sequence[str]) -> object:
    """What is found, without tokens, and with the numbers of columns for their names."""
    prototypes = {
        name: msgspec.structs.replace(f, columns={cells.index(c): f.columns[c] for c in f.columns})
        for name, f in (found.prototypes or {}).items()
    }
    patterns = [
        msgspec.structs.replace(p, columns=[cells.index(c) for c in p.columns], examples=()) for p in found.patterns
    ]
    return prototypes, sorted(map(repr, patterns)), found.today.shared_keys, found.today.duplicate_keys


@pytest.mark.parametrize("bucket_rows", [1, 100], ids=["several buckets", "one bucket"])
def test_cells_are_compared_and_explained_whatever_their_names(bucket_rows: int, store: FolderObjectStore) -> None:
    """A table with a column of every name in the code gives what one with other names gives."""
    others = [f"column {n}" for n in range(len(NAMES))]

    found = figures_of(["the key"], NAMES, store, bucket_rows=bucket_rows)

    right = figures_of(["the key"], others, store, bucket_rows=bucket_rows)
    assert outcome(found, NAMES) == outcome(right, others)
    assert (found.reasons, found.today.shared_keys) == ({"new-transaction": 1, "unexplained": 2}, 1)


@pytest.mark.parametrize("keys", [NAMES[n::10] for n in range(10)], ids=range(10))
def test_keys_are_compared_and_explained_whatever_their_names(keys: list[str], store: FolderObjectStore) -> None:
    """The columns of a key keep their names beside those that the comparison adds."""
    found = figures_of(keys, ["a cell"], store)

    right = figures_of(["the key"], ["a cell"], store)
    assert outcome(found, ["a cell"]) == outcome(right, ["a cell"])
