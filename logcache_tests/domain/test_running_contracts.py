"""Who may still read the active map, and which runs died (C11)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logcache_assets.domain.running_contracts import find_readers
from logcache_assets.domain.test_run_origin import RunStart
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction
from logcache_tests.domain.samples import FEED_S0, NIGHT, NOW, READ_AT, dataset, transaction

COMMITTED, ABORTED, UNCOMMITTED = DatasetState.COMMITTED, DatasetState.ABORTED, DatasetState.UNCOMMITTED
ACCOUNTS, MERCHANTS, CARDS = "contract-feed/accounts", "contract-feed/merchants", "contract-feed/cards"


def run(
    transaction_id: str, *contracts: Dataset, kind: str = "DAILY", days: int = 0, name: str = "nightly"
) -> Transaction:
    """A run that began some days after the first."""
    made = transaction(transaction_id=transaction_id, kind=kind, contracts=contracts)
    begun = READ_AT + timedelta(days=days)
    ended = {
        n: replace(d, committed_at=d.committed_at and begun, aborted_at=d.aborted_at and begun)
        for n, d in made.datasets.items()
    }
    return replace(made, name=name, started_at=begun, datasets=ended)


@pytest.mark.parametrize(
    ("kind", "contract", "running"),
    [
        pytest.param("DAILY", dataset(ACCOUNTS, UNCOMMITTED), True, id="a night's"),
        pytest.param("CUSTOM", dataset(ACCOUNTS, UNCOMMITTED), True, id="a test run's"),
        pytest.param("COPIED", dataset(ACCOUNTS, UNCOMMITTED), False, id="a copy's"),
        pytest.param("DAILY", dataset(ACCOUNTS), False, id="committed"),
        pytest.param("DAILY", dataset(ACCOUNTS, ABORTED), False, id="aborted"),
        pytest.param("DAILY", dataset("dataset-other/thing", UNCOMMITTED), False, id="no contract"),
    ],
)
def test_contracts_being_computed_are_found(*, kind: str, contract: Dataset, running: bool) -> None:
    """Uncommitted contracts of DAILY and CUSTOM transactions, by name, type and transaction."""
    found = find_readers([run("t-1", contract, kind=kind)], own={}, now=NOW)

    assert found.running == ((f"contract-feed/accounts of {kind} transaction t-1",) if running else ())
    assert found.passed_over == ()


BEGUN = replace(transaction(FEED_S0), datasets={})
"""A night without a dataset yet."""


@pytest.mark.parametrize(
    ("begun", "age", "waits"),
    [
        pytest.param(BEGUN, timedelta(0), True, id="at once"),
        pytest.param(BEGUN, timedelta(minutes=10), True, id="minutes ago"),
        pytest.param(BEGUN, timedelta(hours=2), True, id="hours ago"),
        pytest.param(BEGUN, timedelta(hours=3), False, id="so long ago that it died"),
        pytest.param(BEGUN, timedelta(days=5), False, id="days ago"),
        pytest.param(BEGUN, timedelta(days=-400), False, id="in a year to come"),
        pytest.param(replace(BEGUN, type="CUSTOM"), timedelta(minutes=10), False, id="a test run"),
        pytest.param(transaction(FEED_S0), timedelta(minutes=10), True, id="with its raw datasets only"),
        pytest.param(
            transaction(FEED_S0, contracts=(dataset(ACCOUNTS),)),
            timedelta(minutes=10),
            False,
            id="with its contracts",
        ),
    ],
)
def test_a_night_that_has_just_begun_is_waited_for(*, begun: Transaction, age: timedelta, waits: bool) -> None:
    """It will compute contracts, although metapod shows none yet; no longer than a night needs for its raw datasets."""
    found = find_readers([replace(begun, started_at=NOW - age)], own={}, now=NOW).running

    assert [reading[:43] for reading in found] == (["all contracts of DAILY transaction 1c7be4a9"] if waits else [])


START = RunStart(at=READ_AT, night=NIGHT, known=frozenset())


def test_our_own_test_run_is_no_reader_of_the_active_map() -> None:
    """It reads the candidate's commit, and when it died its contracts stay uncommitted for ever."""
    open_run = run("t-1", dataset(ACCOUNTS, UNCOMMITTED), kind="CUSTOM")

    assert find_readers([open_run], own={"t-1": START}, now=NOW).running == ()
    assert find_readers([open_run], own={"t-2": START}, now=NOW).running != ()


def test_a_run_that_sabesp_attached_to_is_not_our_own() -> None:
    """It was there before, so it may read the active map."""
    open_run = run("t-1", dataset(ACCOUNTS, UNCOMMITTED), kind="CUSTOM")
    attached = replace(START, known=frozenset({"t-1"}))

    assert find_readers([open_run], own={"t-1": attached}, now=NOW).running != ()


DEAD = run("dead", dataset(ACCOUNTS, UNCOMMITTED), dataset(MERCHANTS))
WHOLE = run("later", dataset(ACCOUNTS), dataset(MERCHANTS), days=1)


def test_a_night_that_died_is_told_and_passed_over() -> None:
    """A later night is whole, so the earlier one will never go on."""
    found = find_readers([WHOLE, DEAD], own={}, now=NOW)

    assert found.running == ()
    assert found.passed_over == (
        f"DAILY transaction dead died while it computed {ACCOUNTS}: a later run of its kind, later, is whole",
    )


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(run("x", dataset(ACCOUNTS), dataset(MERCHANTS, UNCOMMITTED), days=1), id="still going on itself"),
        pytest.param(run("x", dataset(ACCOUNTS), dataset(MERCHANTS), days=-1), id="an earlier one"),
        pytest.param(run("x", dataset(ACCOUNTS), dataset(MERCHANTS)), id="one that began at the same instant"),
        pytest.param(run("x", dataset(ACCOUNTS), dataset(MERCHANTS), days=1, kind="CUSTOM"), id="of another type"),
        pytest.param(run("x", dataset(MERCHANTS), days=1), id="without that contract"),
        pytest.param(run("x", days=1), id="without any dataset"),
        pytest.param(run("x", dataset(ACCOUNTS), dataset(MERCHANTS), days=400), id="from the future"),
        pytest.param(
            run("x", dataset(ACCOUNTS, ABORTED), dataset(MERCHANTS), dataset(CARDS, ABORTED), days=1), id="cancelled"
        ),
    ],
)
def test_a_run_is_waited_for_while_no_later_one_is_whole(later: Transaction) -> None:
    """Nothing proves that it died."""
    assert "contract-feed/accounts of DAILY transaction dead" in find_readers([later, DEAD], own={}, now=NOW).running


def test_a_contract_that_failed_in_the_later_night_changes_nothing() -> None:
    """Some contract of thousands is aborted in every night."""
    later = run("later", dataset(ACCOUNTS, ABORTED), dataset(MERCHANTS), dataset(CARDS), days=1)

    assert find_readers([later, DEAD], own={}, now=NOW).running == ()


def test_custom_runs_are_of_one_kind_if_they_have_one_name() -> None:
    """Another job's whole run says nothing about this one."""
    dead = replace(DEAD, type="CUSTOM", name="evening")

    assert find_readers([replace(WHOLE, type="CUSTOM", name="evening"), dead], own={}, now=NOW).running == ()
    assert find_readers([replace(WHOLE, type="CUSTOM", name="logcache"), dead], own={}, now=NOW).running != ()
