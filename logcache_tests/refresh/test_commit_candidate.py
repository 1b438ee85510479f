"""The candidate replaces entries of the active map; what is damaged there must not forbid its own replacement."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from logcache_assets.connect import connect
from logcache_assets.domain.documents import Candidate, LeftOut, NightlyTransaction, PermanentLog
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import MAP_PATH, MapEntry, entry_of, render_map, with_entries
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.commit_candidate import CandidateCommitter
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map, read_map
from logcache_tests.refresh.test_publish import candidate_of
from logcache_tests.worlds import files_of, path_of

FEED_S0, CARDS = parse_instance("feed-s0"), parse_instance("cards-s0")


def active(world: World) -> MapEntry:
    """The entry of feed-s0 on main."""
    entry = entry_of(read_base_map(world.repository).entries, FEED_S0)
    assert entry is not None
    return entry


def a_file(world: World) -> str:
    """One file of the active cached log."""
    return next(world.store.list_uris(active(world).log + "/"))


def commit_again(world: World, *left_out: LeftOut) -> Candidate:
    """Make the candidate of the world's one refresh anew, from the same copies."""
    ports, locations, former = connect(world.settings), world.settings.locations, candidate_of(world)
    documents, night = Documents(ports.store), former.transaction
    committer = CandidateCommitter(
        store=ports.store, segment_index=ports.segment_index, repository=ports.repository, settings=world.settings
    )
    return committer.commit(
        documents.read(locations.night(transaction=night, selection=former.selection), NightlyTransaction),
        [documents.read(locations.permanent_log(transaction=night, database="feed"), PermanentLog)],
        left_out=left_out,
        catalog=["feed", *(left.database for left in left_out)],
    )


def test_a_fault_of_another_night_leaves_nothing_out(refreshed_feed_world: World) -> None:
    """A selection by hand may hold a database's asset of an older night: its stages run again first."""
    older = LeftOut(transaction="0f0f0f0f", database="cards", stage="log_export", problems=(Problem(found=("a gap",)),))

    with pytest.raises(Refused, match="permanent_log/cards holds transaction 0f0f0f0f, nightly_transaction is "):
        commit_again(refreshed_feed_world, older)


def cut_file(world: World) -> None:
    """A file of the active cached log is cut short."""
    world.store.write(a_file(world), world.store.read(a_file(world))[:1000])


def delete_file(world: World) -> None:
    """A file of the active cached log is gone."""
    path_of(world, a_file(world)).unlink()


def delete_manifest(world: World) -> None:
    """The active cached log has no manifest."""
    path_of(world, folder_of(active(world).log).manifest).unlink()


def garble_manifest(world: World) -> None:
    """The active cached log's manifest is no document."""
    world.store.write(folder_of(active(world).log).manifest, b"[" * 100_000)


def edit_map(world: World, **fields: object) -> None:
    """Somebody edits the entry on main."""
    entries = read_base_map(world.repository).entries
    edited = with_entries(entries, {FEED_S0: replace(active(world), **fields)})
    world.repository.commit_to_base({MAP_PATH: render_map(edited)}, "Edit")


def name_other_manifest(world: World) -> None:
    """The map names another manifest than the one that is there."""
    edit_map(world, manifest_sha256="ab" * 32)


def point_nowhere(world: World) -> None:
    """The entry points to a bucket that does not exist."""
    edit_map(world, log="s3://nowhere/cache/feed-s0/1/log", materialized_entities="s3://nowhere/cache/feed-s0/1/e")


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(cut_file, "C13", id="a file is cut short"),
        pytest.param(delete_file, "C13", id="a file is gone"),
        pytest.param(delete_manifest, "C14", id="the manifest is gone"),
        pytest.param(garble_manifest, "C14", id="the manifest is garbled"),
        pytest.param(name_other_manifest, "C13", id="the map names another manifest"),
        pytest.param(point_nowhere, "C14", id="it points to another bucket"),
    ],
)
def test_a_damaged_entry_that_is_replaced_is_a_warning(
    refreshed_feed_world: World, damage: Callable[[World], None], code: str
) -> None:
    """Its replacement is sound; the warning goes with the candidate, because nobody may roll back to it."""
    damage(refreshed_feed_world)

    warnings = commit_again(refreshed_feed_world).warnings

    assert {warning.code for warning in warnings} == {code}
    assert {warning.subject for warning in warnings} == {"feed-s0"}


def test_an_entry_that_was_edited_by_hand_is_refused(refreshed_feed_world: World) -> None:
    """Its cached log is sound, the map is not: whoever edited it corrects it, and nothing is written."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    edit_map(world, last_t=active(world).last_t + 1)
    before = files_of(world.buckets)

    with pytest.raises(Refused, match=r"no candidate was committed: active map, feed-s0: the map says last_t .*C5"):
        commit_again(world)

    assert world.repository.head(candidate.branch) == candidate.sha
    assert files_of(world.buckets) == before


def test_without_damage_there_is_no_warning(refreshed_feed_world: World) -> None:
    """The candidate is the same commit as before."""
    assert commit_again(refreshed_feed_world) == candidate_of(refreshed_feed_world)


def test_a_damaged_entry_that_stays_is_told(refreshed_feed_world: World) -> None:
    """It is another database's fault, and it is there already: the candidate leaves it, and says so."""
    world = refreshed_feed_world
    gone = replace(active(world), log="s3://nu-spark-metapod/cache/cards-s0/1-x/log")
    entries = with_entries(read_base_map(world.repository).entries, {CARDS: gone})
    world.repository.commit_to_base({MAP_PATH: render_map(entries)}, "Add cards")

    candidate = commit_again(world)

    assert [(damage.code, damage.subject) for damage in candidate.damaged] == [("C14", "cards-s0")]
    assert candidate.databases == ("feed",)
    assert entry_of(read_map(world.repository, ref=candidate.sha), CARDS) == gone
