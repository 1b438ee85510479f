"""Which test run is judged: an earlier one of the candidate, or a new one."""

from dataclasses import replace
from datetime import datetime
from typing import NoReturn

import pytest
from msgspec.structs import replace as with_fields
from typing_extensions import override

from logcache_assets.connect import connect
from logcache_assets.domain.documents import Candidate, TestRun, Verdict
from logcache_assets.domain.transactions import DatasetState, Transaction, TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.ports import ItaipuWrongData, Metapod, MetapodError, MetapodUnavailable, MetapodWrongData
from logcache_assets.refresh.begun_test_runs import LONGEST_PAUSE, own_runs, pause_after
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.publish import Publisher
from logcache_assets.refresh.start_test_run import TestRunner
from logcache_tests.conftest import silent
from logcache_tests.refresh.instant_itaipu import InstantItaipu, KilledError, leave_dataset
from logcache_tests.refresh.test_publish import candidate_of
from logcache_tests.worlds import path_of

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
    path_of(
        world, world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    ).unlink()

    run = runner_of(world, itaipu, told).find_or_run(candidate)

    assert [run.transaction] == list(itaipu.begun.values())
    assert itaipu.stopped == [run.transaction]
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
    path_of(
        world, world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    ).unlink()

    run = runner_of(world, itaipu).find_or_run(candidate)

    assert len(itaipu.begun) == 2
    assert run.transaction == list(itaipu.begun.values())[-1]
    assert itaipu.stopped == list(itaipu.begun.values())[:1]
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


def killed_run(world: World, *, is_running: bool | None, is_stoppable: bool = True) -> InstantItaipu:
    """An Itaipu whose first run's refresh was killed, and whose next runs end well."""
    unfinished = {ACCOUNTS: COMMITTED, MERCHANTS: UNCOMMITTED}
    itaipu = InstantItaipu(world, unfinished, killed="named", is_running=is_running, is_stoppable=is_stoppable)
    candidate = candidate_of(world)
    with pytest.raises(KilledError):
        runner_of(world, itaipu).find_or_run(candidate, again=True)
    uri = world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    path_of(world, uri).unlink()
    itaipu.killed, itaipu.datasets = "", WHOLE
    return itaipu


def test_a_cluster_that_goes_on_is_not_paid_for_twice(refreshed_feed_world: World) -> None:
    """Its refresh and its sabesp were killed; metapod shows how it goes on, and its end."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu, told = killed_run(world, is_running=None), list[str]()
    (transaction,) = itaipu.begun.values()
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            now = world.clock.now()
            world.metapod_store.commit_dataset(transaction, MERCHANTS, path="s3://e/x", columns=(), committed_at=now)

    begun = replace(runner_of(world, itaipu, told).begun, pause=pause)
    done = begun.find_complete(candidate, dataset_prefix="contract-feed/")

    assert done
    assert done.transaction == transaction
    assert (len(looks), len(itaipu.begun)) == (3, 1)
    assert told[0].endswith("goes on; waiting for it, at most until 2018-05-24 20:00 UTC")


def test_a_cluster_is_not_waited_for_beyond_its_time_limit(refreshed_feed_world: World) -> None:
    """It is dead then: it is stopped before another one is started, and never used."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu, told = killed_run(world, is_running=None), list[str]()
    world.clock.set(world.clock.now() + world.settings.test_run_time)

    run = runner_of(world, itaipu, told).find_or_run(candidate)

    dead, fresh = itaipu.begun.values()
    assert run.transaction == fresh
    assert itaipu.stopped == [dead]
    assert told[0].endswith("is dead: it was not complete at 2018-05-24 20:00 UTC, its time limit")


def test_whoever_cancels_the_wait_cancels_the_run(refreshed_feed_world: World) -> None:
    """Nobody else would end its cluster."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = killed_run(world, is_running=None)

    def cancelled(_seconds: float) -> None:
        raise KeyboardInterrupt

    begun = replace(runner_of(world, itaipu).begun, pause=cancelled)
    with pytest.raises(KeyboardInterrupt):
        begun.find_complete(candidate, dataset_prefix="contract-feed/")

    assert itaipu.stopped == list(itaipu.begun.values())


def test_an_outage_while_waiting_ends_no_run(refreshed_feed_world: World) -> None:
    """It goes on, and is found again."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = killed_run(world, is_running=None)

    def unanswered(_seconds: float) -> None:
        raise MetapodUnavailable("metapod did not answer; run again")

    begun = replace(runner_of(world, itaipu).begun, pause=unanswered)
    with pytest.raises(MetapodUnavailable):
        begun.find_complete(candidate, dataset_prefix="contract-feed/")

    assert itaipu.stopped == []


