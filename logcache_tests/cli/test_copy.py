"""`logcache copy`: any folder with proof, or what that would cost."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logcache_assets.cli.main import run_command
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import files_of


@pytest.fixture
def source(feed_world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of a night, in a world that is the configured one."""
    monkeypatch.setenv("LOGCACHE_HOME", str(feed_world.home))
    (night, *_) = feed_world.metapod.transactions(TransactionType.DAILY, since=datetime(2018, 1, 1, tzinfo=UTC))
    return night.datasets["raw-feed-s0/log"].path or ""


@pytest.fixture
def target(feed_world: World) -> str:
    """A folder in which nothing lies."""
    return f"s3://{feed_world.settings.permanent_bucket}/cache/by-hand/log"


def test_a_folder_is_copied(
    source: str, target: str, feed_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Object by object; the manifest has a line for each; what is there already is not copied again."""
    manifest = tmp_path / "copy.jsonl"

    assert run_command(["copy", source, target, "--manifest", str(manifest)]) == 0

    said = capsys.readouterr().out
    store = feed_world.store
    copied = {item.uri.removeprefix(f"{target}/"): item for item in map(store.head, store.list_uris(f"{target}/"))}
    assert f"copied {len(copied)} of {len(copied)} objects" in said
    assert "every copy is proven by its checksum" in said
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert {line["name"]: line["checksum"] for line in lines} == {name: item.checksum for name, item in copied.items()}
    assert {name: item.checksum for name, item in copied.items()} == {
        item.uri.removeprefix(f"{source}/"): item.checksum for item in map(store.head, store.list_uris(f"{source}/"))
    }
    assert run_command(["copy", source, target]) == 0
    assert f"copied 0 of {len(copied)} objects" in capsys.readouterr().out


def test_a_dry_run_changes_nothing(
    source: str, target: str, feed_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what would be copied, for how much, and until when."""
    before = files_of(feed_world.home)

    assert run_command(["copy", source, target, "--dry-run", "--json"]) == 0

    result = json.loads(capsys.readouterr().out)
    assert files_of(feed_world.home) == before
    assert (result["dry_run"], result["copied"], result["requests"]) == (True, 1, 4)
    assert result["expires_at"] == "2018-05-30T02:30:00Z"
    assert result["dollars"] == 0.0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(["folder", "s3://b/c"], "SRC 'folder' is no folder", id="a path"),
        pytest.param(["s3://a/b", "s3://b"], "DST 's3://b' is no folder", id="a whole bucket"),
        pytest.param(["s3://a/b", "s3://a/b/c"], "lie in each other", id="into itself"),
        pytest.param(["s3://a/b", "s3a://a/b"], "lie in each other", id="onto itself"),
    ],
)
def test_wrong_folders_are_wrong_usage(given: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, before anything is asked."""
    assert run_command(["copy", *given]) == 2
    assert says in capsys.readouterr().err


def test_a_manifest_is_never_overwritten(
    source: str, target: str, feed_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is copied then."""
    manifest = tmp_path / "copy.jsonl"
    manifest.write_text("mine")

    assert run_command(["copy", source, target, "--manifest", str(manifest)]) == 2

    assert "exists and is never overwritten" in capsys.readouterr().err
    assert manifest.read_text() == "mine"
    assert list(feed_world.store.list_uris(f"{target}/")) == []


def test_a_manifest_may_lie_in_a_bucket(source: str, target: str, feed_world: World) -> None:
    """It is written last."""
    manifest = target.replace("/log", "/manifest.jsonl")

    assert run_command(["copy", source, target, "--manifest", manifest]) == 0

    assert feed_world.store.read(manifest).count(b"\n") == 1


def test_what_expires_too_soon_is_not_copied(
    source: str, target: str, feed_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the estimated time must be left."""
    (feed_world.home / "clock").write_text("2018-05-30T02:29:59.000Z\n")

    assert run_command(["copy", source, target]) == 1

    assert "the first source expires at 2018-05-30T02:30:00.000Z" in capsys.readouterr().err
    assert list(feed_world.store.list_uris(f"{target}/")) == []


def test_a_stranger_is_told(source: str, target: str, feed_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The destination holds the copy and nothing else."""
    feed_world.store.write(f"{target}/part-9.parquet", b"x")

    assert run_command(["copy", source, target]) == 1

    assert "part-9.parquet is not what was copied: absent at the source" in capsys.readouterr().err
