"""What a pull request's page says stays true: after an excision, a push, another merge, and at any hour."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest
from click.testing import CliRunner

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.cli import verify_pull_request
from logcache_assets.cli.main import logcache
from logcache_assets.connect import connect
from logcache_assets.defs.pull_request_sensor import open_pull_requests
from logcache_assets.defs.resources import given_resources
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.errors import Refused, Unavailable
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.merge_statuses import StatusKeeper
from logcache_assets.refresh.publish import publisher_of
from logcache_assets.settings import child_environment
from logcache_tests.local_platform.test_itaipu_repository import git
from logcache_tests.refresh.test_judge_merge import LASTING, excise
from logcache_tests.refresh.test_publish import candidate_of
from logcache_tests.unreachable_store import UnreachableStore


def status_of(world: World, number: int = 1) -> MergeStatus | None:
    """What the page of a pull request says of its newest commit."""
    return world.repository.merge_status(world.repository.pull_request(number).head_sha)


def tick(world: World, cursor: str | None = None) -> str:
    """The sentence of one evaluation of the sensor."""
    resources = dict(given_resources(world.settings, connect(world.settings)))
    used = {name: resources[name] for name in ("metapod", "store", "segment_index", "repository", "clock", "settings")}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance, resources=used, cursor=cursor) as context,
    ):
        skipped = open_pull_requests(context)
    assert isinstance(skipped, dg.SkipReason)
    return str(skipped.skip_message)


def files_of_requests(world: World) -> list[bytes]:
    """The local world's pull requests, byte for byte."""
    return [path.read_bytes() for path in sorted(world.files.pull_requests.glob("*.*"))]


def test_a_refresh_says_that_it_was_approved(refreshed_feed_world: World) -> None:
    """The sensor and the command agree, and write nothing again."""
    world = refreshed_feed_world
    said, before = status_of(world), files_of_requests(world)

    sentence = tick(world)
    verified = verify_pull_request.run(world.settings, 1)

    assert said == MergeStatus(
        state="success",
        sentence="Approved: 5 contracts are as the log says",
        url=publisher_of(connect(world.settings), world.settings).report_link(candidate_of(world)),
    )
    assert sentence == "#1 stays success: Approved: 5 contracts are as the log says"
    assert (verified.may_be_merged, verified.is_set, verified.state) == (True, False, "success")
    assert files_of_requests(world) == before


@pytest.mark.parametrize(("change", "found", "code"), [LASTING[0], LASTING[4]])
def test_what_forbids_a_merge_shows_on_the_page(
    refreshed_feed_world: World, change: Callable[[World], None], found: str, code: str
) -> None:
    """Also what pushes nothing; the command has every reason, and the page the first."""
    world = refreshed_feed_world
    change(world)

    sentence = tick(world)
    verified = verify_pull_request.run(world.settings, 1)

    shown = status_of(world)
    assert shown is not None
    assert shown.state == "failure"
    assert len(shown.sentence) <= 140
    assert sentence == f"#1 is failure: {shown.sentence}"
    assert any(found in problem and code in problem for problem in verified.problems)
    assert not verified.may_be_merged


def test_the_hour_is_no_failure(refreshed_feed_world: World) -> None:
    """Outside the publish window it waits; when the window opens it may be merged again."""
    world = refreshed_feed_world
    world.clock.set(world.clock.now() + timedelta(hours=10))

    late = tick(world)
    waiting = status_of(world)
    world.clock.set(world.clock.now() + timedelta(minutes=5))
    later = tick(world)
    world.clock.set(world.clock.now() + timedelta(hours=13, minutes=55))
    again = tick(world)

    assert late.startswith("#1 is pending: ")
    assert later.startswith("#1 stays pending: ")  # GitHub takes a thousand statuses of one commit
    assert waiting is not None
    assert "window" in waiting.sentence
    assert again.startswith("#1 is success: Approved")


