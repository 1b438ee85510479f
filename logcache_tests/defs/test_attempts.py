"""A refresh that did not end well: what is written down, what everybody says is next, and how it goes on."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import msgspec
import pytest
from msgspec.structs import replace as with_fields

from logcache_assets.adapters.home_lock import holding
from logcache_assets.catalog import load_catalog
from logcache_assets.cli import local, refresh, status
from logcache_assets.cli.refresh_result import NothingToRefresh, Refreshed
from logcache_assets.connect import connect
from logcache_assets.defs.resources import given_resources
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.run_tags import ASKED_TAG, REASON_TAG
from logcache_assets.domain.attempts import Attempt, End
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.look_ahead import Asked, look_ahead
from logcache_tests.conftest import silent
from logcache_tests.worlds import definitions_of, files_of, materialize, path_of, refusal_of


def attempts_of(world: World) -> list[Attempt]:
    """The attempts in a world with one night, oldest first."""
    listed = world.store.list_objects(world.settings.locations.documents)
    uris = sorted(item.uri for item in listed if "/attempt/" in item.uri)
    return [msgspec.json.decode(world.store.read(uri), type=Attempt) for uri in uris]


def tick_of(world: World) -> dg.SkipReason | dg.RunRequest:
    """What one evaluation of the sensor gives."""
    sensor = definitions_of(world).resolve_sensor_def("new_nightly_transaction")
    resources = given_resources(world.settings, connect(world.settings))
    with (
        open_storage(world.dagster_home) as instance,
        dg.build_sensor_context(instance, resources=resources) as context,
    ):
        tick = sensor(context)
    assert isinstance(tick, dg.SkipReason | dg.RunRequest)
    return tick


def refreshed(world: World, *, again: bool = False) -> object:
    """The result of `logcache refresh`."""
    return refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent, again=again)


def runs_of_itaipu(world: World) -> int:
    """How many test runs metapod shows."""
    return len(world.metapod_store.find_transactions(types=[TransactionType.CUSTOM]))


def test_a_refused_refresh_is_computed_anew_by_a_person_and_left_alone_by_the_sensor(feed_world: World) -> None:
    """Itaipu cut one value short, once. The sensor waits for a change, and everybody says so in the same words."""
    world = feed_world
    local.break_(world.settings, "wrong-value")
    with pytest.raises(Refused, match="differences_explained"):
        refreshed(world)
    (refused,) = attempts_of(world)
    (world.home / "faults" / "wrong-value").unlink()
    waits, shown = tick_of(world), status.run(world.settings).next

    result = refreshed(world)

    assert (refused.end, refused.stage) == (End.REFUSED, "validation_report")
    assert isinstance(waits, dg.SkipReason)
    assert waits.skip_message == shown
    assert shown.startswith("attempt 1 was refused, and what it read has not changed: contract-feed/accounts")
    assert isinstance(result, Refreshed)
    assert [attempt.end for attempt in attempts_of(world)] == [End.REFUSED, End.PUBLISHED]
    assert runs_of_itaipu(world) == 2


def test_a_refused_refresh_is_due_again_when_the_index_is_repaired(feed_world: World) -> None:
    """The index had lost an item; segments that arrive meanwhile are no repair, the item that comes back is one."""
    world = feed_world
    feed = load_catalog(world.catalog)[0]
    *_, lost, newest = world.segment_index.segments(feed.instances[0])
    world.segment_items.remove(lost.instance, lost.last_t)
    with pytest.raises(Refused, match="has a gap"):
        refreshed(world)
    first, last = newest.last_t, newest.last_t + 9
    path = newest.path.replace(f"-{newest.last_batch_t}-{first}.avro", f"-{first}-{last}.avro")
    world.segment_items.put([replace(newest, initial_t=first + 1, last_batch_t=first, last_t=last, path=path)])
    waits = tick_of(world)

    world.segment_items.put([lost])
    due = tick_of(world)

    assert isinstance(waits, dg.SkipReason)
    assert isinstance(due, dg.RunRequest)
    sentence = status.run(world.settings).next
    assert "changed since attempt 1 is the log of feed-s0" in sentence
    assert due.tags[REASON_TAG] == sentence
    assert due.tags[ASKED_TAG] == "the sensor new_nightly_transaction"


def test_only_the_last_stage_runs_when_the_window_opens(feed_world: World) -> None:
    """A refresh at night is prepared whole; at one o'clock it is proposed, without another test run or verdict."""
    world = feed_world
    world.clock.set(world.clock.now() + timedelta(hours=11))
    with pytest.raises(Refused, match="outside the publish window"):
        refreshed(world)
    (prepared,) = attempts_of(world)
    by_night, by_person = tick_of(world), refreshed(world)
    world.clock.set(world.clock.now().replace(hour=13, minute=0) + timedelta(days=1))
    by_day = tick_of(world)
    before = files_of(world.home / "buckets")

    result = refreshed(world)

    written = {path for path, content in files_of(world.home / "buckets").items() if before.get(path) != content}
    assert prepared.end is End.NOT_YET
    assert isinstance(by_night, dg.SkipReason)
    assert isinstance(by_person, NothingToRefresh)
    assert by_person.reason == by_night.skip_message
    assert "is prepared and approved; it is proposed when the publish window 13:00-23:00 UTC opens" in by_person.reason
    assert isinstance(by_day, dg.RunRequest)
    assert by_day.asset_selection == [dg.AssetKey("log_cache_pull_request"), dg.AssetKey(["refreshed", "feed"])]
    assert isinstance(result, Refreshed)
    assert {Path(path).parent.name for path in written} == {"attempt", "log_cache_pull_request"}
    assert runs_of_itaipu(world) == 1


