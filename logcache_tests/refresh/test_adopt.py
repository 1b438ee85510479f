"""A map that was written by hand is adopted as far as its caches are proven; whatever is not stays as it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from msgspec import structs
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.scratch import local_driver
from logcache_assets.cli import adopt, local, refresh, status
from logcache_assets.cli.adopt import AdoptResult
from logcache_assets.cli.main import run_command
from logcache_assets.connect import connect
from logcache_assets.domain.documents import parse_document, render_document
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    LogCacheMap,
    MapEntry,
    any_entry_of,
    entry_of,
    instances_of,
    parse_map,
    render_map,
    unproven_of,
    with_entries,
)
from logcache_assets.domain.log_documents import Manifest
from logcache_assets.engine.log.log_op import CachePolicy, LogSource, read_log
from logcache_assets.engine.storage.parquet import parquet_bytes
from logcache_assets.errors import Refused, WrongUsage
from logcache_assets.local_platform.accidents import written_by_hand
from logcache_assets.local_platform.world import World
from logcache_assets.ports import RepositoryUnavailable, StoredObject
from logcache_assets.refresh.adopt import Adopter
from logcache_assets.refresh.inspect_map import read_base_map, read_map
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.prove_entries import EntryProver, ProvenCache
from logcache_assets.refresh.publish import publisher_of
from logcache_tests.conftest import silent
from logcache_tests.domain.samples import FEED_S0, FEED_S1
from logcache_tests.worlds import files_of, path_of

BRANCH = "log-cache/adopt"
Former = dict[Instance, tuple[MapEntry, Manifest]]
"""The entries and manifests of the world before somebody wrote its map by hand."""


def manifest_of(world: World, entry: MapEntry) -> Manifest:
    """The manifest beside an entry's files."""
    uri = folder_of(entry.log).manifest
    return parse_document(world.store.read(uri), Manifest, where=uri)


def write_by_hand(world: World) -> Former:
    """The accident; what was there before is the expected answer of an adoption."""
    entries = dict(instances_of(read_base_map(world.repository).entries))
    former = {instance: (entry, manifest_of(world, entry)) for instance, entry in entries.items()}
    local.break_(world.settings, "hand-written-map")
    return former


def adopted(world: World, *databases: str, dry_run: bool = False) -> AdoptResult:
    """Adopt the entries of these databases, or all."""
    return adopt.run(world.settings, databases=databases, driver="local", dry_run=dry_run, tell=silent)


def proposed(world: World, branch: str = BRANCH) -> LogCacheMap:
    """The map on the branch of an adoption, which is canonical."""
    return read_map(world.repository, ref=branch)


def problems_of(world: World, ref: str) -> list[str]:
    """Reasons not to merge a branch."""
    judge = MergeJudge(publisher_of(connect(world.settings), world.settings))
    return [str(problem) for problem in judge.find_problems(ref)]


def newest_extraction(world: World, instance: Instance, *, below_t: int) -> datetime:
    """The newest timestamp of the segments that hold a t of the cache, by the index."""
    held = [s.timestamp_ms for s in world.segment_index.segments(instance) if s.last_batch_t < below_t]
    return datetime.fromtimestamp(max(held) / 1000, UTC)


def test_manifests_are_written_beside_the_files_and_the_map_is_proposed(feed_world: World) -> None:
    """They describe what the lost ones described; every pointer and t is the former; no file changes."""
    former = write_by_hand(feed_world)
    before = files_of(feed_world.buckets)

    result = adopted(feed_world)

    assert ([c.instance for c in result.adopted], result.left) == (["feed-s0", "feed-s1"], [])
    entries = parse_map(feed_world.repository.read(MAP_PATH, ref=BRANCH), where="map")
    for instance, (entry, lost) in former.items():
        found = entry_of(entries, instance)
        assert found is not None
        assert (found.last_t, found.log, found.materialized_entities) == (
            entry.last_t,
            entry.log,
            entry.materialized_entities,
        )
        manifest = manifest_of(feed_world, found)
        assert (manifest.log, manifest.materialized_entities, manifest.ranges, manifest.origin) == (
            lost.log,
            lost.materialized_entities,
            lost.ranges,
            "adopted",
        )
        assert found.source_read_at == newest_extraction(feed_world, instance, below_t=entry.last_t)
    assert {uri: content for uri, content in files_of(feed_world.buckets).items() if uri in before} == before


