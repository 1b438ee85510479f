"""Which nightly transaction is good; every other one is passed over with its reasons (docs: "A good transaction")."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.transactions import (
    Dataset,
    DatasetState,
    GoodNight,
    StoredFiles,
    Transaction,
    TransactionType,
    choose_transaction,
    judge_night,
)
from logcache_tests.domain.samples import CUSTOMERS, FEED_S0, NOW, READ_AT, dataset, transaction

LOG = "raw-feed-s0/log"
PLACEHOLDER = "s3://ephemeral/empty-materialized/empty.gz.parquet"
ENTITIES = "raw-feed-s0/materialized-entities"
WRITTEN_AT = READ_AT + timedelta(hours=1)
EXPIRES_AT = WRITTEN_AT + timedelta(days=7)
"""Two and a half days from now."""
RULES = GoodNight(
    instances=(FEED_S0,),
    types=(TransactionType.DAILY,),
    now=NOW,
    needed=timedelta(hours=6),
)
GOOD = transaction(FEED_S0)
GOOD_LOG, GOOD_ENTITIES = GOOD.datasets[LOG], GOOD.datasets[ENTITIES]
LONG_AGO = replace(GOOD, started_at=NOW - timedelta(days=3650))
"""A night of ten years ago."""
LookAt = Callable[[str], StoredFiles]


def all_there(_path: str) -> StoredFiles:
    """Every dataset has its files."""
    return StoredFiles(count=2, oldest_modified_at=WRITTEN_AT, expires_at=EXPIRES_AT)


def reasons_of(found: Transaction, rules: GoodNight = RULES, look_at: LookAt = all_there) -> list[str]:
    """The reasons why a transaction is rejected."""
    return list(judge_night(found, rules, look_at).reasons)


def having(*datasets: Dataset) -> Transaction:
    """The good transaction with these datasets in place of its own."""
    return replace(GOOD, datasets={**GOOD.datasets, **{found.name: found for found in datasets}})


def test_a_good_night_has_no_reason_against_it() -> None:
    """Both raw datasets committed, their files there, two days to go."""
    assert reasons_of(GOOD) == []


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        pytest.param(
            having(replace(GOOD_LOG, state=DatasetState.UNCOMMITTED, path=None)),
            [f"{LOG} is not committed yet: the run is still going on or died"],
            id="running",
        ),
        pytest.param(
            having(replace(GOOD_ENTITIES, state=DatasetState.ABORTED, path=None)),
            [f"{ENTITIES} was aborted"],
            id="aborted",
        ),
        pytest.param(
            having(replace(GOOD_ENTITIES, state=DatasetState.ABORTED)),
            [f"{ENTITIES} was aborted"],
            id="aborted after its files were written",
        ),
        pytest.param(having(replace(GOOD_LOG, path=None)), [f"{LOG} is committed without a path"], id="no path"),
        pytest.param(having(replace(GOOD_LOG, path="")), [f"{LOG} is committed without a path"], id="an empty path"),
        pytest.param(
            having(replace(GOOD_LOG, path=PLACEHOLDER)),
            [f"{LOG} is committed at the placeholder of empty datasets, {PLACEHOLDER}"],
            id="the placeholder path",
        ),
        pytest.param(
            replace(GOOD, datasets={LOG: GOOD.datasets[LOG]}), [f"{ENTITIES} is not part of it"], id="a dataset missing"
        ),
        pytest.param(
            replace(GOOD, datasets={}),
            [f"{LOG} is not part of it", f"{ENTITIES} is not part of it"],
            id="every reason is given",
        ),
        pytest.param(replace(GOOD, type="CUSTOM"), ["its type is CUSTOM, wanted is DAILY"], id="another type"),
        pytest.param(replace(GOOD, type="COPIED"), ["its type is COPIED, wanted is DAILY"], id="a copy"),
        pytest.param(replace(GOOD, type="HOTFIX"), ["its type is HOTFIX, wanted is DAILY"], id="an unnamed hotfix"),
        pytest.param(replace(GOOD, type="WEEKLY"), ["its type is WEEKLY, wanted is DAILY"], id="an invented type"),
    ],
)
def test_metadata_alone_rejects_a_transaction(found: Transaction, reasons: list[str]) -> None:
    """Each reason has its own words, and no file is listed, because the paths may be wrong."""
    looked: list[str] = []

    def look_at(path: str) -> StoredFiles:
        looked.append(path)
        return all_there(path)

    assert reasons_of(found, look_at=look_at) == reasons
    assert looked == []


def at(dataset_of_night: Dataset, committed_at: datetime) -> Transaction:
    """The good night with one dataset that was committed at another instant."""
    return having(replace(dataset_of_night, committed_at=committed_at))


CONTRACT = dataset("contract-feed/accounts", DatasetState.ABORTED)


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        pytest.param(
            replace(GOOD, started_at=NOW + timedelta(days=2)),
            [
                "it began at 2018-05-30T14:00:00.000Z, and now is 2018-05-28T14:00:00.000Z",
                f"{LOG} was committed at 2018-05-24T02:30:00.000Z, before the run began at 2018-05-30T14:00:00.000Z",
            ],
            id="a start in the future",
        ),
        pytest.param(
            replace(GOOD, started_at=READ_AT + timedelta(hours=2, milliseconds=1)),
            [f"{LOG} was committed at 2018-05-24T02:30:00.000Z, before the run began at 2018-05-24T02:30:00.001Z"],
            id="a start after its own commits",
        ),
        pytest.param(
            at(GOOD_ENTITIES, READ_AT - timedelta(days=365)),
            [f"{ENTITIES} was committed at 2017-05-24T00:30:00.000Z, before the run began at 2018-05-24T00:30:00.000Z"],
            id="one commit before the start",
        ),
        pytest.param(
            having(replace(CONTRACT, aborted_at=READ_AT - timedelta(minutes=1))),
            [
                (
                    "contract-feed/accounts was aborted at 2018-05-24T00:29:00.000Z, before the run began at "
                    "2018-05-24T00:30:00.000Z"
                )
            ],
            id="an abort before the start, of a dataset that nobody wants",
        ),
        pytest.param(
            at(GOOD_LOG, NOW + timedelta(days=37)),
            [f"{LOG} was committed at 2018-07-04T14:00:00.000Z, and now is 2018-05-28T14:00:00.000Z"],
            id="a commit in the future",
        ),
    ],
)
def test_instants_that_cannot_be_true_reject_a_transaction(found: Transaction, reasons: list[str]) -> None:
    """When its segments were read is then unknown, so no excision since then could be noticed (C7)."""
    assert reasons_of(found) == reasons


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(replace(GOOD, started_at=READ_AT + timedelta(hours=2)), id="committed as it began"),
        pytest.param(at(GOOD_LOG, NOW + timedelta(minutes=1)), id="committed by a clock that is a minute ahead"),
    ],
)
def test_instants_at_the_edge_are_accepted(found: Transaction) -> None:
    """Start <= commit holds for equal instants, and two clocks may differ by a minute."""
    assert reasons_of(found, look_at=lambda _: StoredFiles(count=1, oldest_modified_at=NOW)) == []


@pytest.mark.parametrize(
    ("before_start", "foreign"),
    [
        pytest.param(timedelta(days=1), True, id="of the night before"),
        pytest.param(timedelta(minutes=1, milliseconds=1), True, id="a little older"),
        pytest.param(timedelta(minutes=1), False, id="by a clock that is a minute behind"),
        pytest.param(timedelta(0), False, id="of the same instant"),
    ],
)
def test_files_that_are_older_than_the_run_are_another_runs(*, before_start: timedelta, foreign: bool) -> None:
    """The run did not write them, whatever its type says, so its start is not when they were read (C7)."""
    files = StoredFiles(count=2, oldest_modified_at=READ_AT - before_start)

    reasons = reasons_of(GOOD, look_at=lambda path: files if LOG in path else all_there(path))

    assert [reason.startswith(f"{LOG} has a file of 2018-05-2") for reason in reasons] == [True] * foreign


def test_committed_is_no_proof_of_files() -> None:
    """Metadata outlives files: each dataset without any is named with its path."""
    gone = StoredFiles(count=0, oldest_modified_at=None)

    assert reasons_of(GOOD, look_at=lambda path: gone if ENTITIES in path else all_there(path)) == [
        f"{ENTITIES} is committed, but no file is left at s3://ephemeral/{ENTITIES}/1"
    ]


@pytest.mark.parametrize(
    ("written_before", "good"),
    [
        pytest.param(timedelta(days=6, hours=17, minutes=59), True, id="a minute to spare"),
        pytest.param(timedelta(days=6, hours=18), True, id="just as long as the copy may need"),
        pytest.param(timedelta(days=6, hours=18, minutes=1), False, id="a minute short"),
        pytest.param(timedelta(days=8), False, id="already due for deletion"),
    ],
)
def test_files_must_outlive_the_copy(*, written_before: timedelta, good: bool) -> None:
    """Seven days of retention, six hours for the copy: what was written over 6 days 18 hours ago is too old."""
    written_at = NOW - written_before
    files = StoredFiles(count=1, oldest_modified_at=written_at, expires_at=written_at + timedelta(days=7))

    reasons = reasons_of(LONG_AGO, look_at=lambda _: files)

    assert (reasons == []) is good


def test_the_reason_says_when_files_expire() -> None:
    """To the minute in UTC, beside what the copy may need; half hours are not rounded away."""
    rules = replace(RULES, needed=timedelta(hours=1.5))
    files = StoredFiles(count=1, oldest_modified_at=WRITTEN_AT, expires_at=NOW + timedelta(minutes=30))

    assert reasons_of(LONG_AGO, rules, look_at=lambda _: files)[0] == (
        f"the files of {LOG} expire at 2018-05-28 14:30 UTC, sooner than the 1.5 hours that the copy may need"
    )


def test_without_a_lifecycle_rule_nothing_expires() -> None:
    """However old the files are; that they are there is still required."""
    old = StoredFiles(count=1, oldest_modified_at=LONG_AGO.started_at)

    assert reasons_of(LONG_AGO, look_at=lambda _: old) == []
    assert reasons_of(LONG_AGO, look_at=lambda _: StoredFiles(count=0, oldest_modified_at=None))


def test_every_wanted_instance_counts() -> None:
    """A night that lost one instance of several is not good for a refresh of all."""
    rules = replace(RULES, instances=(FEED_S0, CUSTOMERS))

    assert reasons_of(GOOD, rules) == [
        "raw-customers-global/log is not part of it",
        "raw-customers-global/materialized-entities is not part of it",
    ]
    assert reasons_of(transaction(FEED_S0, CUSTOMERS), rules) == []


def test_other_instances_do_not_count() -> None:
    """A partial refresh may build on a night that lost another database."""
    other = dataset("raw-customers-global/log", DatasetState.ABORTED)

    assert reasons_of(having(other)) == []


def test_a_hotfix_is_good_when_it_is_named() -> None:
    """Naming it allows its type; all other rules stay."""
    named = replace(RULES, types=(TransactionType.DAILY, TransactionType.HOTFIX))

    assert reasons_of(replace(GOOD, type="HOTFIX"), named) == []
    assert reasons_of(replace(GOOD, type="CUSTOM"), named) == ["its type is CUSTOM, wanted is DAILY or HOTFIX"]
    assert reasons_of(replace(having(replace(GOOD_LOG, path=None)), type="HOTFIX"), named) != []


def test_the_newest_good_transaction_is_chosen_and_stops_the_looking() -> None:
    """Newer transactions are rejected with reasons; older ones are not examined."""
    newest = transaction(FEED_S0, transaction_id="3", kind="CUSTOM")
    good = transaction(FEED_S0, transaction_id="2")
    older = transaction(FEED_S0, transaction_id="1")
    looked: list[str] = []

    def look_at(path: str) -> StoredFiles:
        looked.append(path)
        return all_there(path)

    choice = choose_transaction([newest, good, older], RULES, look_at)

    assert choice.chosen is good
    assert [(r.transaction.id, r.reasons) for r in choice.rejected] == [("3", ("its type is CUSTOM, wanted is DAILY",))]
    assert looked == [good.datasets[LOG].path, good.datasets[ENTITIES].path]


@pytest.mark.parametrize(
    "candidates", [pytest.param([], id="none"), pytest.param([replace(GOOD, type="CUSTOM")], id="bad ones")]
)
def test_without_a_good_transaction_none_is_chosen(candidates: list[Transaction]) -> None:
    """Every candidate is then among the rejected."""
    choice = choose_transaction(candidates, RULES, all_there)

    assert choice.chosen is None
    assert [r.transaction for r in choice.rejected] == candidates


UNFINISHED = (
    "1 contract with which a candidate's would be compared, first contract-feed/accounts, not committed yet: "
    "the run is still going on or died"
)


@pytest.mark.parametrize(
    ("contract", "reasons"),
    [
        pytest.param(
            dataset("contract-feed/accounts", DatasetState.UNCOMMITTED),
            [UNFINISHED],
            id="its own, unfinished",
        ),
        pytest.param(dataset("contract-feed/accounts", DatasetState.ABORTED), [], id="its own, aborted"),
        pytest.param(dataset("contract-feed-2/accounts", DatasetState.UNCOMMITTED), [], id="of another database"),
        pytest.param(dataset("dataset-other/thing", DatasetState.UNCOMMITTED), [], id="no contract"),
    ],
)
def test_a_night_that_died_while_it_committed_is_passed_over(contract: Dataset, reasons: list[str]) -> None:
    """Its raw logs are whole, but nothing could be compared with its contracts."""
    assert reasons_of(transaction(FEED_S0, contracts=(contract,))) == reasons


def test_an_instance_with_hyphens_wants_its_own_datasets() -> None:
    """`double-entry` on s0 is not satisfied by a database that begins like it."""
    rules = replace(RULES, instances=(Instance(database="double-entry", prototype="s0"),))
    other = transaction(Instance(database="double-entry-t5b", prototype="s0"))

    assert len(reasons_of(other, rules)) == 2
