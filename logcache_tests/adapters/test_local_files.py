"""Folders that a user names: read by path, never written."""

import socket
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.local_files import LocalFiles
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.ports import ObjectNotFoundError, ObjectStoreError, ObjectStoreUnavailable, StoredObject
from logcache_tests.adapters.repaired_reads import RepairedReads
from logcache_tests.worlds import files_of


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two files in `today`, and one outside it."""
    for name in ("today/b/1.parquet", "today/a.parquet", "todays.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        pl.DataFrame({"n": [1]}).write_parquet(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        pytest.param("today/", ["today/a.parquet", "today/b/1.parquet"], id="a folder"),
        pytest.param("./today/", ["./today/a.parquet", "./today/b/1.parquet"], id="a folder from here"),
        pytest.param("today/b/", ["today/b/1.parquet"], id="a folder in it"),
        pytest.param("today/a", ["today/a.parquet"], id="a part of a name"),
        pytest.param("todays", ["todays.parquet"], id="a part of a name, from here"),
        pytest.param("yesterday/", [], id="no such folder"),
        pytest.param("todays.parquet/", [], id="a file as a folder"),
    ],
)
def test_files_are_listed_as_the_folder_was_written(prefix: str, expected: list[str]) -> None:
    """Ascending by path; a missing folder has no files."""
    store = LocalFiles()

    assert list(store.list_uris(prefix)) == expected
    assert [item.uri for item in store.list_objects(prefix)] == expected


def test_an_absolute_folder_gives_absolute_paths(here: Path) -> None:
    """Paths are spelled as the user spelled the folder."""
    assert list(LocalFiles().list_uris(f"{here}/today/b/")) == [f"{here}/today/b/1.parquet"]


def test_a_file_is_read_from_any_working_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine gets an absolute path, because Spark's workers do not start where the command did."""
    source = LocalFiles().polars_source("today/a.parquet").location
    monkeypatch.chdir("/")

    assert pl.read_parquet(source)["n"].to_list() == [1]
    assert LocalFiles().read(source) == (here / "today/a.parquet").read_bytes()


def test_another_content_has_another_etag(here: Path) -> None:
    """The listing shows another etag and another size."""
    store = LocalFiles()
    before = store.head("today/a.parquet")
    (here / "today/a.parquet").write_bytes(b"more")

    after = store.head("today/a.parquet")

    assert after.size_bytes == 4
    assert after.etag != before.etag


@pytest.mark.parametrize("path", ["today/gone.parquet", "today/a.parquet/1", "today/b"])
def test_what_is_no_file_is_not_found(path: str) -> None:
    """The message names the path as the caller spelled it."""
    for ask in (LocalFiles().read, LocalFiles().head):
        with pytest.raises(ObjectNotFoundError, match=f"there is no file {path};"):
            ask(path)


def test_nothing_is_written(here: Path) -> None:
    """Every writing method is refused and the folders stay unchanged."""
    store, before = LocalFiles(), files_of(here)
    listed: StoredObject = store.head("today/a.parquet")

    with pytest.raises(ObjectStoreError, match="only read"):
        store.write("today/a.parquet", b"")
    with pytest.raises(ObjectStoreError, match="only read"):
        store.create("today/c.parquet", b"")
    with pytest.raises(ObjectStoreError, match="only read"):
        store.copy(listed, "today/c.parquet")

    assert files_of(here) == before


@pytest.mark.parametrize("ask", ["read", "head"])
def test_a_file_that_cannot_be_opened_now_is_asked_for_again(here: Path, ask: str) -> None:
    """A short outage is repaired by repeating; a long one is raised as an outage."""
    name = "today/out.parquet"
    with socket.socket(socket.AF_UNIX) as out:
        out.bind(name)  # opening it fails with `no such device`

    with pytest.raises(ObjectStoreUnavailable, match=f"{name} cannot be read"):
        getattr(LocalFiles(reads=RepeatedReads(attempts=1)), ask)(name)
    repaired = LocalFiles(reads=RepairedReads(repair=lambda: (here / "today/a.parquet").replace(name)))

    assert getattr(repaired, ask)(name) == getattr(LocalFiles(), ask)(name)