def test_the_command_has_an_exit_code_and_a_document(
    refreshed_feed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 for what may be merged; 1 with every reason for what must not; without a status nothing is written."""
    world = refreshed_feed_world
    for name, value in child_environment(world.settings).items():
        monkeypatch.setenv(name, value)

    good = CliRunner().invoke(logcache, ["verify-pull-request", "1", "--json"])
    excise(world)
    before = files_of_requests(world)
    bad = CliRunner().invoke(logcache, ["verify-pull-request", "1", "--json", "--no-status"])

    assert (good.exit_code, json.loads(good.stdout)["state"]) == (0, "success")
    assert (bad.exit_code, json.loads(bad.stdout)["state"]) == (1, "failure")
    assert "was extracted again" in json.loads(bad.stdout)["problems"][0]
    assert files_of_requests(world) == before


def test_only_what_is_open_is_verified(refreshed_feed_world: World) -> None:
    """A merged one is not judged by what happened afterwards."""
    refreshed_feed_world.repository.merge(1)

    with pytest.raises(Refused, match="pull request 1 is merged"):
        verify_pull_request.run(refreshed_feed_world.settings, 1)


def propose(world: World, branch: str, files: dict[str, str]) -> int:
    """Open a pull request that no refresh made."""
    base = world.repository.head("main") or ""
    world.repository.commit(branch=branch, parent=base, files=files, message="By hand")
    return world.repository.propose(branch=branch, title="By hand", body="").number


def test_a_pull_request_that_leaves_the_map_alone_is_not_the_sensors(refreshed_feed_world: World) -> None:
    """A repository may have hundreds; the required check still gets its answer from the command."""
    world = refreshed_feed_world
    number = propose(world, "docs", {"README.md": "hello\n"})

    sentence = tick(world)
    unsaid = status_of(world, number)
    verified = verify_pull_request.run(world.settings, number)

    assert "#2" not in sentence
    assert unsaid is None
    assert (verified.changes_map, verified.may_be_merged) == (False, True)
    assert status_of(world, number) == MergeStatus(state="success", sentence="It leaves the log cache map as it is")


def test_a_map_that_cannot_be_read_is_a_failure(refreshed_feed_world: World) -> None:
    """Nobody is told to wait for what is wrong."""
    number = propose(refreshed_feed_world, "broken", {MAP_PATH: "{"})

    sentence = tick(refreshed_feed_world)

    assert f"#{number} is failure: the map cannot be read" in sentence
    assert "#1 stays success" in sentence


def test_a_document_that_cannot_be_read_is_a_failure(refreshed_feed_world: World) -> None:
    """Whoever cannot be judged must not be merged; the page says why."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    uri = world.settings.locations.candidate(transaction=candidate.transaction, selection=candidate.selection)
    world.store.write(uri, b"{")

    sentence = tick(world)

    assert sentence.startswith("#1 is failure: it cannot be judged: ")
    assert not verify_pull_request.run(world.settings, 1).may_be_merged


def test_an_outage_takes_an_approval_back(refreshed_feed_world: World) -> None:
    """Nothing is known any more, so nobody merges; when the system answers again, so does the page."""
    world = refreshed_feed_world
    publisher = publisher_of(connect(world.settings), world.settings)
    assert isinstance(world.store, FolderObjectStore)
    keeper = StatusKeeper(replace(publisher, store=UnreachableStore(world.store)))

    with pytest.raises(Unavailable):
        keeper.keep(world.repository.pull_request(1))
    doubtful = status_of(world)

    assert doubtful is not None
    assert (doubtful.state, doubtful.sentence[:40]) == ("pending", "An outside system does not answer, so no")
    assert tick(world) == "#1 is success: Approved: 5 contracts are as the log says"


def test_an_outage_leaves_a_refusal(refreshed_feed_world: World) -> None:
    """What must not be merged stays so, with its reason."""
    world = refreshed_feed_world
    excise(world)
    tick(world)
    said, publisher = status_of(world), publisher_of(connect(world.settings), world.settings)
    assert isinstance(world.store, FolderObjectStore)
    keeper = StatusKeeper(replace(publisher, store=UnreachableStore(world.store)))

    with pytest.raises(Unavailable):
        keeper.keep(world.repository.pull_request(1))

    assert status_of(world) == said


def test_a_return_to_former_entries_may_be_merged(refreshed_feed_world: World) -> None:
    """No refresh made it, and there is no report to link."""
    world = refreshed_feed_world
    former = world.repository.read(MAP_PATH, ref="main")
    world.repository.merge(1)
    number = propose(world, "rollback", {MAP_PATH: former})

    sentence = tick(world)

    assert sentence == f"#{number} is success: Its entries were active before, or are proven by their manifests"


def test_time_that_runs_out_goes_on_next_time(refreshed_feed_world: World) -> None:
    """The cursor names the one that was judged last; those behind it come first."""
    number = propose(refreshed_feed_world, "broken", {MAP_PATH: "{"})

    sentence = tick(refreshed_feed_world, cursor=str(number))

    assert sentence.index("#1 ") < sentence.index(f"#{number} ")


def test_a_branch_that_moves_meanwhile_gets_no_status(refreshed_feed_world: World) -> None:
    """What was read may be of either commit, so nothing is said of the one that was asked about."""
    world = refreshed_feed_world
    shown = world.repository.pull_request(1)
    world.repository.commit(branch=shown.branch, parent=shown.head_sha, files={"README.md": "pushed\n"}, message="Push")

    judged = StatusKeeper(publisher_of(connect(world.settings), world.settings)).keep(shown)

    assert not judged.is_new
    assert status_of(world) is None


def test_a_merge_commit_cannot_bring_back_an_old_map(refreshed_feed_world: World) -> None:
    """It takes the base branch's newest commits without their map: git's log of the map shows nothing of it."""
    world = refreshed_feed_world
    before = world.repository.head("main") or ""
    world.repository.merge(1)
    main = world.repository.head("main") or ""
    bare = world.files.repository
    tree = git(bare, "rev-parse", f"{before}^{{tree}}")
    who = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    evil = git(bare, *who, "commit-tree", tree, "-p", before, "-p", main, "-m", "Take main")
    subprocess.run(["git", "-C", str(bare), "update-ref", "refs/heads/evil", evil], check=True)  # noqa: S607 - as a person
    judge = MergeJudge(publisher_of(connect(world.settings), world.settings))

    assert git(bare, "log", "--format=%H", "evil", "--", MAP_PATH) == git(
        bare, "log", "--format=%H", before, "--", MAP_PATH
    )
    assert judge.changes_map("evil")
    assert not judge.changes_map(before)
    assert candidate_of(world).branch != "evil"
