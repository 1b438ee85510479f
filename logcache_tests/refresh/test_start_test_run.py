"""Which test run is judged: an earlier one of the candidate, or a new one."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from logcache_assets.connect import connect
from logcache_assets.domain.documents import Candidate, TestRun, Verdict
from logcache_assets.domain.transactions import DatasetState, TransactionType
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.begun_test_runs import own_runs
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.publish import Publisher
from logcache_assets.refresh.start_test_run import TestRunner
from logcache_tests.conftest import silent
from logcache_tests.refresh.instant_itaipu import InstantItaipu, KilledError, leave_dataset
from logcache_tests.refresh.test_publish import candidate_of

ACCOUNTS, MERCHANTS = "contract-feed/accounts", "contract-feed/merchants"
COMMITTED, ABORTED, UNCOMMITTED = DatasetState.COMMITTED, DatasetState.ABORTED, DatasetState.UNCOMMITTED
WHOLE = {ACCOUNTS: COMMITTED, MERCHANTS: COMMITTED}


def runner_of(world: World, itaipu: InstantItaipu, told: list[str] | None = None) -> TestRunner:
    """What finds or starts test runs in a world."""
    ports, settings = connect(world.settings), world.settings
    return TestRunner(
        itaipu=itaipu,
        metapod=ports.metapod,
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        locations=settings.locations,
        time_limit=settings.test_run_time,
        tell=silent if told is None else told.append,
        tell_output=silent,
    )


def documented_run(world: World, candidate: Candidate) -> TestRun:
    """The finished run in the candidate's document."""
    uri = world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    return Documents(world.store).read(uri, TestRun)


def running_contracts(world: World) -> tuple[str, ...]:
    """The contracts that stand in the way of publishing."""
    ports = connect(world.settings)
    publisher = Publisher(
        metapod=ports.metapod,
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=world.settings,
    )
    return publisher.find_readers().running


def test_a_finished_run_is_used_again(refreshed_feed_world: World) -> None:
    """It computed this candidate, and its verdict was no refusal."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = InstantItaipu(world, WHOLE)

    run = runner_of(world, itaipu).find_or_run(candidate)

    assert run == documented_run(world, candidate)
    assert itaipu.begun == {}


def test_again_means_a_new_run(refreshed_feed_world: World) -> None:
    """A person who says so gets one, whatever there is."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = InstantItaipu(world, WHOLE)

    run = runner_of(world, itaipu).find_or_run(candidate, again=True)

    assert [run.transaction] == list(itaipu.begun.values())


def test_a_refused_run_is_never_used_again(refreshed_feed_world: World) -> None:
    """What was wrong with its tables may be repaired: they are computed anew."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    uri = world.settings.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
    documents = Documents(world.store)
    documents.write(uri, with_fields(documents.read(uri, Verdict), approved=False))
    itaipu = InstantItaipu(world, WHOLE)

    run = runner_of(world, itaipu).find_or_run(candidate)

    assert [run.transaction] == list(itaipu.begun.values())


@pytest.mark.parametrize(
    ("contract", "is_used"),
    [
        pytest.param(ACCOUNTS, False, id="its own"),
        pytest.param("contract-customers/customers", True, id="of a database that is not refreshed"),
    ],
)
def test_a_run_that_aborted_a_contract_is_never_used_again(
    refreshed_feed_world: World, contract: str, *, is_used: bool
) -> None:
    """The segment that could not be read then may be repaired."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    earlier = documented_run(world, candidate)
    if is_used:
        leave_dataset(world, earlier.transaction, contract, ABORTED)
    else:
        world.metapod_store.abort_dataset(earlier.transaction, contract, aborted_at=world.clock.now())
    itaipu = InstantItaipu(world, WHOLE)

    run = runner_of(world, itaipu).find_or_run(candidate)

    assert (run == earlier) is is_used
    assert (itaipu.begun == {}) is is_used


@pytest.mark.parametrize("killed", ["unnamed", "named"])
def test_a_run_that_ended_after_its_refresh_was_killed_is_used(refreshed_feed_world: World, killed: str) -> None:
    """It was written down before it began; its transaction is in its output at the latest."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu, told = InstantItaipu(world, WHOLE, killed=killed), list[str]()
    with pytest.raises(KilledError):
        runner_of(world, itaipu).find_or_run(candidate, again=True)
    earlier = documented_run(world, candidate)
    world.store.path_of(
        world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    ).unlink()

    run = runner_of(world, itaipu, told).find_or_run(candidate)

    assert [run.transaction] == list(itaipu.begun.values())
    assert run.indexed_t == earlier.indexed_t
    assert told == [f"The test run {run.transaction} that was begun before is complete; it is used"]


@pytest.mark.parametrize("killed", ["unnamed", "named"])
def test_a_run_that_was_killed_while_it_committed_is_passed_over(refreshed_feed_world: World, killed: str) -> None:
    """A new one is started; the datasets that the dead one left open stand in nobody's way."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    dead = InstantItaipu(world, {ACCOUNTS: COMMITTED, MERCHANTS: UNCOMMITTED}, killed=killed)
    with pytest.raises(KilledError):
        runner_of(world, dead).find_or_run(candidate, again=True)
    itaipu = replace(dead, datasets=WHOLE, killed="")
    world.store.path_of(
        world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    ).unlink()

    run = runner_of(world, itaipu).find_or_run(candidate)

    assert len(itaipu.begun) == 2
    assert run.transaction == list(itaipu.begun.values())[-1]
    assert running_contracts(world) == ()
    assert set(itaipu.begun.values()) <= own_runs(world.store, world.settings.locations).keys()


def test_somebody_elses_open_run_is_still_waited_for(refreshed_feed_world: World) -> None:
    """What a refresh knows of its own runs says nothing about others'."""
    other = "4c0bb4ae-0000-4000-8000-000000000001"
    world = refreshed_feed_world
    world.metapod_store.open_transaction(other, "other", TransactionType.CUSTOM, started_at=world.clock.now())
    leave_dataset(world, other, ACCOUNTS, UNCOMMITTED)

    assert running_contracts(world) == (f"contract-feed/accounts of CUSTOM transaction {other}",)


def test_a_run_that_goes_on_is_waited_for(refreshed_feed_world: World) -> None:
    """Its refresh was killed, it was not: no second run is started beside it."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu, told = InstantItaipu(world, {ACCOUNTS: UNCOMMITTED}, killed="named", is_running=True), list[str]()
    with pytest.raises(KilledError):
        runner_of(world, itaipu).find_or_run(candidate, again=True)
    (transaction,) = itaipu.begun.values()
    begun, now = runner_of(world, itaipu, told).begun, world.clock.now()

    def pause(_seconds: float) -> None:
        world.metapod_store.commit_dataset(transaction, ACCOUNTS, path="s3://e/x", columns=(), committed_at=now)
        itaipu.is_running = False

    done = replace(begun, pause=pause).find_complete(candidate, dataset_prefix="contract-feed/")

    assert done
    assert done.transaction == transaction
    assert told == [
        f"The test run {transaction} goes on; waiting for it, at most until 2018-05-24 20:00 UTC",
        f"The test run {transaction} that was begun before is complete; it is used",
    ]
