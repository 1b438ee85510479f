"""Copies are proven by size and checksum, on stores where equal objects have equal etags and where they do not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.documents import PermanentLog
from logcache_assets.domain.log_documents import FileProof, LogExport, Manifest, RawDataset
from logcache_assets.errors import Refused
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import ObjectStoreUnavailable, StoredObject
from logcache_assets.refresh.copy_logs import Copier, find_intact_copy
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import find_damage
from logcache_assets.settings import Settings
from logcache_tests.adapters.multipart_store import MultipartStore
from logcache_tests.domain.samples import raw_logs
from logcache_tests.worlds import files_of

NOW = datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC)
NIGHT = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
CHECKSUMS = {"123456789": "crc64nvme:ae8b14860a799888", "": "crc64nvme:0000000000000000"}
"""Text of a file → its CRC64NVME: the check value of the algorithm's definition, and that of nothing."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Two buckets, the raw datasets of one instance in the first, and what the export says of them."""

    folder: Path
    store: FolderObjectStore
    clock: LocalClock
    settings: Settings
    export: LogExport

    def copy(self) -> PermanentLog:
        """Copy the export, and store the document as the stage does."""
        document = Copier(self.store, self.clock, self.settings).copy_export(self.export)
        uri = self.settings.locations.permanent_log(transaction=NIGHT, database="feed")
        Documents(self.store).write(uri, document)
        return document

    def manifest(self, document: PermanentLog) -> Manifest:
        """The manifest of the one cached log."""
        return Documents(self.store).read(document.logs[0].manifest, Manifest)

    def find_intact(self) -> PermanentLog | None:
        """The copy that a second materialization finds, if any."""
        return find_intact_copy(Documents(self.store), self.export, self.settings)

    @property
    def copied_file(self) -> Path:
        """One of the copied files."""
        return self.store.path_of(f"s3://{self.settings.permanent_bucket}/cache/feed-s0/7-49ae32bb/log/part-0.parquet")


Kind = Callable[[Path, LocalClock], FolderObjectStore]


def bench_over(folder: Path, kind: Kind) -> Bench:
    """An export of two files per dataset, on a store of this kind."""
    settings = Settings(home=str(folder))
    clock = LocalClock(folder / "clock")
    clock.set(NOW)
    store = kind(folder / "buckets", clock)
    for bucket in (settings.ephemeral_bucket, settings.permanent_bucket):
        store.create_bucket(bucket)
    log, entities = (raw_dataset(store, f"s3://{settings.ephemeral_bucket}/{name}") for name in ("log", "entities"))
    logs = msgspec.structs.replace(raw_logs(), log=log, materialized_entities=entities)
    export = LogExport(transaction=NIGHT, database="feed", source_read_at=NOW, instances=(logs,))
    return Bench(folder=folder, store=store, clock=clock, settings=settings, export=export)


def raw_dataset(store: FolderObjectStore, uri: str) -> RawDataset:
    """A dataset of files with known checksums, described as the notebook does: from a listing."""
    for number, text in enumerate(CHECKSUMS):
        store.write(f"{uri}/part-{number}.parquet", text.encode())
    files = tuple(
        FileProof(name=item.uri.removeprefix(f"{uri}/"), size_bytes=item.size_bytes, etag=item.etag)
        for item in store.list_objects(f"{uri}/")
    )
    return RawDataset(uri=uri, files=files, columns={}, rows=1, last_t=7, fingerprint="")


@pytest.fixture(params=[FolderObjectStore, MultipartStore])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """The bench on both kinds of stores."""
    return bench_over(tmp_path, request.param)


def test_the_manifest_holds_what_each_copy_answered(bench: Bench) -> None:
    """Every file with its checksum and the etag of the destination, whatever the source's is."""
    manifest = bench.manifest(bench.copy())

    for dataset in (manifest.log, manifest.materialized_entities):
        assert [file.checksum for file in dataset.files] == list(CHECKSUMS.values())
        assert [file.etag for file in dataset.files] == [
            bench.store.head(f"{dataset.uri}/{file.name}").etag for file in dataset.files
        ]
    assert list(find_damage(manifest, bench.store)) == []
    assert bench.find_intact() is not None


