"""Copies are proven, can be resumed after any interruption, and never overwrite."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from logcache_assets.domain.documents import PermanentLog
from logcache_assets.domain.log_documents import LogExport, Manifest
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.copy_logs import Copier
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import find_damage
from logcache_tests.worlds import files_of, path_of


def export_of(world: World) -> LogExport:
    """The stored export of feed's raw logs."""
    return Documents(world.store).read(_document(world, "log_export"), LogExport)


def copied(world: World) -> PermanentLog:
    """The stored document of the copies."""
    return Documents(world.store).read(_document(world, "permanent_log"), PermanentLog)


def _document(world: World, stage: str) -> str:
    listed = world.store.list_objects(f"s3://{world.settings.permanent_bucket}/cache/_refresh/")
    return next(item.uri for item in listed if item.uri.endswith(f"/{stage}/feed.json"))


def folder_of(world: World) -> Path:
    """The folder of feed-s0's new cached log."""
    return path_of(world, copied(world).logs[0].manifest).parent


def copy(world: World) -> PermanentLog:
    """Copy feed again."""
    return Copier(world.store, world.clock, world.settings).copy_export(export_of(world))


def test_a_copy_again_writes_nothing(refreshed_world: World) -> None:
    """Everything is found in place and proven by the listing."""
    before = files_of(refreshed_world.buckets)

    document = copy(refreshed_world)

    assert document == copied(refreshed_world)
    assert files_of(refreshed_world.buckets) == before


def leave_files(folder: Path) -> None:
    """What Spark leaves beside data: marks, checksums, and the whole files of an attempt that died."""
    dead = folder / "_temporary" / "0" / "attempt_1"
    dead.mkdir(parents=True)
    (folder / "_SUCCESS").touch()
    for file in list(folder.glob("*.parquet")):
        (folder / f".{file.name}.crc").write_bytes(b"crc")
        (dead / file.name).write_bytes(file.read_bytes())


def test_files_that_a_writer_left_change_nothing(refreshed_world: World) -> None:
    """Beside the sources and beside the copies: they are neither copied, nor proven, nor a conflict."""
    export, store = export_of(refreshed_world), refreshed_world.store
    for dataset in (export.instances[0].log, export.instances[0].materialized_entities):
        leave_files(path_of(refreshed_world, dataset.uri))
    leave_files(folder_of(refreshed_world) / "log")
    before = files_of(refreshed_world.buckets)

    document = copy(refreshed_world)

    assert document == copied(refreshed_world)
    assert files_of(refreshed_world.buckets) == before
    manifest = Documents(store).read(document.logs[0].manifest, Manifest)
    assert list(find_damage(manifest, store)) == []


@pytest.mark.parametrize(
    "lost", ["manifest.json", "log/part-00000.parquet", "materialized-entities/open-00000-of-00001.parquet"]
)
def test_an_interrupted_copy_is_completed(refreshed_world: World, lost: str) -> None:
    """A worker killed at any line leaves a folder that the next run completes to the same bytes."""
    folder = folder_of(refreshed_world)
    before = files_of(folder)
    (folder / lost).unlink()
    (folder / "manifest.json").unlink(missing_ok=True)

    document = copy(refreshed_world)

    after = files_of(folder)
    assert {name: after[name] for name in after if name != "manifest.json"} == {
        name: before[name] for name in before if name != "manifest.json"
    }
    manifest = Documents(refreshed_world.store).read(document.logs[0].manifest, Manifest)
    assert list(find_damage(manifest, refreshed_world.store)) == []


def test_a_differing_file_at_the_destination_is_a_conflict(refreshed_world: World) -> None:
    """Bytes of the same size are found out by their digest, named, and left as they are."""
    file = folder_of(refreshed_world) / "log" / "part-00000.parquet"
    damaged = file.read_bytes()[:-1] + b"X"
    file.write_bytes(damaged)

    with pytest.raises(Refused, match=r"log/part-00000.parquet is not what was copied: \d+ bytes at the source"):
        copy(refreshed_world)

    assert file.read_bytes() == damaged


def test_a_foreign_file_at_the_destination_is_a_conflict(refreshed_world: World) -> None:
    """A folder holds what was copied and nothing else: Spark would read the stranger too."""
    (folder_of(refreshed_world) / "log" / "part-99999.parquet").write_bytes(b"stranger")

    with pytest.raises(Refused, match=r"part-99999.parquet is not what was copied: absent at the source"):
        copy(refreshed_world)


def test_a_source_that_changed_since_the_export_is_refused(refreshed_world: World) -> None:
    """The export described other bytes; nothing is copied."""
    dataset = export_of(refreshed_world).instances[0].log
    refreshed_world.store.write(f"{dataset.uri}/part-00000.parquet", b"other")
    before = files_of(path_of(refreshed_world, f"s3://{refreshed_world.settings.permanent_bucket}"))

    with pytest.raises(Refused, match=r"no longer those that the notebook read"):
        copy(refreshed_world)

    assert files_of(path_of(refreshed_world, f"s3://{refreshed_world.settings.permanent_bucket}")) == before


def test_an_empty_source_is_refused(refreshed_world: World) -> None:
    """No file is never a copy of nothing, even where the export saw none either."""
    export = export_of(refreshed_world)
    logs = export.instances[0]
    path_of(refreshed_world, f"{logs.log.uri}/part-00000.parquet").unlink()
    empty = replace(export, instances=(replace(logs, log=replace(logs.log, files=())),))

    with pytest.raises(Refused, match=r"no longer those that the notebook read \(0 found, 0 expected"):
        Copier(refreshed_world.store, refreshed_world.clock, refreshed_world.settings).copy_export(empty)


def test_sources_that_expire_during_the_copy_are_refused_at_the_start(refreshed_world: World) -> None:
    """Seven days after they were written minus the six hours a copy may need (C12)."""
    refreshed_world.clock.set(refreshed_world.clock.now() + timedelta(days=6, hours=8))

    with pytest.raises(Refused, match=r"expire at 2018-05-31 02:30 UTC, sooner than the copy may need.*\(C12\)"):
        copy(refreshed_world)
