"""The base branch moves while a refresh works, or while its pull request is open: what must be computed again."""

import dagster as dg
import pytest
from msgspec.structs import replace as with_fields

from logcache_assets.cli import refresh, status
from logcache_assets.cli.refresh_result import NothingToRefresh, Refreshed
from logcache_assets.domain.documents import TestRun
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, entry_of, render_map, with_entries
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.faults import WRONG_VALUE
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_tests.conftest import silent
from logcache_tests.defs.test_attempts import tick_of
from logcache_tests.refresh.test_publish import candidate_of
from logcache_tests.worlds import FEED_DEFINITION, materialize, refusal_of


def runs_of_itaipu(world: World) -> int:
    """How many test runs metapod shows."""
    return len(world.metapod_store.find_transactions(types=[TransactionType.CUSTOM]))


def refreshed(world: World) -> object:
    """The result of `logcache refresh`."""
    return refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)


def test_a_candidate_is_committed_again_without_a_test_run(refreshed_feed_world: World) -> None:
    """The rules moved, by which its contracts are judged again; the pull request says so."""
    world, former = refreshed_feed_world, candidate_of(refreshed_feed_world)
    base = world.repository.commit_to_base({RULES_PATH: "rules: []\n", "docs/README.md": "new"}, "Edit")

    told = status.run(world.settings).next
    result = refreshed(world)

    later = candidate_of(world)
    (request,) = world.repository.open_pull_requests()
    assert f"the base branch has moved in the rules ({RULES_PATH})" in told
    assert isinstance(result, Refreshed)
    assert (later.base_sha, later.map_sha256) == (base, former.map_sha256)
    assert later.carried is not None
    assert later.carried.sha == former.sha
    assert runs_of_itaipu(world) == 1
    assert request.head_sha == later.sha
    assert f"computed by Itaipu {former.version} in" in request.body
    assert "No new test run was needed: since then only the rules" in request.body
    assert "docs/README.md" in request.body
    uri = world.settings.locations.test_run(transaction=later.transaction, version=later.version)
    assert Documents(world.store).read(uri, TestRun).computed_at == former.sha


def test_its_contracts_are_computed_again_when_code_moved(refreshed_feed_world: World) -> None:
    """The pull request names the file."""
    world, former = refreshed_feed_world, candidate_of(refreshed_feed_world)
    world.repository.commit_to_base({"src/LogOp.scala": "new"}, "Edit")

    result = refreshed(world)

    (request,) = world.repository.open_pull_requests()
    assert isinstance(result, Refreshed)
    assert candidate_of(world).carried is None
    assert runs_of_itaipu(world) == 2
    assert "computed again, because of Itaipu's code (src/LogOp.scala)" in request.body
    assert former.version not in request.body


def test_a_file_that_is_not_known_to_be_beside_is_code(refreshed_feed_world: World) -> None:
    """Whether a build reads what lies at the repository's top is the deployment's to say."""
    refreshed_feed_world.repository.commit_to_base({"README.md": "new"}, "Edit")

    assert "the base branch has moved in Itaipu's code (README.md)" in status.run(refreshed_feed_world.settings).next


def test_an_open_pull_request_is_left_alone_when_the_base_moved_beside_it(refreshed_feed_world: World) -> None:
    """A push would dismiss its reviews; git merges a file that Itaipu does not read."""
    world, former = refreshed_feed_world, candidate_of(refreshed_feed_world)
    world.repository.commit_to_base({"docs/README.md": "new", "contracts/cards.yaml": FEED_DEFINITION}, "Edit")

    result = refreshed(world)

    assert isinstance(result, NothingToRefresh)
    assert "is already proposed in pull request #1" in result.reason
    assert candidate_of(world) == former
    assert status.run(world.settings).pull_requests[0].obstacles == []


def test_a_base_that_is_refused_is_not_tried_for_ever(refreshed_feed_world: World) -> None:
    """An entry of the open pull request was edited by hand: the sensor tries once, and waits for the next change."""
    world, former = refreshed_feed_world, candidate_of(refreshed_feed_world)
    entries = read_base_map(world.repository).entries
    feed = parse_instance("feed-s0")
    entry = entry_of(entries, feed)
    assert entry is not None
    edited = with_entries(entries, {feed: with_fields(entry, last_t=entry.last_t - 1)})
    world.repository.commit_to_base({MAP_PATH: render_map(edited)}, "Edit")

    due, result, waits = tick_of(world), materialize(world), tick_of(world)

    assert isinstance(due, dg.RunRequest)
    assert "no candidate was committed: active map, feed-s0: the map says last_t" in refusal_of(result)
    assert isinstance(waits, dg.SkipReason)
    assert "must not be merged any more: feed-s0: its entry on main was changed" in str(waits.skip_message)
    assert candidate_of(world) == former


def test_evidence_is_carried_from_the_run_that_was_made(feed_world: World) -> None:
    """A candidate whose evidence might be carried had a run of its own, because the earlier one was refused."""
    world = feed_world
    world.faults.arm(WRONG_VALUE, "contract-feed/accounts")
    with pytest.raises(Refused, match="differences_explained"):
        refreshed(world)
    (world.home / "faults" / WRONG_VALUE).unlink()
    world.repository.commit_to_base({"docs/README.md": "new"}, "Edit")
    second, judged = refreshed(world), candidate_of(world)
    (request,) = world.repository.open_pull_requests()
    world.repository.commit_to_base({RULES_PATH: "rules: []\n"}, "Edit")

    third = refreshed(world)

    assert isinstance(second, Refreshed)
    assert "No new test run was needed" not in request.body
    assert isinstance(third, Refreshed)
    assert runs_of_itaipu(world) == 2
    carried = candidate_of(world).carried
    assert carried is not None
    assert carried.sha == judged.sha
