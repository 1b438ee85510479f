"""`logcache cache`: the first cache of an instance, and contracts that start from it."""

import json
from pathlib import Path

import pytest

from logcache_assets.cli import cache, contracts
from logcache_assets.domain.documents import document_digest
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import Locations, folder_of
from logcache_assets.domain.log_cache_map import entry_of, parse_map
from logcache_assets.errors import LogCacheError, WrongUsage
from logcache_tests.engine.expected import PII_KEY, expected_counts
from logcache_tests.engine.world import WORLD, cut_off, open_store
from logcache_tests.worlds import files_of

CUSTOMERS = ("customers-global", "customers-s0")
LOCATIONS = Locations(permanent_bucket="permanent")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The demo's segments, with room for caches."""
    open_store(tmp_path)
    return tmp_path / "buckets"


def until(folder: Path, cut: str) -> Path:
    """The cut-offs of customers as the command takes them."""
    file = folder / f"{cut}.json"
    file.write_text(json.dumps({name: cut_off(parse_instance(name), cut) for name in CUSTOMERS}), encoding="utf-8")
    return file


def write(root: Path, cut: str, *, map_file: Path, databases: tuple[str, ...] = ("customers",)) -> cache.CacheResult:
    """Run the command."""
    inputs = cache.Inputs(root=root, index=WORLD / "index.jsonl", until=until(root.parent, cut))
    told: list[str] = []
    return cache.run(
        inputs, map_file=map_file, databases=databases, locations=LOCATIONS, driver="local", tell=told.append
    )


def test_caches_are_written_with_a_map_that_points_to_them(root: Path, tmp_path: Path) -> None:
    """The log, its entities and a manifest of them, as many datoms as Datomic counts, up to the last t of the log."""
    result = write(root, "yesterday", map_file=tmp_path / "map.json")

    entries = parse_map((tmp_path / "map.json").read_text("utf-8"), where="map.json")
    for name in CUSTOMERS:
        entry, counts = entry_of(entries, parse_instance(name)), expected_counts("yesterday", name)
        assert entry is not None
        text = (root / folder_of(entry.log).manifest.removeprefix("s3://")).read_text("utf-8")
        manifest = json.loads(text)
        assert entry.manifest_sha256 == document_digest(text)
        assert (entry.last_t, manifest["log"]["rows"]) == (counts["max_t"], counts["datoms"])
    assert [found.instance for found in result.caches] == list(CUSTOMERS)


def test_contracts_from_these_caches_are_those_from_segments(root: Path, tmp_path: Path) -> None:
    """Also when every segment that the caches hold is gone."""
    write(root, "old", map_file=tmp_path / "map.json")
    outs = {}
    for name, log_map in (("alone", None), ("cached", tmp_path / "map.json")):
        inputs = contracts.Inputs(
            root=root,
            index=WORLD / "index.jsonl",
            definitions=WORLD / "contracts",
            until=until(tmp_path, "end"),
            log_map=log_map,
        )
        contracts.run(
            inputs,
            out=tmp_path / name,
            databases=("customers",),
            kinds=("entity", "history", "snapshot"),
            driver="local",
            pii_key=PII_KEY,
            tell=lambda _: None,
        )
        outs[name] = files_of(tmp_path / name)

    assert outs["cached"] == outs["alone"]


def test_a_map_that_exists_is_never_overwritten(root: Path, tmp_path: Path) -> None:
    """It may be somebody's only one; nothing is written before this is found out."""
    (tmp_path / "map.json").write_text("mine", encoding="utf-8")
    before = files_of(root)

    with pytest.raises(LogCacheError, match=r"map\.json exists; name a new file"):
        write(root, "old", map_file=tmp_path / "map.json")

    assert (tmp_path / "map.json").read_text("utf-8") == "mine"
    assert files_of(root) == before


def test_an_unknown_database_is_refused(root: Path, tmp_path: Path) -> None:
    """Naming those of the index."""
    with pytest.raises(WrongUsage, match="no database 'custom'; it has customers, double-entry, feed"):
        write(root, "old", map_file=tmp_path / "map.json", databases=("custom",))


def test_a_cut_before_the_first_datom_is_refused(root: Path, tmp_path: Path) -> None:
    """A cache of nothing is no cache."""
    file = tmp_path / "until.json"
    file.write_text(json.dumps(dict.fromkeys(CUSTOMERS, 5)), encoding="utf-8")
    inputs = cache.Inputs(root=root, index=WORLD / "index.jsonl", until=file)

    with pytest.raises(LogCacheError, match="customers-global has no datom up to t 5"):
        cache.run(
            inputs,
            map_file=tmp_path / "map.json",
            databases=("customers",),
            locations=LOCATIONS,
            driver="local",
            tell=lambda _: None,
        )

    assert not (tmp_path / "map.json").exists()
