"""A raw log written as a segment is the same log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.engine.raw.log_as_segment import WrittenSegments, write_log_as_segment
from logcache_assets.engine.storage.parquet import parquet_bytes
from logcache_assets.engine.storage.schemas import LOG_SCHEMA, TX_BASE

FEED = Instance(database="feed", prototype="s0")
AT = datetime(2018, 5, 24, tzinfo=UTC)


def log_of(texts: list[str]) -> pl.DataFrame:
    """A log with a tx for each text, at t 1000, 1001 and so on; each tx asserts its instant first."""
    rows = []
    for t, text in enumerate(texts, 1000):
        instant = AT - timedelta(days=1) + timedelta(seconds=t)
        own = f"{instant:%Y-%m-%dT%H:%M:%S}.000Z"
        rows += [
            (TX_BASE + t, 50, own, t, TX_BASE + t, True, instant),
            (2**60 + t, 77, text, t, TX_BASE + t, True, instant),
        ]
    return pl.DataFrame(rows, LOG_SCHEMA, orient="row")


def store_in(folder: Path) -> FolderObjectStore:
    """A store with one bucket."""
    store = FolderObjectStore(folder, SystemClock())
    store.create_bucket("ephemeral")
    return store


def written(folder: Path, *frames: pl.DataFrame) -> WrittenSegments:
    """The files of a log, written as a segment."""
    store = store_in(folder)
    uris = [f"s3://ephemeral/log/part-{number}.parquet" for number in range(len(frames))]
    for uri, frame in zip(uris, frames, strict=True):
        store.write(uri, parquet_bytes(frame))
    out = Folder(store, "s3://ephemeral/out")
    return WrittenSegments({FEED: write_log_as_segment(FEED, uris, store=store, out=out, read_at=AT)})


def test_it_reads_as_what_was_written(tmp_path: Path) -> None:
    """Texts of any length and script, from several files in any order; more datoms than a block has."""
    texts = ["", "a", "ação", "\U0001f600" * 500, "x" * 100_000, *map(str, range(30_000))]
    log = log_of(texts)

    index = written(tmp_path, log.tail(len(log) - 6), log.head(6))

    (segment,) = index.segments(FEED)
    assert read_segment(segment, FolderObjectStore(tmp_path, SystemClock())).equals(log)
    assert (index.newest_t(FEED), segment.last_batch_t) == (999 + len(texts), 0)
    assert index.segments(FEED, after_t=segment.last_t) == ()
    assert index.newest_t(Instance(database="feed", prototype="s1")) == 0
    assert index.extracted_since(FEED, before_t=10**9, since=AT) == ()


def test_columns_of_another_width_are_converted(tmp_path: Path) -> None:
    """As other writers have them; no value changes."""
    log = log_of(["a", "b"])
    other = log.with_columns(pl.col("t").cast(pl.Int32), pl.col("tx_instant").cast(pl.Datetime("us")))

    (segment,) = written(tmp_path, other.with_columns(pl.col("tx_instant").dt.replace_time_zone("UTC"))).segments(FEED)

    assert read_segment(segment, FolderObjectStore(tmp_path, SystemClock())).equals(log)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        pytest.param(log_of(["a"]).drop("tx"), "has no column tx", id="a column less"),
        pytest.param(log_of([]), "is empty", id="empty"),
        pytest.param(log_of(["a"]).with_columns(v=pl.lit(None, pl.String)), "has nulls", id="nulls"),
        pytest.param(log_of(["a"]).with_columns(t=pl.lit("x")), "cannot hold", id="a text for a number"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, log: pl.DataFrame, why: str) -> None:
    """Without showing a value."""
    with pytest.raises(EngineError, match=f"feed-s0: the raw log .*{why}"):
        written(tmp_path, log)

    assert not list((tmp_path).rglob("*.avro"))
