"""Copies of folders: on the folder store, and on one whose etags differ between equal objects."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.copying import CopyProgress
from logcache_assets.errors import Refused
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import CopyRequest, FailedCopy, ObjectStoreDenied, ObjectStoreUnavailable, StoredObject
from logcache_assets.refresh.copying import copy_folder
from logcache_assets.refresh.copying.copy_folder import FolderCopy
from logcache_assets.refresh.copying.ledger import open_ledger
from logcache_tests.adapters.multipart_store import MultipartStore

NOW = datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC)
CHANGED = r"target/f/3 is not what was copied: 3 bytes at the source"
Damage = Callable[[FolderObjectStore], object]
Kind = Callable[[Path, LocalClock], FolderObjectStore]


@pytest.fixture
def clock(tmp_path: Path) -> LocalClock:
    """A clock."""
    clock = LocalClock(tmp_path / "clock")
    clock.set(NOW)
    return clock


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    """Where the ledger lies."""
    return tmp_path / "ledger.sqlite"


def filled(kind: Kind, folder: Path, clock: LocalClock, objects: int = 5) -> FolderObjectStore:
    """A store with objects to copy."""
    store = kind(folder / "buckets", clock)
    store.create_bucket("source")
    store.create_bucket("target")
    for n in range(objects):
        store.write(f"s3://source/f/{n}", b"x" * n)
    return store


@pytest.fixture(params=[FolderObjectStore, MultipartStore])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: LocalClock) -> FolderObjectStore:
    """A store of each kind with objects to copy."""
    return filled(request.param, tmp_path, clock)


@contextmanager
def copying(store: FolderObjectStore, clock: LocalClock, ledger_file: Path, **more: object) -> Iterator[FolderCopy]:
    """A copy of source/f to target/f."""
    with open_ledger(ledger_file) as ledger:
        yield FolderCopy(
            store=store,
            clock=clock,
            ledger=ledger,
            source="s3://source/f/",
            destination="s3://target/f/",
            data_only=False,
            **more,  # type: ignore[arg-type]  # of FolderCopy
        )


def target_of(store: FolderObjectStore) -> dict[str, bytes]:
    """What lies at the destination."""
    return {uri.removeprefix("s3://target/f/"): store.read(uri) for uri in store.list_uris("s3://target/")}


WHOLE = {f"{n}": b"x" * n for n in range(5)}


def test_everything_is_copied_and_proven(store: FolderObjectStore, clock: LocalClock, ledger_file: Path) -> None:
    """Also empty objects; the ledger has a checksum of each, and progress ends at all of them."""
    told: list[CopyProgress] = []
    with copying(store, clock, ledger_file, progress=told.append) as copy:
        copy.run()
        entries = list(copy.ledger.entries())

    assert target_of(store) == WHOLE
    assert [entry.copy_checksum for entry in entries] == [store.head(f"s3://source/f/{n}").checksum for n in range(5)]
    assert (told[-1].objects_done, told[-1].objects, told[-1].bytes_done) == (5, 5, 10)


def test_data_alone_is_copied_if_wanted(store: FolderObjectStore, clock: LocalClock, ledger_file: Path) -> None:
    """What a writer left is left there, and does no harm at the destination."""
    store.write("s3://source/f/_SUCCESS", b"")
    store.write("s3://target/f/.crc", b"x")
    with open_ledger(ledger_file) as ledger:
        FolderCopy(store=store, clock=clock, ledger=ledger, source="s3://source/f/", destination="s3://target/f/").run()

    assert target_of(store) == {**{n: content for n, content in WHOLE.items() if content}, ".crc": b"x"}


class Dying(FolderObjectStore):
    """A store whose process is killed at the third copy."""

    copies = 0

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        Dying.copies += 1
        if Dying.copies == 3:
            raise KeyboardInterrupt
        return super().copy(source, destination_uri)


def test_a_copy_that_was_killed_goes_on(tmp_path: Path, clock: LocalClock, ledger_file: Path) -> None:
    """With its ledger or without it; what is there is not copied again."""
    Dying.copies = 0
    store = filled(Dying, tmp_path, clock)
    with pytest.raises(KeyboardInterrupt), copying(store, clock, ledger_file) as copy:
        copy.run()
    there = set(target_of(store))
    (ledger_file).unlink()

    with copying(store, clock, ledger_file) as copy:
        copy.run()

    assert 0 < len(there) < 5
    assert target_of(store) == WHOLE


class Denying(FolderObjectStore):
    """A store that may not be written after two copies."""

    copied = 0

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        Denying.copied += 1
        if Denying.copied > 2:
            raise ObjectStoreDenied("the AWS credentials expired; renew them, then run again")
        return super().copy(source, destination_uri)


def test_a_denial_ends_a_copy(tmp_path: Path, clock: LocalClock, ledger_file: Path) -> None:
    """All others would meet it too; what was copied stays proven for the next run."""
    Denying.copied = 0
    store = filled(Denying, tmp_path, clock, objects=200)

    with copying(store, clock, ledger_file) as copy:
        with pytest.raises(ObjectStoreDenied, match="renew them"):
            copy.run()
        missing = copy.ledger.inventory(missing_only=True).objects

    assert Denying.copied < 200
    assert missing == 198


class Copying(FolderObjectStore):
    """A store that tells what it copies, and fails at some names."""

    def __init__(self, buckets: Path, clock: LocalClock) -> None:
        super().__init__(buckets, clock)
        self.asked: list[str] = []
        self.failing: dict[str, int] = {}

    @override
    def copy_all(self, requests: Iterable[CopyRequest]) -> Iterator[StoredObject | FailedCopy]:
        for request in requests:
            name = request.destination_uri.removeprefix("s3://target/f/")
            self.asked.append(name)
            if self.failing.get(name, 0):
                self.failing[name] -= 1
                yield FailedCopy(request=request, error=ObjectStoreUnavailable(f"{name}: SlowDown"))
            else:
                yield from super().copy_all([request])


@pytest.fixture
def telling(tmp_path: Path, clock: LocalClock, monkeypatch: pytest.MonkeyPatch) -> Copying:
    """Such a store, and passes without a pause between them."""
    monkeypatch.setattr(copy_folder, "_PAUSE_SECONDS", 0)
    store = filled(Copying, tmp_path, clock)
    assert isinstance(store, Copying)
    return store


def test_what_is_proven_is_not_looked_at_again(telling: Copying, clock: LocalClock, ledger_file: Path) -> None:
    """A second run copies nothing."""
    for _ in range(2):
        with copying(telling, clock, ledger_file) as copy:
            copy.run()

    assert sorted(telling.asked) == sorted(WHOLE)


def test_what_could_not_be_answered_is_tried_once_more(telling: Copying, clock: LocalClock, ledger_file: Path) -> None:
    """After all others."""
    telling.failing = {"1": 1}

    with copying(telling, clock, ledger_file) as copy:
        copy.run()

    assert telling.asked == ["0", "1", "2", "3", "4", "1"]
    assert target_of(telling) == WHOLE


def test_every_failure_is_named_and_stops_no_other(telling: Copying, clock: LocalClock, ledger_file: Path) -> None:
    """One vanished, one changed, one is not answered: the others are copied, and the ledger names these three."""

    def vanish(_: object = None) -> None:
        telling.path_of("s3://source/f/1").unlink()
        telling.write("s3://source/f/2", b"other")

    telling.failing = {"3": 9}
    with copying(telling, clock, ledger_file) as copy:
        copy.freeze()
        copy.compare()
        vanish()
        with pytest.raises(Refused, match=r"3 of 5 files were not copied.*1 of them vanished.*copy again"):
            copy.copy_missing()
        failures = dict(copy.ledger.failures())

    assert sorted(failures) == ["1", "2", "3"]
    assert "s3://source/f/1" in failures["1"]
    assert "SlowDown" in failures["3"]
    assert target_of(telling) == {"0": b"", "4": b"xxxx"}


def test_an_outage_is_no_refusal(telling: Copying, clock: LocalClock, ledger_file: Path) -> None:
    """It may be tried again."""
    telling.failing = {"3": 9}

    says = "1 of 5 files were not copied, first: 3: SlowDown"
    with copying(telling, clock, ledger_file) as copy, pytest.raises(ObjectStoreUnavailable, match=says):
        copy.run()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("3", b"xxX", f"{CHANGED}, 3 bytes", id="other bytes"),
        pytest.param("3", b"x", f"{CHANGED}, 1 bytes", id="another size"),
        pytest.param("9", b"x", r"target/f/9 is not what was copied: absent at the source", id="a stranger"),
    ],
)
def test_nothing_is_overwritten(
    store: FolderObjectStore, clock: LocalClock, ledger_file: Path, *, name: str, content: bytes, says: str
) -> None:
    """The destination is looked at before the first copy."""
    store.write(f"s3://target/f/{name}", content)

    with copying(store, clock, ledger_file) as copy, pytest.raises(Refused, match=says):
        copy.run()

    assert target_of(store) == {name: content}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(
            lambda store: store.write("s3://target/f/2", b"Xx"), "2 bytes at the source, 2 bytes", id="changed"
        ),
        pytest.param(lambda store: store.path_of("s3://target/f/2").unlink(), "absent at the destination", id="gone"),
        pytest.param(lambda store: store.write("s3://target/f/9", b""), "absent at the source", id="added"),
    ],
)
def test_the_listing_at_the_end_proves_the_copies(
    store: FolderObjectStore, clock: LocalClock, ledger_file: Path, *, damage: Damage, says: str
) -> None:
    """Whatever happens to the destination between the copies and their proof."""
    with copying(store, clock, ledger_file) as copy:
        copy.freeze()
        copy.compare()
        copy.copy_missing()
        damage(store)
        with pytest.raises(Refused, match=says):
            copy.prove()


def test_nothing_is_no_source(store: FolderObjectStore, clock: LocalClock, ledger_file: Path) -> None:
    """A folder without objects is never copied."""
    with open_ledger(ledger_file) as ledger:
        copy = FolderCopy(
            store=store, clock=clock, ledger=ledger, source="s3://source/none/", destination="s3://target/f/"
        )
        with pytest.raises(Refused, match="no object lies at s3://source/none/: nothing was copied"):
            copy.run()


def test_a_copy_stops_when_its_sources_expire(store: FolderObjectStore, clock: LocalClock, ledger_file: Path) -> None:
    """The deadline is looked at again during the copy (C12)."""
    (ledger_file.parent / "lifecycle.json").write_text('{"source": 7}')
    with copying(store, clock, ledger_file) as copy:
        copy.freeze()
        copy.compare()
        clock.set(NOW + timedelta(days=7, seconds=1))
        with pytest.raises(Refused, match=r"expired at 2018-06-04 14:20 UTC, during the copy.*\(C12\)"):
            copy.copy_missing()

    assert target_of(store) == {}
