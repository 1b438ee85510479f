"""`logcache contracts`: contracts outside Dagster, from a folder of buckets."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.cli import contracts as command
from logcache_assets.cli.main import logcache
from logcache_assets.cli.output import json_of
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.kinds import KIND_NAMES, KINDS
from logcache_assets.domain.log_cache_map import render_map
from logcache_assets.errors import LogCacheError
from logcache_assets.local_platform.clock import LocalClock
from logcache_tests.engine.expected import PII_KEY, find_differences, united
from logcache_tests.engine.world import (
    AFTER_EVERY_SEGMENT,
    BEFORE_EVERY_SEGMENT,
    WORLD,
    cut_off,
    definition_of,
    open_store,
    source_at,
    write_cache,
)

FEED = ("feed-s0", "feed-s1")


@dataclass(frozen=True)
class Inputs:
    """Everything that the command is given, as files that a test may spoil."""

    root: Path
    index: Path
    definitions: Path
    until: Path
    out: Path
    log_map: Path | None = None
    told: list[str] = field(default_factory=list)

    def run(
        self, *, databases: tuple[str, ...] = ("feed",), kinds: tuple[str, ...] = KIND_NAMES
    ) -> command.ContractsResult:
        """The command's summary."""
        files = command.Inputs(
            root=self.root,
            index=self.index,
            definitions=self.definitions,
            until=self.until,
            log_map=self.log_map,
        )
        return command.run(
            files,
            out=self.out,
            databases=databases,
            kinds=kinds,
            driver="local",
            pii_key=PII_KEY,
            tell=self.told.append,
        )


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """The demo's log and definitions, cut at `yesterday`."""
    open_store(tmp_path)
    definitions = tmp_path / "contracts"
    definitions.mkdir()
    for file in (WORLD / "contracts").glob("*.yaml"):
        (definitions / file.name).write_text(file.read_text("utf-8"), encoding="utf-8")
    until = tmp_path / "until.json"
    until.write_text(json.dumps({name: cut_off(parse_instance(name), "yesterday") for name in FEED}), encoding="utf-8")
    index = tmp_path / "index.jsonl"
    index.write_text((WORLD / "index.jsonl").read_text("utf-8"), encoding="utf-8")
    return Inputs(tmp_path / "buckets", index, definitions, until, tmp_path / "out")


def find_wrong(inputs: Inputs) -> list[str]:
    """How the written contracts of feed differ from Datomic's answers."""
    found: list[str] = []
    for table in contract_tables(definition_of("feed")):
        contents = [file.read_bytes() for file in (inputs.out / table.dataset).glob("*.parquet")]
        found += find_differences(table, united(contents), "yesterday")
    return found


def test_contracts_are_written_below_out(inputs: Inputs) -> None:
    """One folder per dataset, as Datomic answers; the summary counts their rows and is JSON."""
    summary = inputs.run()

    assert find_wrong(inputs) == []
    by_name = {found.dataset: found.rows for found in summary.datasets}
    assert by_name["contract-feed/transactions"] == 2822
    assert set(by_name) == {t.dataset for t in contract_tables(definition_of("feed"))}
    assert summary.warnings == []
    document = json.loads(json_of(summary))
    assert list(document) == ["datasets", "warnings", "seconds"]
    assert set(map(tuple, document["datasets"])) == {("dataset", "rows", "path", "files")}
    assert {p.name for p in inputs.out.parent.iterdir()} >= {"out"}
    assert not [p for p in inputs.out.parent.iterdir() if p.name.startswith(".out")]


def test_a_map_is_used_and_gives_the_same(inputs: Inputs) -> None:
    """Caches at `old`, the rest from segments; a stale entry is told and left out."""
    store = FolderObjectStore(inputs.root, LocalClock(inputs.root.parent / "clock"))
    read_at = {"feed-s0": AFTER_EVERY_SEGMENT, "feed-s1": BEFORE_EVERY_SEGMENT}
    sources = {name: source_at(parse_instance(name), "old") for name in FEED}
    good, stale = (
        write_cache(source, store, folder="cache", last_t=source.until_t or 0, read_at=read_at[name])
        for name, source in sources.items()
    )
    log_map = inputs.root.parent / "map.json"
    log_map.write_text(render_map({"s0": {"feed": good}, "s1": {"feed": stale}}), encoding="utf-8")

    summary = replace(inputs, log_map=log_map).run()

    assert find_wrong(inputs) == []
    (warning,) = summary.warnings
    assert "feed-s1" in warning
    assert "stale" in warning
    assert warning in inputs.told


