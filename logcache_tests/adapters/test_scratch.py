"""Scratch folders are gone when the work ends, however it ends."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NoReturn

import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.scratch import local_driver, stored_scratch
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.ports import ObjectStoreDenied

PREFIX = "s3://ephemeral/_logcache/"


class KeepsAll(FolderObjectStore):
    """A store in which nobody may remove anything."""

    @override
    def _remove(self, uris: Sequence[str]) -> NoReturn:
        raise ObjectStoreDenied("it may not be removed")


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """A store with an ephemeral bucket."""
    return store_of(tmp_path, FolderObjectStore)


def store_of(folder: Path, kind: type[FolderObjectStore]) -> FolderObjectStore:
    """A store of a kind, with the bucket."""
    store = kind(folder, SystemClock())
    store.create_bucket("ephemeral")
    return store


def refuse_line(line: str) -> None:
    """Nothing is to be told."""
    raise AssertionError(line)


def work_in(scratch: Folder, *, fails: bool) -> None:
    """Leave something in a folder, and end or fail."""
    scratch.store.write(scratch.at("feed-s0/00000").at("datoms.parquet").uri, b"datoms")
    if fails:
        raise EngineError("the work's own error")


HOWEVER = pytest.mark.parametrize("fails", [False, True], ids=["good work", "work that fails"])


def ending(*, fails: bool) -> AbstractContextManager[object]:
    """Takes the error of work that fails."""
    return pytest.raises(EngineError, match="the work's own error") if fails else nullcontext()


@HOWEVER
def test_a_stored_folder_is_removed(store: FolderObjectStore, *, fails: bool) -> None:
    """That of other work stays, and every piece of work has one of its own."""
    with stored_scratch(store, PREFIX, refuse_line) as other:
        work_in(other, fails=False)

        with ending(fails=fails), stored_scratch(store, PREFIX, refuse_line) as scratch:
            work_in(scratch, fails=fails)

        assert [uri.startswith(other.uri) for uri in store.list_uris("s3://ephemeral/")] == [True]
    assert list(store.list_uris("s3://ephemeral/")) == []


@HOWEVER
def test_what_may_not_be_removed_expires(tmp_path: Path, *, fails: bool) -> None:
    """A line says so; the work's result, or its error, is not lost for that."""
    told: list[str] = []

    with ending(fails=fails), stored_scratch(store_of(tmp_path, KeepsAll), PREFIX, told.append) as scratch:
        work_in(scratch, fails=fails)

    assert told == [f"{scratch.uri} stays until its bucket's objects expire: it may not be removed"]


@HOWEVER
def test_a_folder_of_this_computer_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    """With all that a driver's tasks left there."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with ending(fails=fails), local_driver() as driver:
        assert list(tmp_path.iterdir())
        work_in(driver.scratch, fails=fails)

    assert list(tmp_path.iterdir()) == []
