"""May this be merged now? The same answer for whoever asks: the local merge, the required check, status, the sensor."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from logcache_assets.cli import check_merge, local, refresh, status
from logcache_assets.connect import connect
from logcache_assets.domain.documents import Verdict
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, MapEntry, entry_of, render_map, with_entries
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.ports import BranchMovedError
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map, read_map
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.publish import publisher_of
from logcache_tests.conftest import silent
from logcache_tests.refresh.test_publish import candidate_of

FEED_S0 = parse_instance("feed-s0")


def problems_of(world: World, ref: str, *, lasting: bool = False) -> list[str]:
    """Reasons not to merge a branch or commit."""
    judge = MergeJudge(publisher_of(connect(world.settings), world.settings))
    return [str(problem) for problem in judge.find_problems(ref, lasting=lasting)]


def now_ms(world: World) -> int:
    """The world's now in milliseconds."""
    return int(world.clock.now().timestamp() * 1000)


def excise(world: World) -> None:
    """The first segment of feed-s0 is extracted again, because personal data was excised."""
    first = world.segment_index.segments(FEED_S0)[0]
    world.segment_items.put([replace(first, timestamp_ms=now_ms(world))])


def excise_across_the_end(world: World) -> None:
    """One new segment replaces the last one that the candidate's cache holds and the first one after it."""
    last_t = next(c.last_t for c in candidate_of(world).changes if c.instance == "feed-s0")
    segments = world.segment_index.segments(FEED_S0)
    held, after = next(pair for pair in itertools.pairwise(segments) if pair[0].last_t == last_t)
    world.segment_items.remove(FEED_S0, held.last_t)
    path = after.path.replace(f"-{after.last_batch_t}-", f"-{held.last_batch_t}-")
    begins = replace(after, path=path, last_batch_t=held.last_batch_t, initial_t=held.initial_t)
    across = replace(begins, timestamp_ms=now_ms(world))
    world.segment_items.put([across])
    assert across.last_batch_t < last_t < across.last_t


def lose_segment(world: World) -> None:
    """The index loses the newest segment but one."""
    world.segment_items.remove(FEED_S0, world.segment_index.segments(FEED_S0)[-2].last_t)


def damage_copy(world: World) -> None:
    """A file of the proposed cached log is cut short."""
    manifest = next(c.log.manifest for c in candidate_of(world).changes if c.instance == "feed-s0")
    uri = next(world.store.list_uris(manifest.replace("manifest.json", "log/")))
    world.store.write(uri, world.store.read(uri)[:1000])


def push(world: World) -> None:
    """Somebody pushes another file to the candidate's branch."""
    candidate = candidate_of(world)
    files = {"README.md": "hello\n"}
    world.repository.commit(branch=candidate.branch, parent=candidate.sha, files=files, message="Say hello")


def change_entry_on_main(world: World) -> None:
    """Another merge changes the entry of feed-s0."""
    entries = read_base_map(world.repository).entries
    entry = entry_of(entries, FEED_S0)
    assert entry is not None
    other = msgspec.structs.replace(entry, manifest_sha256="ab" * 32)
    world.repository.commit_to_base({MAP_PATH: render_map(with_entries(entries, {FEED_S0: other}))}, "Other")


def verdict_uri(world: World) -> str:
    """URI of the stored verdict."""
    candidate = candidate_of(world)
    return world.settings.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)


def refuse_later(world: World) -> None:
    """The candidate was judged again, and refused."""
    documents = Documents(world.store)
    verdict = documents.read(verdict_uri(world), Verdict)
    documents.write(verdict_uri(world), msgspec.structs.replace(verdict, approved=False))


def edit_verdict(world: World) -> None:
    """Somebody edits the stored verdict."""
    documents = Documents(world.store)
    verdict = documents.read(verdict_uri(world), Verdict)
    documents.write(verdict_uri(world), msgspec.structs.replace(verdict, databases=("customers",)))