def test_an_adopted_map_may_be_merged_and_its_caches_are_read(feed_world: World) -> None:
    """LogOp gives the log of the segments, under the policy that forgives nothing; nothing is left to adopt."""
    write_by_hand(feed_world)
    adopted(feed_world)

    assert problems_of(feed_world, BRANCH) == []
    local.merge(feed_world.settings, 1)

    entries = read_base_map(feed_world.repository).entries
    for instance, entry in instances_of(entries):
        source = LogSource(instance=instance, index=feed_world.segment_index, cache=entry)
        logs = [
            read_log(s, feed_world.store, policy=CachePolicy.STRICT, warn=silent)
            for s in (source, replace(source, cache=None))
        ]
        assert logs[0].sort(pl.all()).equals(logs[1].sort(pl.all()))
    assert adopted(feed_world) == AdoptResult(adopted=[], left=[], pull_request=None, dry_run=False)
    assert [found.unproven for found in status.run(feed_world.settings).instances] == [None, None]


def test_an_adoption_again_changes_nothing(feed_world: World) -> None:
    """Also after it was interrupted between its manifests and its commit; no byte of the data is read again."""

    class Cut(type(feed_world.repository)):  # type: ignore[misc]  # the class is the fixture's
        """A repository that cannot answer when something is committed."""

        @override
        def commit(self, **_: object) -> str:
            raise RepositoryUnavailable("no answer")

    write_by_hand(feed_world)
    cut = Cut(feed_world.files.repository, feed_world.files.pull_requests, feed_world.clock)
    with local_driver() as driver:
        ports = connect(feed_world.settings)
        prover = EntryProver(
            store=ports.store,
            segment_index=ports.segment_index,
            clock=ports.clock,
            settings=feed_world.settings,
            driver=driver,
            tell=silent,
        )
        with pytest.raises(RepositoryUnavailable):
            Adopter(store=ports.store, repository=cut, prover=prover).adopt((), dry_run=False)
    manifests = files_of(feed_world.buckets)
    said: list[str] = []
    first = adopt.run(feed_world.settings, databases=(), driver="local", dry_run=False, tell=said.append)
    sha = feed_world.repository.head(BRANCH)

    again = adopted(feed_world)

    assert said == []
    assert again == first
    assert feed_world.repository.head(BRANCH) == sha
    assert files_of(feed_world.buckets) == manifests
    assert [pull.number for pull in feed_world.repository.open_pull_requests()] == [1]


def test_a_dry_run_writes_nothing(feed_world: World) -> None:
    """It says what would be adopted."""
    write_by_hand(feed_world)
    before = files_of(feed_world.home)

    result = adopted(feed_world, dry_run=True)

    assert [c.instance for c in result.adopted] == ["feed-s0", "feed-s1"]
    assert result.pull_request is None
    assert files_of(feed_world.home) == before


def test_only_databases_of_the_map_are_adopted(feed_world: World) -> None:
    """Another name is wrong usage, and nothing is written."""
    write_by_hand(feed_world)
    before = files_of(feed_world.home)

    with pytest.raises(WrongUsage, match="the map has no database 'customers'; it has feed"):
        adopted(feed_world, "customers")

    assert files_of(feed_world.home) == before


LOG = "log/part-00000.parquet"


def folder(world: World, instance: Instance = FEED_S0) -> str:
    """The folder of an instance's cache, by the map on main."""
    entry = any_entry_of(read_base_map(world.repository).entries, instance)
    assert entry is not None
    return folder_of(entry.log).uri