def test_a_run_that_finds_another_going_on_changes_nothing(feed_world: World) -> None:
    """Dagit's run fails with the sentence that the command gives; the sensor says it too. Caches may be checked."""
    world = feed_world
    with holding(world.home):
        before = files_of(world.home / "buckets")

        refusal, tick = refusal_of(materialize(world)), tick_of(world)
        with pytest.raises(Refused, match=r"another refresh of .* is going on"):
            refreshed(world)

        after = files_of(world.home / "buckets")
        assert {path: content for path, content in after.items() if "/_standing/" not in path} == before
    assert refusal.startswith(f"another refresh of {world.home} is going on; wait for its end")
    assert isinstance(tick, dg.SkipReason)
    assert tick.skip_message == "another refresh is going on; wait for its end"


def test_a_person_can_always_say_again(refreshed_feed_world: World) -> None:
    """A new test run is started and judged, although the pull request is open."""
    world = refreshed_feed_world

    result = refreshed(world, again=True)

    assert isinstance(result, Refreshed)
    assert runs_of_itaipu(world) == 2
    assert [request.number for request in world.repository.open_pull_requests()] == [1]


def test_a_run_that_ended_before_it_began_is_asked_for_a_few_times(world: World) -> None:
    """Dagster remembers a run's key for ever, so each request has another; then the sensor says that it stops."""
    keys, tick = [], tick_of(world)
    while isinstance(tick, dg.RunRequest):
        keys.append(tick.run_key)
        with open_storage(world.dagster_home) as instance:
            instance.add_run(
                dg.DagsterRun(job_name="refresh_log_cache", tags=dict(tick.tags), status=dg.DagsterRunStatus.FAILURE)
            )
        tick = tick_of(world)

    assert len(set(keys)) == len(keys) == 5
    assert str(tick.skip_message).startswith("5 runs ended before they had begun")


def test_a_tick_names_the_run_that_it_asked_for(world: World) -> None:
    """A run waits in the queue before it takes the lock; Dagster would drop the second request without a word."""
    asked = tick_of(world)
    assert isinstance(asked, dg.RunRequest)
    with open_storage(world.dagster_home) as instance:
        run = dg.DagsterRun(job_name="refresh_log_cache", tags=dict(asked.tags), status=dg.DagsterRunStatus.STARTING)
        instance.add_run(run)

    tick = tick_of(world)

    assert isinstance(tick, dg.SkipReason)
    assert str(tick.skip_message).endswith(f" is due; run {run.run_id[:8]} was asked to do it, its state: starting")


@pytest.mark.parametrize("end", [None, End.INTERRUPTED])
def test_a_killed_attempt_goes_on_from_its_documents(refreshed_feed_world: World, end: End | None) -> None:
    """Its document has no end and nobody holds the lock; the pull request was not opened yet."""
    world = refreshed_feed_world
    (attempt,) = attempts_of(world)
    place = {"transaction": attempt.transaction, "selection": attempt.selection}
    path_of(world, world.settings.locations.publication(**place)).unlink()
    (world.home / "pull_requests" / "1.json").unlink()
    uri = world.settings.locations.attempt(**place, number=1)
    Documents(world.store).write(uri, with_fields(attempt, end=end, ended_at=None, stage=""))

    asked = Asked(databases=load_catalog(world.catalog), selection="all")
    step = look_ahead(asked, ports=connect(world.settings), settings=world.settings).step
    result = refreshed(world)

    assert "; it goes on from log_cache_pull_request: feed from transaction" in step.sentence
    assert isinstance(result, Refreshed)
    assert runs_of_itaipu(world) == 1