def test_etags_of_source_and_copy_differ_where_the_store_has_it_so(tmp_path: Path) -> None:
    """The case that the etag of a source says nothing about: without it, these tests would prove nothing."""
    bench = bench_over(tmp_path, MultipartStore)

    manifest = bench.manifest(bench.copy())

    sources = {file.etag for file in bench.export.instances[0].log.files}
    assert sources.isdisjoint(file.etag for file in manifest.log.files)


@pytest.mark.parametrize("lost", ["manifest.json", "log/part-0.parquet"])
def test_a_resumed_copy_writes_the_same_manifest(bench: Bench, lost: str) -> None:
    """Files found in place are proven by HEAD, and recorded like those that were copied."""
    bench.copy()
    folder = bench.copied_file.parent.parent
    before = files_of(folder)
    (folder / lost).unlink()
    (folder / "manifest.json").unlink(missing_ok=True)

    bench.copy()

    assert files_of(folder) == before


def test_a_file_of_equal_size_and_other_bytes_is_a_conflict(bench: Bench) -> None:
    """An interrupted copy left it, or somebody else: it is neither taken nor overwritten."""
    bench.copied_file.parent.mkdir(parents=True)
    bench.copied_file.write_bytes(b"987654321")

    with pytest.raises(Refused, match=r"part-0.parquet is not what was copied: 9 bytes at the source, 9 bytes"):
        bench.copy()

    assert bench.copied_file.read_bytes() == b"987654321"
    assert not (bench.copied_file.parent.parent / "manifest.json").exists()


def test_a_copy_damaged_later_is_found(bench: Bench) -> None:
    """By a listing alone, also when the size is the same; nothing is copied over it."""
    manifest = bench.manifest(bench.copy())
    bench.copied_file.write_bytes(b"987654321")

    (damage,) = find_damage(manifest, bench.store)

    assert str(damage).startswith(f"feed-s0: {manifest.log.uri}/part-0.parquet is not what was copied: 9 bytes by the")
    with pytest.raises(Refused, match=r"part-0\.parquet is not what was copied"):
        bench.find_intact()


class Garbling(MultipartStore):
    """Every copy is another one's bytes a moment later."""

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        copied = super().copy(source, destination_uri)
        self.write(destination_uri, b"x" * copied.size_bytes)
        return copied


class Unproving(MultipartStore):
    """Keeps no checksums."""

    @override
    def head(self, uri: str) -> StoredObject:
        return replace(super().head(uri), checksum=None)

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        return replace(super().copy(source, destination_uri), checksum=None)


class Shortening(MultipartStore):
    """Says that it copied fewer bytes than the source has."""

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        copied = super().copy(source, destination_uri)
        return replace(copied, size_bytes=copied.size_bytes // 2)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(Garbling, r"part-0.parquet is not what was copied: 9 bytes at the source, 9 bytes", id="garbled"),
        pytest.param(Unproving, r"is not proven \(9 of 9 bytes, checksum missing\)", id="without checksum"),
        pytest.param(Shortening, r"is not proven \(4 of 9 bytes", id="too short"),
    ],
)
def test_a_copy_that_is_not_proven_gets_no_manifest(tmp_path: Path, kind: Kind, reason: str) -> None:
    """What the copy answered and what the listing shows must agree with the source."""
    bench = bench_over(tmp_path, kind)

    with pytest.raises(Refused, match=reason):
        bench.copy()

    assert not (bench.copied_file.parent.parent / "manifest.json").exists()


def test_files_that_cannot_be_compared_are_a_conflict(tmp_path: Path) -> None:
    """Without a checksum on both sides, an existing file cannot be proven to be the right one."""
    bench = bench_over(tmp_path, Unproving)
    bench.copied_file.parent.mkdir(parents=True)
    bench.copied_file.write_bytes(b"123456789")

    with pytest.raises(Refused, match=r"part-0.parquet exists already and cannot be compared .* no checksum"):
        bench.copy()


class Out(MultipartStore):
    """Cannot copy at all."""

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        raise ObjectStoreUnavailable("SlowDown")


def test_an_outage_is_no_refusal(tmp_path: Path) -> None:
    """An outage is raised as an outage, which may be tried again later."""
    with pytest.raises(ObjectStoreUnavailable, match="2 of 2 files were not copied, first: SlowDown"):
        bench_over(tmp_path, Out).copy()