def change_log(world: World, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Write the log of feed-s0 anew."""
    uri = f"{folder(world)}/{LOG}"
    world.store.write(uri, parquet_bytes(change(pl.read_parquet(path_of(world, uri)))))


def extract_again(world: World) -> None:
    """A segment that the cache of feed-s0 holds is extracted again, an hour later."""
    world.clock.set(world.clock.now() + timedelta(hours=1))
    middle = world.segment_index.segments(FEED_S0)[5]
    world.segment_items.put([replace(middle, timestamp_ms=int(world.clock.now().timestamp() * 1000))])


def excise(world: World) -> None:
    """The segments lost a datom that the cache still holds: here the cache gets one more, then they are read again."""
    middle = world.segment_index.segments(FEED_S0)[5]

    def with_name(log: pl.DataFrame) -> pl.DataFrame:
        like = log.filter(pl.col("t") == middle.last_t).head(1)
        return pl.concat([log, like.with_columns(v=pl.lit("Renée"))])

    change_log(world, with_name)
    extract_again(world)


def lose_datom(world: World) -> None:
    """The cached log lacks one datom."""
    change_log(world, lambda log: pl.concat([log[:100], log[101:]]))


def double_file(world: World) -> None:
    """A file of the log lies there twice."""
    world.store.write(f"{folder(world)}/log/part-00001.parquet", world.store.read(f"{folder(world)}/{LOG}"))


def delete_files(world: World) -> None:
    """No file of the log is left."""
    path_of(world, f"{folder(world)}/{LOG}").unlink()


def cut_file(world: World) -> None:
    """A file is cut short."""
    world.store.write(f"{folder(world)}/{LOG}", world.store.read(f"{folder(world)}/{LOG}")[:1000])


def garble_facts(world: World) -> None:
    """A fact of the entities tells another value than the log."""
    uri = next(world.store.list_uris(f"{folder(world)}/materialized-entities/"))
    facts = pl.read_parquet(path_of(world, uri))
    first = pl.int_range(pl.len()) == 0
    world.store.write(uri, parquet_bytes(facts.with_columns(v=pl.when(first).then(pl.lit("x")).otherwise("v"))))


def edit(world: World, found: str, written: str) -> None:
    """Somebody edits the map."""
    text = read_base_map(world.repository).text
    assert found in text
    world.repository.commit_to_base({MAP_PATH: text.replace(found, written)}, "Edit")


def name_other_t(world: World) -> None:
    """The map says that the cache of feed-s0 ends one t later."""
    edit(world, '"3185N"', '"3186"')


def name_far_t(world: World) -> None:
    """The map says that it ends after the index does."""
    edit(world, '"3185N"', "900000N")


def point_elsewhere(world: World) -> None:
    """The entry of feed-s0 points to the ephemeral bucket."""
    edit(world, f"{folder(world)}/log", "s3://nu-spark-metapod-ephemeral-1/raw-feed-s0/log")


def lose_segment(world: World) -> None:
    """The index loses an item that the cache holds."""
    world.segment_items.remove(FEED_S0, world.segment_index.segments(FEED_S0)[5].last_t)


def write_other_manifest(world: World) -> None:
    """The manifest of feed-s1's cache, before it was lost, lies in the folder of feed-s0."""
    adopted(world)
    content = world.store.read(f"{folder(world, FEED_S1)}/manifest.json")
    world.store.write(f"{folder(world, FEED_S0)}/manifest.json", content)


def write_no_manifest(world: World) -> None:
    """What lies there as manifest.json is none."""
    world.store.write(f"{folder(world)}/manifest.json", b"{}")


UNPROVEN = [
    pytest.param(excise, "C7", "it may still hold deleted personal data", id="deleted personal data"),
    pytest.param(lose_datom, "C31", "1 datom is missing", id="a lost datom"),
    pytest.param(double_file, "C19", "datoms of the log are duplicates", id="a file twice"),
    pytest.param(delete_files, "C13", "no file lies at", id="files gone"),
    pytest.param(cut_file, None, "is not a readable Parquet file", id="a file cut short"),
    pytest.param(garble_facts, "C31", "are not the facts of the log", id="other facts"),
    pytest.param(name_other_t, "C5", "the map says last_t 3186, the data ends at 3185", id="another last_t"),
    pytest.param(name_far_t, "C4", "ahead of the index", id="ahead of the index"),
    pytest.param(point_elsewhere, "C14", "where alone a manifest is looked for", id="another place"),
    pytest.param(lose_segment, "C2", "the segment index has a gap", id="a gap"),
    pytest.param(write_other_manifest, "C14", "it describes another cached log", id="the manifest of another"),
    pytest.param(write_no_manifest, None, "manifest.json is no Manifest document", id="no manifest"),
]


@pytest.mark.parametrize(("damage", "code", "found"), UNPROVEN)
def test_what_is_not_proven_stays_and_is_told(
    feed_world: World, damage: Callable[[World], None], code: str | None, found: str
) -> None:
    """Its entry and its files stay as they are; the other instance is adopted."""
    write_by_hand(feed_world)
    damage(feed_world)
    unproven = any_entry_of(read_base_map(feed_world.repository).entries, FEED_S0)
    before = files_of(path_of(feed_world, folder(feed_world, FEED_S0)).parent)

    result = adopted(feed_world)

    assert [c.instance for c in result.adopted] == ["feed-s1"]
    (left,) = result.left
    assert (left.instance, left.reasons[0].code) == ("feed-s0", code)
    assert found in left.reasons[0].text
    assert any_entry_of(proposed(feed_world), FEED_S0) == unproven
    assert entry_of(proposed(feed_world), FEED_S1) is not None
    assert files_of(path_of(feed_world, folder(feed_world, FEED_S0)).parent) == before
    assert problems_of(feed_world, BRANCH) == []


def test_a_range_that_was_extracted_again_without_a_change_is_proven(feed_world: World) -> None:
    """The cache holds nothing that the new extraction lacks; that one is the instant from which on it may be stale."""
    write_by_hand(feed_world)
    extract_again(feed_world)

    adopted(feed_world)

    entry = entry_of(proposed(feed_world), FEED_S0)
    assert entry is not None
    assert entry.source_read_at == feed_world.clock.now()


def damage_file(world: World) -> None:
    """A file of an adopted cache is cut short."""
    uri = next(uri for uri in world.store.list_uris(folder(world)) if LOG in uri)
    world.store.write(uri, world.store.read(uri)[:1000])


def forget_proof(world: World) -> None:
    """Somebody proposes an entry whose manifest compared nothing."""
    entry = entry_of(proposed(world), FEED_S0)
    assert entry is not None
    manifest = manifest_of(world, entry)
    without = structs.replace(manifest, ranges=())
    forged = ProvenCache(manifest=without, text=render_document(without))
    world.store.write(f"{folder(world)}/manifest.json", forged.text.encode())
    commit(world, with_entries(proposed(world), {FEED_S0: forged.entry}))


def commit(world: World, entries: LogCacheMap) -> None:
    """Somebody pushes another map to the branch of the adoption."""
    parent = world.repository.head("main")
    assert parent is not None
    world.repository.commit(branch=BRANCH, parent=parent, files={MAP_PATH: render_map(entries)}, message="Push")


def move_pointer(world: World) -> None:
    """Somebody lets the entry of feed-s0 end earlier."""
    entry = entry_of(proposed(world), FEED_S0)
    assert entry is not None
    commit(world, with_entries(proposed(world), {FEED_S0: structs.replace(entry, last_t=entry.last_t - 1)}))


def edit_unproven(world: World) -> None:
    """Somebody proposes an entry without a manifest that points elsewhere."""
    entry = unproven_of(read_base_map(world.repository).entries)[FEED_S0]
    commit(world, with_entries(proposed(world), {FEED_S0: structs.replace(entry, last_t=7)}))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(extract_again, "1 segment with t that the cache holds was extracted again", id="excision"),
        pytest.param(damage_file, "is not what was copied", id="damage"),
        pytest.param(forget_proof, "its manifest compared the log with no segment in t (0, 3185]", id="no proof"),
        pytest.param(move_pointer, "changes its entry, and no refresh validated that", id="another t"),
        pytest.param(edit_unproven, "changes its entry to one that names no manifest", id="no manifest"),
    ],
)
def test_an_adoption_is_judged_again_before_it_is_merged(
    feed_world: World, change: Callable[[World], None], found: str
) -> None:
    """By whoever asks; main stays."""
    write_by_hand(feed_world)
    adopted(feed_world)
    change(feed_world)
    main = feed_world.repository.head("main")

    with pytest.raises(Refused, match="pull request #1 must not be merged now: feed-s0: "):
        local.merge(feed_world.settings, 1)

    assert any(found in problem for problem in problems_of(feed_world, BRANCH))
    assert feed_world.repository.head("main") == main