def test_databases_and_kinds_can_be_chosen(inputs: Inputs) -> None:
    """Only what was asked for is computed."""
    summary = inputs.run(databases=("customers", "feed"), kinds=("entity",))

    assert [found.dataset for found in summary.datasets] == [
        "contract-customers/customers",
        "contract-customers/devices",
        "contract-feed/transactions",
        "contract-feed/accounts",
        "contract-feed/merchants",
    ]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        pytest.param((), {kind.name for kind in KINDS}, id="all of them"),
        pytest.param(("--kinds", "entity,history"), {"entity", "history"}, id="two of them"),
    ],
)
def test_all_kinds_are_computed_unless_some_are_named(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], kinds: set[str]
) -> None:
    """Without --kinds the command computes every registered kind, so a new kind is in it at once."""
    monkeypatch.setenv("LOGCACHE_PII_KEY", PII_KEY.decode())
    files = ["--root", inputs.root, "--index", inputs.index, "--definitions", inputs.definitions]
    words = [*files, "--until", inputs.until, "--out", inputs.out, "--databases", "feed", *options]

    logcache(["contracts", *map(str, words), "--json"], standalone_mode=False)

    expected = {table.dataset for table in contract_tables(definition_of("feed")) if table.kind.name in kinds}
    assert {f"contract-feed/{folder.name}" for folder in (inputs.out / "contract-feed").iterdir()} == expected


def spoil_line(file: Path, number: int, text: str) -> None:
    """Replace one line, counted from 1."""
    lines = file.read_text("utf-8").splitlines()
    lines[number - 1] = text
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def segment_line(inputs: Inputs, *, number: int = 1, **changes: object) -> str:
    """The index item of feed-s0's n-th segment with other fields."""
    lines = [line for line in inputs.index.read_text("utf-8").splitlines() if '"feed-s0"' in line]
    return json.dumps(json.loads(lines[number - 1]) | changes)


def refusal_of(inputs: Inputs, **options: Any) -> str:  # noqa: ANN401 - passed on
    """The one sentence, and proof that nothing was written."""
    before = sorted(inputs.out.parent.rglob("*"))

    with pytest.raises(LogCacheError) as refusal:
        inputs.run(**options)

    assert sorted(inputs.out.parent.rglob("*")) == before
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_malformed_index_line_is_refused(inputs: Inputs) -> None:
    """By file and line."""
    spoil_line(inputs.index, 5, '{"db_prototype": "feed-s0"')

    assert f"{inputs.index}, line 5 is not a JSON object" in refusal_of(inputs)


def test_two_items_of_one_key_are_refused(inputs: Inputs) -> None:
    """The index has one item per instance and last_t; which of two is valid is not for us to guess."""
    number = len(inputs.index.read_text("utf-8").splitlines()) + 1
    inputs.index.write_text(inputs.index.read_text("utf-8") + segment_line(inputs) + "\n", encoding="utf-8")

    assert f"line {number}: lines " in refusal_of(inputs)


def test_a_log_that_begins_late_is_refused(inputs: Inputs) -> None:
    """Also one that nobody asked for: its first items may have been written under another name."""
    lines = inputs.index.read_text("utf-8").splitlines()
    first = next(n for n, line in enumerate(lines) if '"customers-s0"' in line)
    inputs.index.write_text("\n".join([*lines[:first], *lines[first + 1 :]]) + "\n", encoding="utf-8")

    assert f"{inputs.index}, line {first + 1}: the log of customers-s0 begins here, after t " in refusal_of(inputs)