LASTING = [
    pytest.param(excise, "feed-s0: 1 segment with t that the cache holds was extracted again", "(C7)", id="excision"),
    pytest.param(
        excise_across_the_end, "feed-s0: 1 segment with t that the cache holds was extracted again", "(C7)", id="across"
    ),
    pytest.param(lose_segment, "feed-s0: the segment index has a gap", "(C2)", id="gap"),
    pytest.param(damage_copy, "is not what was copied", "(C13)", id="a damaged copy"),
    pytest.param(push, "is no longer the validated commit", "(C29)", id="a push to the branch"),
    pytest.param(change_entry_on_main, "feed-s0: its entry on main was changed after", "(C26)", id="another merge"),
    pytest.param(refuse_later, "the verdict is not approved", "read the report", id="refused since"),
    pytest.param(edit_verdict, "the stored verdict is not the one for which the pull", "(C29)", id="an edited verdict"),
]


@pytest.mark.parametrize(("change", "found", "code"), LASTING)
def test_whoever_asks_is_told_that_it_must_not_be_merged(
    refreshed_feed_world: World, change: Callable[[World], None], found: str, code: str
) -> None:
    """The local merge, the required check and status give the same reason; main stays."""
    world = refreshed_feed_world
    candidate = candidate_of(world)
    change(world)
    main = world.repository.head("main")

    with pytest.raises(Refused, match="pull request #1 must not be merged now: ") as merging:
        local.merge(world.settings, None)
    with pytest.raises(Refused, match="must not be merged now: ") as checking:
        check_merge.run(world.settings, candidate.branch)
    shown = [line for line in status.render(status.run(world.settings)) if "must not be merged now" in line]

    assert all(found in told and code in told for told in (str(merging.value), str(checking.value), "; ".join(shown)))
    assert world.repository.head("main") == main
    assert [pull.number for pull in world.repository.open_pull_requests()] == [1]


def leave_everything(_world: World) -> None:
    """Nothing changes."""


def commit_beside(world: World) -> None:
    """Somebody else commits another file to main."""
    world.repository.commit_to_base({"README.md": "hello\n"}, "Say hello")


@pytest.mark.parametrize("change", [leave_everything, commit_beside], ids=["nothing changed", "a commit beside it"])
def test_what_was_validated_may_be_merged(refreshed_feed_world: World, change: Callable[[World], None]) -> None:
    """By its branch, its sha and its short sha."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    change(world)

    for ref in (candidate.branch, candidate.sha, candidate.version):
        assert check_merge.run(world.settings, ref) == check_merge.CheckMergeResult(ref=ref, changes_map=True)


def test_a_merge_makes_the_validated_commit_active(refreshed_feed_world: World) -> None:
    """Afterwards the branch changes nothing more; merging it again is no error."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)

    local.merge(world.settings, 1)

    assert world.repository.head("main") == candidate.sha
    assert not check_merge.run(world.settings, candidate.branch).changes_map


def test_a_branch_that_leaves_the_map_alone_may_be_merged(refreshed_feed_world: World) -> None:
    """The required check runs for everybody's pull requests, also for one that was begun before the last refresh."""
    world = refreshed_feed_world
    base = str(world.repository.head("main"))
    world.repository.commit(branch="docs", parent=base, files={"README.md": "hello\n"}, message="Say hello")
    local.merge(world.settings, 1)

    assert not check_merge.run(world.settings, "docs").changes_map


def leave_window(world: World) -> None:
    """Night falls."""
    world.clock.set(world.clock.now() + timedelta(hours=11))


def set_clock_back(world: World) -> None:
    """Our own clock says 2017."""
    world.clock.set(world.clock.now().replace(year=2017))


def set_clock_ahead(world: World) -> None:
    """Our own clock is 37 days ahead."""
    world.clock.set(world.clock.now() + timedelta(days=37))