def test_a_way_back_to_an_unproven_entry_must_not_be_merged(feed_world: World) -> None:
    """Nobody could tell whether it holds deleted personal data; taking it out is a way back."""
    write_by_hand(feed_world)
    by_hand = read_base_map(feed_world.repository)
    adopted(feed_world)
    local.merge(feed_world.settings, 1)
    main = str(feed_world.repository.head("main"))
    for branch, text in (("back", by_hand.text), ("out", "{}\n")):
        feed_world.repository.commit(branch=branch, parent=main, files={MAP_PATH: text}, message="Back")

    assert [problem.partition(": ")[0] for problem in problems_of(feed_world, "back")] == ["feed-s0", "feed-s1"]
    assert problems_of(feed_world, "out") == []


def test_a_cache_that_became_stale_after_its_adoption_is_not_adopted_again(feed_world: World) -> None:
    """Its manifest stays as it is, and the reason is told (C7)."""
    write_by_hand(feed_world)
    adopted(feed_world)
    extract_again(feed_world)
    before = files_of(feed_world.buckets)

    result = adopted(feed_world)

    assert [(left.instance, left.reasons[0].code) for left in result.left] == [("feed-s0", "C7")]
    assert files_of(feed_world.buckets) == before


def test_a_refresh_replaces_what_nothing_proves(feed_world: World) -> None:
    """It says so, reads the segments, and writes the map canonically; status tells the same."""
    write_by_hand(feed_world)
    said: list[str] = []
    told = [line for line in status.render(status.run(feed_world.settings)) if "names no manifest" in line]

    refresh.run(feed_world.settings, databases=(), transaction=None, dry_run=False, say=said.append)

    (request,) = feed_world.repository.open_pull_requests()
    entries = parse_map(feed_world.repository.read(MAP_PATH, ref=request.head_sha), where="map")
    assert {i.name: entry.last_t for i, entry in instances_of(entries)} == {"feed-s0": 4836, "feed-s1": 4770}
    assert len(told) == len([line for line in said if "WARNING: feed-s" in line and "names no manifest" in line]) == 2
    assert "The map was written by hand and is now canonical JSON" in request.body
    assert "| feed-s0 | 3185 | 4836 |" in request.body
    assert "unproven:**\n\n- feed-s0: its entry names no manifest" in request.body
    assert problems_of(feed_world, request.branch) == []


