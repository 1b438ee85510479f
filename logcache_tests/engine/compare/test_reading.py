"""Both days are read once, side by side; what differs is kept within bounds."""

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.compare.contract_files import PIECE_ROWS, Piece
from logcache_assets.engine.compare.digests import KEYS, ExtractTask
from logcache_assets.engine.compare.planning import pair_pieces, plan_columns, split_by_share
from logcache_assets.engine.compare.reading import KEPT_BYTES, Digested, ReadTask
from logcache_assets.engine.storage.parquet import ROW_GROUP_ROWS
from logcache_assets.engine.storage.shards import K
from logcache_tests.engine.compare.test_comparison import CountingDriver, compared, cut_small, rows
from logcache_tests.engine.days import put_table
from logcache_tests.engine.storage.test_own_texts import batch_of, held_bytes
from logcache_tests.engine.world import driver_in

KEY = ("id", "prototype")
MANY = 40


def days_of(changed: int = 20) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two days of many rows, sorted by key, of which one changed."""
    ids = [f"{n:03}" for n in range(MANY)]
    yesterday = rows(id=ids, amount=range(MANY), note=["a text that is longer than a view holds"] * MANY)
    return yesterday, yesterday.with_columns(amount=pl.when(pl.col("amount") != changed).then("amount").otherwise(-1))


def read(
    yesterday: pl.DataFrame,
    today: pl.DataFrame,
    store: FolderObjectStore,
    *,
    touched: pl.Series = KEYS[K],
    most_kept_bytes: int = KEPT_BYTES,
) -> tuple[Digested, Digested]:
    """What one task finds that reads both days three rows at a time."""
    one, other = (cut_small(put_table(store, frame), 3) for frame in (yesterday, today))
    (pieces,) = pair_pieces(one.pieces, other.pieces)
    task = ReadTask(
        tables=(one, other),
        pieces=pieces,
        columns=plan_columns(KEY, yesterday=one.schema, today=other.schema),
        buckets=1,
        recorded=frozenset(),
        touched=touched,
        folder=None,
        most_kept_bytes=most_kept_bytes,
    )
    return task.run()


def test_rows_that_differ_are_kept_and_all_others_are_known_to_be_equal(store: FolderObjectStore) -> None:
    """Of 40 rows one changed: both days keep it, whole."""
    both = read(*days_of(changed=20), store)

    for day, amount in zip(both, (20, -1), strict=True):
        assert [shard.read()["amount"].to_list() for shard in day.kept] == [[amount]]
        assert day.kept_rows.to_list() == [20]
        assert sum(len(shard.read()) for shard in day.equal) == MANY - 1
        assert sum(len(shard.read()) for shard in day.others) == 1


def test_rows_of_which_the_log_says_something_are_kept_though_the_days_agree(store: FolderObjectStore) -> None:
    """The log may say that such a row should have changed."""
    yesterday, today = days_of(changed=20)
    touched = read(yesterday.filter(pl.col("id") == "007"), today.clear(), store)[0].others[0].read()[K]

    both = read(yesterday, today, store, touched=touched)

    assert [sorted(day.kept_rows) for day in both] == [[7, 20], [7, 20]]


def test_of_rows_beyond_the_bound_only_digests_are_kept(store: FolderObjectStore) -> None:
    """Tables in other orders differ everywhere until the end, and memory must not hold them."""
    yesterday, today = days_of()

    both = read(yesterday, today.reverse(), store, most_kept_bytes=1)

    for day in both:
        assert day.kept_rows.is_empty()
        assert sum(len(s.read()) for s in (*day.equal, *day.others)) == MANY


def test_rows_that_are_read_again_do_not_hold_the_texts_of_all_others(store: FolderObjectStore) -> None:
    """Few rows of a big table are wanted, and polars shares a batch's texts with each of its rows."""
    table = put_table(store, batch_of(1000).with_columns(id="n", prototype=pl.lit("s0")))
    task = ExtractTask(
        table=table,
        pieces=table.pieces,
        columns=plan_columns(KEY, yesterday=table.schema, today=table.schema),
        rows=pl.Series([7]),
        buckets=1,
        folder=None,
        side=0,
    )

    (shard,) = task.run().shards

    assert shard.read()["n"].to_list() == [7]
    assert held_bytes(shard.read().drop(K)) < 0.1 * held_bytes(batch_of(1000))


@pytest.mark.parametrize("reverse", [False, True], ids=["sorted alike", "in other orders"])
def test_tables_that_are_sorted_alike_are_read_once(store: FolderObjectStore, *, reverse: bool) -> None:
    """What was kept is not read again; in other orders, more than is kept must be."""
    yesterday, today = days_of()
    one, other = (put_table(store, day) for day in (yesterday, today.reverse() if reverse else today))
    driver = CountingDriver(driver_in(store).scratch)

    found = compared(cut_small(one, 3), cut_small(other, 3), driver, kept_bytes=KEPT_BYTES if not reverse else 1)

    assert found.changed == 1
    assert driver.ran["ReadTask"] == 1
    assert driver.ran["ExtractTask"] == (2 if reverse else 0)


def test_tasks_cut_both_tables_at_the_same_share_of_their_rows(store: FolderObjectStore) -> None:
    """Files of other sizes on each day must not move the keys of one task apart."""
    frame = rows(id=[f"{n:02}" for n in range(12)], amount=range(12))
    one = put_table(store, frame.head(7), frame.tail(5))
    other = put_table(store, frame.head(2), frame.tail(10))

    parts = list(zip(*(_rows_by_task(table.pieces) for table in (one, other)), strict=True))

    assert parts == [([(0, 4)], [(0, 4)]), ([(4, 8)], [(4, 8)]), ([(8, 12)], [(8, 12)])]


def test_pieces_of_our_own_files_begin_with_a_row_group() -> None:
    """A row group that is cut is decoded for each of its pieces."""
    assert PIECE_ROWS % ROW_GROUP_ROWS == 0


def _rows_by_task(pieces: tuple[Piece, ...]) -> list[list[tuple[int, int]]]:
    """Of each of three tasks, the ranges of rows, with neighbours joined."""
    found = [[(piece.begin, piece.begin + piece.rows) for piece in own] for own in split_by_share(pieces, 3)]
    return [[(own[0][0], own[-1][1])] for own in found]
