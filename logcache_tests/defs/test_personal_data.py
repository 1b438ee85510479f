"""No personal data leaves the data: everything else that a refresh writes is searched for the demo's customers."""

import gzip
import json
import subprocess
from collections.abc import Iterator

import polars as pl
import pytest

from logcache_assets.catalog import load_catalog
from logcache_assets.cli import local, refresh
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_tests.engine.expected import EXPECTED

DATA = {".parquet", ".avro"}
SHORTEST = 4
"""Shorter values, and what is found in a world that knows no customer, prove nothing."""


def personal_values(world: World) -> set[str]:
    """Every personal value of the demo's customers, and their keys, as Datomic gave them."""
    found: set[str] = set()
    for definition in load_catalog(world.catalog):
        for table in contract_tables(definition):
            columns = [attribute.column for attribute in table.attributes if attribute.pii]
            if columns:
                found |= set(_cells(table.dataset, [table.key[0], *columns]))
    return {value for value in found if len(value) >= SHORTEST}


def _cells(dataset: str, columns: list[str]) -> Iterator[str]:
    with gzip.open(EXPECTED / "end" / f"{dataset}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for cell in (row[column] for column in columns):
                yield from cell if isinstance(cell, list) else [cell or ""]


def written_beside_the_data(world: World) -> bytes:
    """Documents, reports, logs, pull requests, Dagster's storage, metapod, and every object of the repository."""
    files = [
        path.read_bytes()
        for path in sorted(world.home.rglob("*"))
        if path.is_file() and path.suffix not in DATA and not {"undelivered", "itaipu.git"} & set(path.parts)
    ]
    return b"\n".join([*files, _repository(world)])


def _repository(world: World) -> bytes:
    """The contents of all git objects, which lie compressed on the disk."""
    command = ["git", "-C", str(world.home / "itaipu.git"), "cat-file", "--batch", "--batch-all-objects"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def find_personal(world: World, said: list[str]) -> list[str]:
    """The personal values that were written, or said to whoever ran the refresh."""
    written = written_beside_the_data(world).decode("utf-8", "replace") + "\n".join(said)
    found = pl.Series([written]).str.extract_many(sorted(personal_values(world)), overlapping=True)
    return sorted(set(found.explode(empty_as_null=False)))


def test_a_refresh_writes_no_personal_value(refreshed_world: World) -> None:
    """Neither a name, mail, phone, address, number or birth date of a customer, nor the key of one."""
    assert len(personal_values(refreshed_world)) > 1000
    assert find_personal(refreshed_world, []) == []


def test_a_refusal_writes_and_says_no_personal_value(world: World) -> None:
    """The rows at fault are named by tokens only, in what a person is told too."""
    said: list[str] = []
    for fault in ("wrong-value", "stale-reader"):
        local.break_(world.settings, fault)

    with pytest.raises(Refused) as refusal:
        refresh.run(world.settings, databases=("customers", "feed"), transaction=None, dry_run=False, say=said.append)

    assert "unexplained" in str(refusal.value)
    assert find_personal(world, [*said, str(refusal.value)]) == []


def test_the_search_finds_what_is_there(world: World) -> None:
    """A value that somebody wrote into a log is found: the search above can fail."""
    value = min(personal_values(world))
    (world.home / "some.log").write_text(f"customer {value} failed\n", encoding="utf-8")

    assert find_personal(world, []) == [value]