class WithoutChecksums(FolderObjectStore):
    """Objects of old clients: the store keeps no checksum of them."""

    @override
    def head(self, uri: str) -> StoredObject:
        return replace(super().head(uri), checksum=None)


def test_checksums_that_the_store_does_not_keep_are_computed(feed_world: World) -> None:
    """They are those of the lost manifest."""
    former = write_by_hand(feed_world)
    with local_driver() as driver:
        prover = EntryProver(
            store=WithoutChecksums(feed_world.buckets, feed_world.clock),
            segment_index=feed_world.segment_index,
            clock=feed_world.clock,
            settings=feed_world.settings,
            driver=driver,
            tell=silent,
        )
        found = prover.prove(unproven_of(read_base_map(feed_world.repository).entries))

    for instance, (_, lost) in former.items():
        cache = found[instance]
        assert isinstance(cache, ProvenCache)
        assert (cache.manifest.log, cache.manifest.materialized_entities) == (lost.log, lost.materialized_entities)


def test_the_command_ends_with_1_if_something_was_left(
    feed_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with 0 once nothing is; every reason is printed with what to do."""
    monkeypatch.setenv("LOGCACHE_HOME", str(feed_world.home))
    write_by_hand(feed_world)
    assert run_command(["adopt", "--dry-run", "--databases", "feed"]) == 0
    point_elsewhere(feed_world)

    assert run_command(["adopt"]) == 1

    printed = capsys.readouterr().out
    assert "Not adopted: feed-s0: the entry points to " in printed
    assert "replace it: logcache refresh --databases feed" in printed
    assert "1 cache proven, 1 left as they are. Pull request: #1 " in printed


def test_a_map_by_hand_is_written_as_people_do(feed_world: World) -> None:
    """The accident leaves texts and a number as Clojure prints it, so that the older form is really tried."""
    entries = dict(instances_of(read_base_map(feed_world.repository).entries))

    text = written_by_hand(entries)

    assert '"last_t": 2150N' in text
    assert '"last_t": "3185N"' in text
    assert "manifest" not in text


def test_a_command_on_files_takes_no_map_that_proves_nothing(
    feed_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how to prove it, and writes nothing."""
    write_by_hand(feed_world)
    (tmp_path / "map.json").write_text(read_base_map(feed_world.repository).text, encoding="utf-8")
    (tmp_path / "index.jsonl").write_text("", encoding="utf-8")
    options = {"--root": feed_world.buckets, "--index": tmp_path / "index.jsonl", "--map": tmp_path / "map.json"}
    more = {"--definitions": feed_world.catalog, "--out": tmp_path / "out"}
    words = [str(word) for option in (options | more).items() for word in option]

    assert run_command(["contracts", *words]) == 1

    assert "its entry names no manifest" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