def begin_night(world: World) -> None:
    """A nightly run began ten minutes ago, and has no dataset yet."""
    night = "4c0bb4ae-0000-4000-8000-000000000001"
    begun = world.clock.now() - timedelta(minutes=10)
    world.metapod_store.open_transaction(night, "nightly", TransactionType.DAILY, started_at=begun)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(leave_window, "outside the publish window", id="outside the window"),
        pytest.param(set_clock_back, "the clock here is behind: it says 2017-", id="2017"),
        pytest.param(
            set_clock_ahead, "the clock here is ahead, or nothing has happened for 37 days", id="37 days ahead"
        ),
        pytest.param(begin_night, "all contracts of DAILY transaction 4c0bb4ae", id="a night that has just begun"),
    ],
)
def test_what_passes_forbids_a_merge_only_now(
    refreshed_feed_world: World, change: Callable[[World], None], found: str
) -> None:
    """It is told, and no reason to give the candidate up (C11)."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    change(world)

    (told,) = problems_of(world, candidate.branch)

    assert found in told
    assert problems_of(world, candidate.branch, lasting=True) == []


def test_a_push_while_it_is_merged_is_noticed(refreshed_feed_world: World) -> None:
    """Only the commit that was judged is merged."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    push(world)
    main = world.repository.head("main")

    with pytest.raises(BranchMovedError, match=f"while {candidate.version} was to be merged"):
        world.repository.merge(1, head_sha=candidate.sha)

    assert world.repository.head("main") == main


def propose_map(world: World, entry: MapEntry | None) -> str:
    """A branch of somebody's own on which the entry of feed-s0 is this one, or is gone."""
    base = read_base_map(world.repository)
    entries = {prototype: dict(databases) for prototype, databases in base.entries.items()}
    entries["s0"].pop("feed")
    if entry is not None:
        entries["s0"]["feed"] = entry
    files = {MAP_PATH: render_map(entries)}
    world.repository.commit(branch="mine", parent=base.sha, files=files, message="Change the map")
    return "mine"


def former_entry(world: World) -> MapEntry:
    """The entry of feed-s0 before the last merge."""
    former = world.repository.versions(MAP_PATH, ref="main")[1]
    entry = entry_of(read_map(world.repository, ref=former.sha), FEED_S0)
    assert entry is not None
    return entry


def test_a_rollback_to_a_former_entry_may_be_merged(refreshed_feed_world: World) -> None:
    """It was validated when it became active; so may be taking the entry out, which leaves the segments."""
    world = refreshed_feed_world
    local.merge(world.settings, 1)

    assert problems_of(world, propose_map(world, former_entry(world))) == []
    assert problems_of(world, propose_map(world, None)) == []


def test_a_rollback_to_deleted_personal_data_must_not_be_merged(refreshed_feed_world: World) -> None:
    """The former cache holds what was excised since it was read (C7)."""
    world = refreshed_feed_world
    local.merge(world.settings, 1)
    excise(world)

    (problem,) = problems_of(world, propose_map(world, former_entry(world)))

    assert "feed-s0: 1 segment with t that the cache holds was extracted again" in problem


def test_an_entry_that_no_refresh_validated_must_not_be_merged(refreshed_feed_world: World) -> None:
    """Whatever it points to: nothing was computed with it (C29)."""
    world = refreshed_feed_world
    entry = entry_of(read_map(world.repository, ref=candidate_of(world).branch), FEED_S0)
    assert entry is not None

    (problem,) = problems_of(world, propose_map(world, entry))

    assert problem.startswith(
        "feed-s0: mine changes its entry, and no refresh validated that (C29); refresh, or return"
    )


def test_a_map_that_cannot_be_read_must_not_be_merged(refreshed_feed_world: World) -> None:
    """Malformed text is a problem, not a crash (C15)."""
    world = refreshed_feed_world
    base = str(world.repository.head("main"))
    world.repository.commit(branch="mine", parent=base, files={MAP_PATH: "[" * 50_000}, message="Garble the map")

    (problem,) = problems_of(world, "mine")

    assert "the map cannot be read" in problem


@pytest.mark.parametrize(("change", "found", "code"), [LASTING[0], LASTING[4]])
def test_the_sensor_and_refresh_say_the_same(
    refreshed_feed_world: World, change: Callable[[World], None], found: str, code: str
) -> None:
    """The night is proposed already, and what is proposed must not be merged any more."""
    world = refreshed_feed_world
    change(world)

    with pytest.raises(Refused, match=r"pull request #1 .* must not be merged any more: ") as refusal:
        refresh.run(world.settings, databases=(), transaction=None, dry_run=True, say=silent)

    assert found in str(refusal.value)
    assert code in str(refusal.value)
