"""Promises of the local segment index alone: its file, removal, malformed items."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.domain.instances import Instance
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.ports import SegmentIndexError, SegmentIndexUnavailable, SegmentIndexWrongData
from logcache_tests.adapters.test_segment_index import FEED, FIRST, SECOND


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file whose name needs quoting in a URI."""
    return tmp_path / "a world?#%" / "index.sqlite"


def spoil(path: Path, field: str, value: object) -> None:
    """Write a value into the first item as a broken extractor would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        statement = f"UPDATE segments SET {field} = ? WHERE last_t = ?"  # noqa: S608 - a test's own names
        assert connection.execute(statement, (value, FIRST.last_t)).rowcount == 1


def test_another_process_sees_what_was_put(path: Path) -> None:
    """The file is the index."""
    LocalSegmentIndex(path).put([FIRST, SECOND])

    assert LocalSegmentIndex(path).segments(FEED) == (FIRST, SECOND)


def test_a_missing_file_is_an_error(path: Path) -> None:
    """A missing index is an error, not an empty index, and reading does not make one."""
    with pytest.raises(SegmentIndexError, match=r"index\.sqlite: there is no segment index.*logcache local reset"):
        LocalSegmentIndex(path).segments(FEED)
    with pytest.raises(SegmentIndexError, match="there is no segment index"):
        LocalSegmentIndex(path).newest_t(FEED)
    with pytest.raises(SegmentIndexError, match="there is no segment index"):
        LocalSegmentIndex(path).extracted_since(FEED, before_t=1, since=FIRST.extracted_at)
    with pytest.raises(SegmentIndexError, match="there is no segment index"):
        LocalSegmentIndex(path).remove(FEED, 1)

    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all"])
def test_a_file_that_is_no_index_is_an_error(path: Path, content: bytes) -> None:
    """An empty or foreign file answers nothing, and never will: the next read would find no table either."""
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(SegmentIndexWrongData, match=r"index\.sqlite.*logcache local reset"):
        LocalSegmentIndex(path).segments(FEED)


def test_a_file_that_another_process_holds_is_unavailable(path: Path) -> None:
    """The same read may succeed once the other process is done."""
    LocalSegmentIndex(path).put([FIRST])
    index = LocalSegmentIndex(path, reads=RepeatedReads(attempts=1), busy_seconds=0)

    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SegmentIndexUnavailable, match=r"cannot answer .*locked.*; run again"):
            index.segments(FEED)

    assert index.segments(FEED) == (FIRST,)


def test_a_removed_item_is_gone(path: Path) -> None:
    """The others stay."""
    index = LocalSegmentIndex(path)
    index.put([FIRST, SECOND])

    index.remove(FEED, FIRST.last_t)

    assert index.segments(FEED) == (SECOND,)


def test_removing_what_is_not_there_is_refused(path: Path) -> None:
    """A typing mistake in a last_t, or another prototype, removes nothing silently."""
    index = LocalSegmentIndex(path)
    index.put([FIRST])

    for instance, last_t in ((FEED, 999), (Instance(database="feed", prototype="s1"), FIRST.last_t)):
        with pytest.raises(SegmentIndexError, match=str(last_t)):
            index.remove(instance, last_t)
    assert index.segments(FEED) == (FIRST,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("last_t", "95599N", id="t as it prints"),
        pytest.param("last_t", "1213", id="t as text"),
        pytest.param("last_batch_t", 0.5, id="a fraction"),
        pytest.param("initial_t", None, id="null"),
        pytest.param("timestamp", -1, id="negative"),
        pytest.param("path", 7, id="path no text"),
        pytest.param("path", "/local/file.avro", id="path no URI"),
        pytest.param("database", "food", id="another database than the key's"),
        pytest.param("prototype", "s99", id="an unknown prototype"),
        pytest.param("last_batch_t", 1213, id="an empty range"),
    ],
)
def test_a_malformed_item_is_named(path: Path, field: str, value: object) -> None:
    """The error names file, item and field; the good items beside it are not answered alone."""
    index = LocalSegmentIndex(path)
    index.put([FIRST, SECOND])
    spoil(path, field, value)

    with pytest.raises(SegmentIndexError, match=rf"index\.sqlite, item feed-s0 / last_t .*{field}"):
        index.segments(FEED)


def test_older_items_are_not_read(path: Path) -> None:
    """A malformed item is no error for a query whose answer does not contain it."""
    index = LocalSegmentIndex(path)
    index.put([FIRST, SECOND])
    spoil(path, "path", 7)

    assert index.segments(FEED, after_t=FIRST.last_t) == (SECOND,)
    assert index.newest_t(FEED) == SECOND.last_t


def test_a_malformed_newest_item_has_no_t(path: Path) -> None:
    """A t as text sorts behind every number, so it is the newest, and is refused."""
    index = LocalSegmentIndex(path)
    index.put([FIRST, SECOND])
    spoil(path, "last_t", "95599N")

    with pytest.raises(SegmentIndexError, match=r"index\.sqlite, item feed-s0 / last_t '95599N'.*last_t"):
        index.newest_t(FEED)


def test_a_malformed_timestamp_is_not_taken_for_an_old_one(path: Path) -> None:
    """A cache must not pass for fresh because nobody could read when its segment was extracted."""
    index = LocalSegmentIndex(path)
    index.put([FIRST, SECOND])
    spoil(path, "timestamp", "yesterday")

    with pytest.raises(SegmentIndexError, match=r"item feed-s0 / last_t 1213.*timestamp"):
        index.extracted_since(FEED, before_t=FIRST.last_t, since=FIRST.extracted_at)
