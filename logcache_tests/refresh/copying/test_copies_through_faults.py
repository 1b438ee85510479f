"""Copies of folders on S3 through faults: done and proven, or every object that is not there is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.errors import Refused
from logcache_assets.ports import ObjectStoreDenied
from logcache_assets.refresh.copying.copy_folder import FolderCopy
from logcache_assets.refresh.copying.ledger import open_ledger
from logcache_tests.adapters.aws.s3_scene import OBJECTS, Scene, content_of, filled_scene
from logcache_tests.servers.fault_proxy.faults import Fault, Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy

pytestmark = pytest.mark.servers

HALF_OF_THE_TIME = Faults(expire_after=OBJECTS // 2)
WHOLE = {f"{number:03}": content_of(number) for number in range(OBJECTS)}


@pytest.fixture
def scene(s3_proxy: FaultProxy) -> Scene:
    """Objects of a kilobyte."""
    return filled_scene(s3_proxy)


@contextmanager
def copying(scene: Scene, folder: Path) -> Iterator[FolderCopy]:
    """A copy of source/f to target/f, whose ledger is in a folder."""
    with open_ledger(folder / "ledger.sqlite") as ledger:
        yield FolderCopy(
            store=scene.store,
            clock=SystemClock(),
            ledger=ledger,
            source="s3://source/f/",
            destination="s3://target/f/",
            data_only=False,
        )


def test_a_folder_is_copied_through_every_passing_fault(scene: Scene, tmp_path: Path) -> None:
    """Each copy is proven by a checksum, and no object was asked for that was there."""
    faults = Faults(slow_down=0.1, dropped_reply=0.05, error_in_200=0.05, latency_seconds=0.01)

    with scene.proxy.injecting(faults), copying(scene, tmp_path) as copy:
        copy.run()
        entries = list(copy.ledger.entries())
        injected = set(scene.proxy.injected)

    assert injected == {Fault.SLOW_DOWN, Fault.DROPPED_REPLY, Fault.ERROR_IN_200}
    assert scene.target() == WHOLE
    assert [entry.name for entry in entries] == sorted(WHOLE)
    assert all(entry.copy_checksum for entry in entries)


def test_every_vanished_source_is_named_and_all_others_are_copied(scene: Scene, tmp_path: Path) -> None:
    """The refusal counts them, the ledger names each, and the folder is not proven."""
    with scene.proxy.injecting(Faults(vanished=0.01, seed=3)), copying(scene, tmp_path) as copy:
        with pytest.raises(Refused) as refusal:
            copy.run()
        named = [name for name, _ in copy.ledger.failures()]

    gone = sorted(set(WHOLE) - {uri.rpartition("/")[2] for uri in scene.store.list_uris("s3://source/f/")})
    assert len(gone) > 1
    assert named == gone
    assert f"{len(gone)} of {OBJECTS} files were not copied" in str(refusal.value)
    assert f"{len(gone)} of them vanished" in str(refusal.value)
    assert scene.target() == {name: content for name, content in WHOLE.items() if name not in gone}


def test_a_copy_without_credentials_stops_and_goes_on_with_others(scene: Scene, tmp_path: Path) -> None:
    """Only what is missing is copied then."""
    with (
        scene.proxy.injecting(HALF_OF_THE_TIME),
        copying(scene, tmp_path) as copy,
        pytest.raises(ObjectStoreDenied, match="the AWS credentials expired"),
    ):
        copy.run()
    there = len(scene.target())

    with scene.proxy.injecting(Faults()), copying(scene, tmp_path) as copy:
        copy.run()
        asked = scene.proxy.operations["CopyObject"]

    assert 0 < there < OBJECTS
    assert asked == OBJECTS - there
    assert scene.target() == WHOLE


def test_a_copy_goes_on_without_its_ledger(scene: Scene, tmp_path: Path) -> None:
    """What an earlier attempt left is compared with its source, also one that was written with another checksum."""
    with scene.proxy.injecting(HALF_OF_THE_TIME), copying(scene, tmp_path) as copy, pytest.raises(ObjectStoreDenied):
        copy.run()
    (tmp_path / "ledger.sqlite").unlink()

    with copying(scene, tmp_path) as copy:
        copy.run()

    assert scene.target() == WHOLE


def test_damaged_listings_are_asked_for_again(scene: Scene, tmp_path: Path) -> None:
    """A listing that is cut short is never a short listing."""
    with scene.proxy.injecting(Faults(truncated=0.5, operations=frozenset({"ListObjectsV2"}))):
        with copying(scene, tmp_path) as copy:
            copy.run()
        assert scene.proxy.injected[Fault.TRUNCATED]

    assert scene.target() == WHOLE
