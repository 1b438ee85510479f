"""`--root s3://` and contracts on S3, of the commands outside Dagster: the same answers as from folders."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.cli.main import run_command
from logcache_assets.domain.instances import parse_instance
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import cut_off
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import Server
from logcache_tests.worlds import write_feed_data

FEED = ("feed-s0", "feed-s1")
SERVERS = (pytest.param("moto_server", id="moto"), pytest.param("versitygw_server", marks=pytest.mark.servers))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """A server of S3."""
    server: Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def folder(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a person works; the segments lie in a folder of buckets and on the server."""
    for name, value in {"HOME": str(tmp_path / "home"), "PII_KEY": PII_KEY.decode()}.items():
        monkeypatch.setenv(f"LOGCACHE_{name}", value)
    monkeypatch.setenv("LOGCACHE_S3_ENDPOINT", server.endpoint_url)
    monkeypatch.chdir(tmp_path)
    write_feed_data(tmp_path / "data")
    upload(tmp_path / "data" / "buckets", server)
    for cut in ("yesterday", "today"):
        ends = {name: cut_off(parse_instance(name), cut) for name in FEED}
        Path(f"{cut}.json").write_text(json.dumps(ends), encoding="utf-8")
    return tmp_path


def upload(buckets: Path, server: Server) -> None:
    """Put a folder of buckets on a server; `nu-spark-metapod` is empty."""
    names = [path.name for path in buckets.iterdir()]
    empty_buckets(server, *names, "nu-spark-metapod")
    here = FolderObjectStore(buckets, SystemClock())
    there = S3ObjectStore(AwsAccess(endpoint_url=server.endpoint_url))
    with ThreadPoolExecutor(8) as pool:
        for name in names:
            list(pool.map(lambda uri: there.put(uri, here.read(uri)), here.list_uris(f"s3://{name}/")))


def run(*arguments: str) -> None:
    """Run a command that succeeds."""
    assert run_command(list(arguments)) == 0


def rows_of(tables: Path) -> dict[str, list[tuple[object, ...]]]:
    """Dataset → its rows, in no order."""
    folders = sorted({file.parent for file in tables.rglob("*.parquet")})
    return {str(each.relative_to(tables)): sorted(pl.read_parquet(each).rows(), key=repr) for each in folders}


CONTRACTS = ("contracts", "--index", "data/index.jsonl", "--definitions", "data/contracts")


def test_contracts_are_computed_from_s3(folder: Path) -> None:
    """With a cache that was written there, and without: cell by cell those of the folders."""
    run(*CONTRACTS, "--root", "data/buckets", "--until", "today.json", "--out", "expected")

    run(*CONTRACTS, "--root", "s3://", "--until", "today.json", "--out", "alone")
    cut = ("--until", "yesterday.json", "--map", "map.json")
    run("cache", "--root", "s3://", "--index", "data/index.jsonl", *cut)
    run(*CONTRACTS, "--root", "s3://", "--until", "today.json", "--out", "cached", "--map", "map.json")

    assert rows_of(folder / "alone") == rows_of(folder / "cached") == rows_of(folder / "expected")
    assert len(rows_of(folder / "expected")) == 5


def test_days_on_s3_are_compared(folder: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Contracts in buckets, explained by a log in buckets."""
    for day in ("yesterday", "today"):
        out = f"days/contracts/{day}"
        run(*CONTRACTS, "--root", "data/buckets", "--until", f"{day}.json", "--out", out)
    here = FolderObjectStore(folder / "days", SystemClock())
    there = S3ObjectStore(AwsAccess(endpoint_url=server.endpoint_url))
    there.access.client("s3").create_bucket(Bucket="contracts")
    for uri in list(here.list_uris("s3://contracts/")):
        there.put(uri, here.read(uri))
    log = ("--root", "s3://", "--index", "data/index.jsonl", "--after", "yesterday.json", "--until", "today.json")
    capsys.readouterr()

    days = ("s3://contracts/yesterday", "s3://contracts/today")
    run("validate", *days, "--definitions", "data/contracts", *log, "--json")

    verdict = json.loads(capsys.readouterr().out)
    assert verdict["approved"] is True
    assert len(verdict["contracts"]) == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("--root", "s3://bucket/folder"), "write `s3://`", id="a folder of S3 as the root"),
        pytest.param(("--root", "none"), "none", id="no folder"),
    ],
)
def test_a_wrong_root_is_wrong_usage(
    folder: Path, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The index names whole URIs, so only S3 itself is a root there."""
    assert run_command([*CONTRACTS, *arguments, "--out", "out"]) == 2
    assert says in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_days_in_different_places_are_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One store reads both."""
    assert run_command(["validate", "data", "s3://contracts/today", "--definitions", "data/contracts"]) == 2
    assert "not all on S3" in capsys.readouterr().err
    assert folder.exists()
