"""`--index dynamodb:TABLE` of the commands outside Dagster: the same answers as from a file of index items."""

import json
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.cli.main import run_command
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.instances import parse_instance
from logcache_tests.adapters.dynamodb_tables import filled_table
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import cut_off, open_store
from logcache_tests.servers.server import Server
from logcache_tests.worlds import files_of, write_feed_data

FEED = ("feed-s0", "feed-s1")
MERCHANTS = """\
database: feed
prototypes: [s0, s1]
entities:
  - name: merchants
    primary_key: merchant/code
    attributes:
      - {attribute: merchant/category, history: true}
"""


@pytest.fixture(scope="module")
def table(moto_server: Server, tmp_path_factory: pytest.TempPathFactory) -> SegmentTable:
    """A table with the demo's items of feed, whose sort key has a name of its own."""
    data = tmp_path_factory.mktemp("data") / "data"
    write_feed_data(data)
    lines = (data / "index.jsonl").read_text("utf-8").splitlines()
    return filled_table(moto_server, [parse_index_item(line, where="") for line in lines], sort_key="until")


@pytest.fixture
def folder(table: SegmentTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a person works: buckets, definitions, cut-offs, and the settings of the table."""
    variables = {
        "LOGCACHE_HOME": str(tmp_path / "home"),
        "LOGCACHE_PII_KEY": PII_KEY.decode(),
        "LOGCACHE_AWS_REGION": str(table.access.region),
        "LOGCACHE_DYNAMODB_ENDPOINT": str(table.access.endpoint_url),
        "LOGCACHE_SEGMENT_SORT_KEY": table.sort_key,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    open_store(tmp_path)
    write_feed_data(tmp_path / "data")
    Path("contracts").mkdir()
    Path("contracts/feed.yaml").write_text(MERCHANTS, encoding="utf-8")
    for cut in ("old", "yesterday", "today"):
        ends = {name: cut_off(parse_instance(name), cut) for name in FEED}
        Path(f"{cut}.json").write_text(json.dumps(ends), encoding="utf-8")
    return tmp_path


def rows_of(tables: Path) -> list[list[tuple[object, ...]]]:
    """The rows of every dataset in a folder, in no order."""
    datasets = sorted({file.parent for file in tables.rglob("*.parquet")})
    return [sorted(pl.read_parquet(dataset).rows(), key=repr) for dataset in datasets]


def run(*arguments: str, index: str) -> None:
    """Run a command that succeeds."""
    assert run_command([*arguments, "--root", "buckets", "--definitions", "contracts", "--index", index]) == 0


def test_contracts_are_those_from_a_file(folder: Path, table: SegmentTable) -> None:
    """Byte for byte, and after them the verdict on two days; the cache that a table's log makes is as good."""
    in_table, in_file = f"dynamodb:{table.name}", "data/index.jsonl"

    run("cache", "--until", "old.json", "--map", "map.json", index=in_table)
    for cut in ("yesterday", "today"):
        run("contracts", "--until", f"{cut}.json", "--out", f"{cut}/file", index=in_file)
        run("contracts", "--until", f"{cut}.json", "--out", f"{cut}/table", index=in_table)
        run("contracts", "--until", f"{cut}.json", "--out", f"{cut}/cached", "--map", "map.json", index=in_table)
    days = ("yesterday/table", "today/table", "--after", "yesterday.json", "--until", "today.json")
    run("validate", *days, "--out", "verdict", index=in_table)

    for cut in ("yesterday", "today"):
        computed = files_of(folder / cut / "file")
        assert len(computed) == 4
        assert computed == files_of(folder / cut / "table")
        assert rows_of(folder / cut / "cached") == rows_of(folder / cut / "file")
    verdict = json.loads((folder / "verdict" / "verdict.json").read_text("utf-8"))
    assert (verdict["approved"], verdict["reasons"]) == (True, [])


OF_TABLE = ("--index", "dynamodb:TABLE", "--definitions", "contracts")
REFUSED = {
    "no such table": (
        ("contracts", "--index", "dynamodb:absent", "--definitions", "contracts", "--out", "out"),
        "DynamoDB table absent: there is none in us-east-1",
    ),
    "no name of a table": (
        ("contracts", "--index", "dynamodb:", "--definitions", "contracts", "--out", "out"),
        "dynamodb: names no table",
    ),
    "another scheme": (
        ("contracts", "--index", "dynamo:segments", "--definitions", "contracts", "--out", "out"),
        "File 'dynamo:segments' does not exist",
    ),
    "nobody says which instances": (
        ("cache", "--index", "dynamodb:TABLE", "--map", "out"),
        "--index is a table, of which nobody lists the instances; name those with --definitions",
    ),
    "an unknown database": (
        ("cache", *OF_TABLE, "--databases", "food", "--map", "out"),
        "the index has no database 'food'; it has feed",
    ),
    "a t beyond the log": (
        ("contracts", *OF_TABLE, "--out", "out", "--until", "beyond.json"),
        "t of feed-s0 is 99999, but its log ends at t",
    ),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(
    folder: Path, table: SegmentTable, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    """In one sentence, and nothing is written."""
    (folder / "beyond.json").write_text('{"feed-s0": 99999}', encoding="utf-8")

    code = run_command([*(argument.replace("TABLE", table.name) for argument in arguments), "--root", "buckets"])

    assert code > 0
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (folder / "out").exists()