def test_an_item_in_anothers_folder_is_refused(inputs: Inputs) -> None:
    """Its file would be read as datoms of the wrong instance."""
    lines = inputs.index.read_text("utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if '"feed-s0"' in line)
    item = json.loads(lines[number - 1])
    spoil_line(inputs.index, number, json.dumps(item | {"path": item["path"].replace("/feed/", "/customers/")}))

    message = refusal_of(inputs)

    assert f"{inputs.index}, line {number}: its path " in message
    assert "lies in the folder of the database customers" in message


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        pytest.param('{"feed-s9": 5000}', "unknown instance 'feed-s9'", id="unknown instance"),
        pytest.param('{"feed-s0": "5000"}', 't of feed-s0 is "5000"; write a whole number', id="t a text"),
        pytest.param('{"feed-s0": 5000.5}', "t of feed-s0 is 5000.5", id="t not whole"),
        pytest.param('{"feed-s0": 5000N}', "is not JSON", id="t as Clojure prints it"),
        pytest.param('{"feed-s0": -1}', "t of feed-s0 is -1", id="t negative"),
        pytest.param(
            '{"feed-s0": 99999999999999999999}', "t of feed-s0 is 99999999999999999999", id="t beyond 64 bits"
        ),
        pytest.param("[5000]", "Expected `object`", id="not an object"),
        pytest.param('{"feed-s0": 5000, "feed-s0": 5}', "feed-s0", id="an instance twice"),
        pytest.param('{"feed-s0": 99999}', "t of feed-s0 is 99999, but its log ends at t ", id="beyond the log"),
    ],
)
def test_a_wrong_until_is_refused(until: str, reason: str, inputs: Inputs) -> None:
    """Naming the file and what is wrong with it."""
    inputs.until.write_text(until, encoding="utf-8")

    message = refusal_of(inputs)

    assert reason in message
    assert str(inputs.until) in message


def test_an_unknown_database_is_refused(inputs: Inputs) -> None:
    """Naming those there are."""
    message = refusal_of(inputs, databases=("fed",))

    assert "unknown database 'fed'; the catalog has customers, double-entry, feed" in message


def test_a_definition_error_is_refused(inputs: Inputs) -> None:
    """By file and line."""
    file = inputs.definitions / "feed.yaml"
    file.write_text(file.read_text("utf-8").replace("snapshot:", "snapshots:", 1), encoding="utf-8")

    message = refusal_of(inputs)

    assert f"{file}, line " in message
    assert "snapshots" in message


def test_a_definition_that_the_log_contradicts_leaves_no_output(inputs: Inputs) -> None:
    """Also when other databases were computed before it."""
    file = inputs.definitions / "feed.yaml"
    file.write_text(
        file.read_text("utf-8").replace(
            "{attribute: transaction/amount}", "{attribute: transaction/amount, ref: db/ident}"
        )
    )

    assert "not a ref" in refusal_of(inputs, databases=("customers", "feed"), kinds=("entity",))


def test_a_corrupt_segment_is_refused(inputs: Inputs) -> None:
    """Naming instance, file and range."""
    bad = inputs.root / "own-bucket" / "bad.avro"
    bad.write_bytes(b"Obj\x01 and no more")
    lines = inputs.index.read_text("utf-8").replace(
        json.loads(segment_line(inputs))["path"], "s3://own-bucket/bad.avro"
    )
    inputs.index.write_text(lines, encoding="utf-8")

    assert "feed-s0: segment s3://own-bucket/bad.avro" in refusal_of(inputs)


def test_a_missing_segment_file_is_refused(inputs: Inputs) -> None:
    """The index names it, so the log is not whole without it."""
    path = json.loads(segment_line(inputs, number=2))["path"]
    inputs.index.write_text(
        inputs.index.read_text("utf-8").replace(path, "s3://own-bucket/gone.avro"), encoding="utf-8"
    )

    assert "gone.avro, which covers t in" in refusal_of(inputs)


def test_missing_inputs_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    """Each names the option or the file."""
    gone = tmp_path / "gone"

    assert "--root" in refusal_of(replace(inputs, root=gone))
    assert str(gone) in refusal_of(replace(inputs, index=gone))
    assert str(gone) in refusal_of(replace(inputs, definitions=gone))
    assert str(gone) in refusal_of(replace(inputs, until=gone))
    assert str(gone) in refusal_of(replace(inputs, log_map=gone))
    assert "no contract definitions (<database>.yaml) in" in refusal_of(replace(inputs, definitions=inputs.root))