@pytest.mark.parametrize("column", ["type = 'DAILY'", "started_at = '2018-05-01T00:00:00.000Z'"])
def test_another_runs_tables_are_neither_used_nor_waited_for(refreshed_feed_world: World, column: str) -> None:
    """The transaction that an output named is of another kind, or older than its run."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = killed_run(world, is_running=None)
    (transaction,) = itaipu.begun.values()
    with world.metapod_store._writing() as connection:  # noqa: SLF001 - what no method of ours writes
        connection.execute(f"UPDATE transactions SET {column} WHERE id = ?", (transaction,))  # noqa: S608 - our own

    run = runner_of(world, itaipu).find_or_run(candidate)

    assert run.transaction != transaction
    assert itaipu.stopped_by == [None]


def test_a_person_who_wants_a_new_run_ends_the_earlier_one(refreshed_feed_world: World) -> None:
    """Both would work on one cluster."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = killed_run(world, is_running=None)
    (going,) = itaipu.begun.values()

    run = runner_of(world, itaipu).find_or_run(candidate, again=True)

    assert run.transaction != going
    assert itaipu.stopped == [going]


def test_a_run_is_stopped_once_and_one_that_ended_well_never(refreshed_feed_world: World) -> None:
    """What was not stopped is told, hinders nothing, and is tried again."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu, told = killed_run(world, is_running=False, is_stoppable=False), list[str]()

    runner_of(world, itaipu, told).find_or_run(candidate)
    assert "WARNING: Run by hand: sabesp jobs stop staging logcache" in told
    itaipu.is_stoppable = True
    for _ in range(2):
        runner_of(world, itaipu).find_or_run(candidate, again=True)

    assert itaipu.stopped == list(itaipu.begun.values())[:1]


def test_no_run_starts_beside_one_that_may_go_on(refreshed_feed_world: World) -> None:
    """Both would compute under one name. Once the first can be stopped, or its time is over, the next one starts."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = killed_run(world, is_running=None, is_stoppable=False)
    (going,) = itaipu.begun.values()

    for _ in range(2):
        with pytest.raises(Refused, match=rf"{going} may go on .* sabesp jobs stop staging .*LOGCACHE_SABESP_STOP"):
            runner_of(world, itaipu).find_or_run(candidate, again=True)
    assert list(itaipu.begun.values()) == [going]

    world.clock.set(world.clock.now() + world.settings.test_run_time)
    runner_of(world, itaipu).find_or_run(candidate, again=True)
    assert len(itaipu.begun) == 2


@pytest.mark.parametrize("fault", [ItaipuWrongData("it failed"), KeyboardInterrupt()], ids=["failed", "cancelled"])
def test_a_run_that_does_not_end_well_is_stopped_by_its_own_transaction(
    refreshed_feed_world: World, fault: BaseException
) -> None:
    """Metapod shows whose it is; what ended the run is raised."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = InstantItaipu(world, {ACCOUNTS: UNCOMMITTED}, fault=fault)

    with pytest.raises(type(fault)):
        runner_of(world, itaipu).find_or_run(candidate, again=True)

    assert itaipu.stopped_by == list(itaipu.begun.values())


class SilentMetapod(Metapod):
    """Answers every question with an error."""

    def __init__(self, error: MetapodError) -> None:
        self.error = error

    @override
    def transactions(self, *types: TransactionType, since: datetime) -> tuple[Transaction, ...]:
        raise self.error

    @override
    def transaction(self, transaction_id: str) -> Transaction:
        raise self.error


class LateMetapod(SilentMetapod):
    """Answers one question, and no other."""

    def __init__(self, metapod: Metapod, error: MetapodError) -> None:
        super().__init__(error)
        self.answers = iter([metapod])

    @override
    def transaction(self, transaction_id: str) -> Transaction:
        for metapod in self.answers:
            return metapod.transaction(transaction_id)
        raise self.error


@pytest.mark.parametrize("error", [MetapodUnavailable("no answer"), MetapodWrongData("an odd answer")])
def test_an_interrupt_stops_a_run_of_which_metapod_tells_nothing(
    refreshed_feed_world: World, error: MetapodError
) -> None:
    """Without its transaction, which may be another's; the interrupt is raised, not the error."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu = InstantItaipu(world, {ACCOUNTS: UNCOMMITTED}, killed="named", is_running=True)
    with pytest.raises(KilledError):
        runner_of(world, itaipu).find_or_run(candidate, again=True)
    itaipu.killed = ""
    begun = runner_of(world, itaipu).begun

    def interrupted(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(begun, pause=interrupted, metapod=LateMetapod(begun.metapod, error)).find_complete(
            candidate, dataset_prefix="contract-feed/"
        )

    assert itaipu.stopped_by == [None]


def test_an_odd_transaction_of_an_earlier_run_hinders_no_new_one(refreshed_feed_world: World) -> None:
    """It is stopped without its transaction."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    itaipu, told = killed_run(world, is_running=None), list[str]()
    (odd,) = itaipu.begun.values()
    begun = runner_of(world, itaipu, told).begun

    replace(begun, metapod=SilentMetapod(MetapodWrongData(f"{odd} is odd"))).stop_left_over(also_going=True)

    assert (itaipu.stopped, itaipu.stopped_by) == ([odd], [None])
    assert any(f"{odd} is odd" in line for line in told)
    runner_of(world, itaipu).find_or_run(candidate, again=True)
    assert itaipu.stopped == [odd]


def test_a_run_may_be_looked_at_for_days() -> None:
    """The pause grows to its limit and no further."""
    assert (pause_after(0), pause_after(5000)) == (0.2, LONGEST_PAUSE)
