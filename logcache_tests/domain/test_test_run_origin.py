"""The transaction that sabesp names is believed only if it was opened for this test run."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logcache_assets.domain.test_run_origin import RunStart, find_foreign_tables
from logcache_assets.domain.transactions import DatasetState, Transaction
from logcache_tests.domain.samples import NIGHT, NOW, TEST_RUN, dataset, transaction

EARLIER = "13cabf01-5257-4cdb-ac50-36648c7a8158"
START = RunStart(at=NOW, night=NIGHT, known=frozenset({NIGHT, EARLIER}))
MINUTE = timedelta(minutes=1)
DONE = NOW + timedelta(hours=2)


def run_of(*, kind: str = "CUSTOM", begun: timedelta = MINUTE, committed: timedelta = 30 * MINUTE) -> Transaction:
    """A test run that began and committed its two contracts so long after it was asked for."""
    done = NOW + committed
    contracts = (
        replace(dataset("contract-feed/accounts"), committed_at=done),
        replace(dataset("contract-feed/merchants", DatasetState.ABORTED), aborted_at=done),
    )
    found = transaction(transaction_id=TEST_RUN, kind=kind, contracts=contracts)
    return replace(found, started_at=NOW + begun)


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(run_of(), id="begun and committed afterwards"),
        pytest.param(run_of(begun=timedelta(0), committed=timedelta(0)), id="all at one instant"),
        pytest.param(run_of(begun=-MINUTE, committed=-MINUTE), id="by a clock that is a minute behind"),
        pytest.param(replace(run_of(), datasets={}), id="without any dataset yet"),
    ],
)
def test_a_run_that_began_for_the_candidate_is_believed(named: Transaction) -> None:
    """Metapod did not show it before, and everything in it is newer."""
    assert find_foreign_tables(named, START, now=DONE) is None


@pytest.mark.parametrize(
    ("named", "sign"),
    [
        pytest.param(
            replace(run_of(), id=NIGHT), "it is the nightly run whose logs the candidate holds", id="the nightly run"
        ),
        pytest.param(run_of(kind="DAILY"), "its type is DAILY, and a test run's is CUSTOM", id="another night"),
        pytest.param(run_of(kind="COPIED"), "its type is COPIED, and a test run's is CUSTOM", id="a copy"),
        pytest.param(
            replace(run_of(begun=timedelta(0)), id=EARLIER),
            "metapod showed it before the test run was started at 2018-05-28T14:00:00.000Z",
            id="another run that began in the same moment",
        ),
        pytest.param(
            run_of(begun=-2 * MINUTE),
            "it began at 2018-05-28T13:58:00.000Z, before the test run was started at 2018-05-28T14:00:00.000Z",
            id="another run that began shortly before",
        ),
        pytest.param(
            run_of(begun=timedelta(days=-100)), "it began at 2018-02-17T14:00:00.000Z, before", id="a run of long ago"
        ),
        pytest.param(
            run_of(committed=-2 * MINUTE),
            "it held contract-feed/accounts already before that",
            id="tables that were there before",
        ),
        pytest.param(
            run_of(committed=-MINUTE / 2),
            "contract-feed/accounts was committed at 2018-05-28T13:59:30.000Z, before the run began",
            id="tables that are older than their run",
        ),
        pytest.param(
            run_of(committed=timedelta(days=30)),
            "contract-feed/merchants was aborted at 2018-06-27T14:00:00.000Z, and now is 2018-05-28T16:00:00.000Z",
            id="tables of the future",
        ),
    ],
)
def test_another_runs_tables_are_refused(named: Transaction, sign: str) -> None:
    """The refusal names the transaction and what shows that it is another's (C29)."""
    problem = find_foreign_tables(named, START, now=DONE)

    assert problem is not None
    assert str(problem).startswith(f"the transaction {named.id} that sabesp named is not of this test run: ")
    assert sign in str(problem)
    assert "(C29); look in sabesp's output" in str(problem)
