"""What is read off sabesp's output; the sample is the runbook's, line by line."""

import pytest

from logcache_assets.domain.sabesp_output import (
    ClusterScaled,
    SabespEvent,
    TaskEnded,
    TransactionNamed,
    find_run_failures,
    parse_sabesp_line,
    transactions_named,
)

SAMPLE = tuple(
    """\
2018-05-28 14:20:23,944 Scaling up the cluster 192 m4.2xlarge nodes
2018-05-28 14:21:22,582 checking job aurora/jobs/staging/scale-ec2-itaipu-midea status.
2018-05-28 14:21:22,582 task scale-ec2-itaipu-midea id: \
jobs-staging-scale-ec2-itaipu-midea-0-13cabf01-5257-4cdb-ac50-36648c7a8158 finished with total_time: 0:00:10 \
status: FINISHED end_time: 2018-05-28 14:20:54 start_time: 2018-05-28 14:20:44
2018-05-28 14:21:22,583 Running Itaipu with the following args: s3a://nu-spark-metapod-ephemeral-1/ \
s3a://nu-spark-metapod-ephemeral-1/ --transaction 49ae32bb-c260-4622-ac10-753cfd8fa7b3 --version 33a485bc \
--filter-by-prefix contract- --skip-placeholder-ops
""".splitlines()
)
TASK_ID = "jobs-staging-scale-ec2-itaipu-midea-0-13cabf01-5257-4cdb-ac50-36648c7a8158"
EVENTS: tuple[SabespEvent, ...] = (
    ClusterScaled(nodes=192, node_type="m4.2xlarge"),
    TaskEnded(task="scale-ec2-itaipu-midea", id=TASK_ID, total_time="0:00:10", status="FINISHED"),
    TransactionNamed(transaction="49ae32bb-c260-4622-ac10-753cfd8fa7b3", version="33a485bc"),
)
VERSION = "33a485bc"
OTHER = TransactionNamed(transaction="00000000-0000-0000-0000-000000000001")


def test_the_runbooks_lines_are_understood() -> None:
    """Cluster, task and transaction; the line that only says it is checking tells nothing."""
    assert tuple(event for line in SAMPLE for event in parse_sabesp_line(line)) == EVENTS
    assert parse_sabesp_line(SAMPLE[1]) == ()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("--transaction=49ae32bb-c260-4622-ac10-753cfd8fa7b3", id="with an equals sign"),
        pytest.param("x --transaction 49ae32bb-c260-4622-ac10-753cfd8fa7b3, y", id="before a comma"),
    ],
)
def test_a_transaction_is_found_in_either_spelling(line: str) -> None:
    """A space or an equals sign, whatever stands around it."""
    assert parse_sabesp_line(line) == (TransactionNamed(transaction="49ae32bb-c260-4622-ac10-753cfd8fa7b3"),)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--transaction 49ae32bb",
        "--transaction 49ae32bb-c260-4622-ac10-753cfd8fa7b3f",
        "--transaction 49ae32bb-c260-4622-ac10-753cfd8fa7b3-1",
        "--transaction 49ae32bb-c260-4622-ac10-753cfd8fa7b3/../x",
        "--transaction ../49ae32bb-c260-4622-ac10-753cfd8fa7b3",
        "--transaction ",
        "--transaction ..",
        "--transaction",
        "transaction 49ae32bb-c260-4622-ac10-753cfd8fa7b3",
        "--transactions 49ae32bb-c260-4622-ac10-753cfd8fa7b3",
    ],
)
def test_what_is_no_transaction_is_not_taken_for_one(line: str) -> None:
    """Nothing is guessed."""
    assert parse_sabesp_line(line) == ()


def test_a_good_run_has_no_failures() -> None:
    """Exit code 0, finished tasks, one transaction, however often it is named."""
    assert find_run_failures((*EVENTS, EVENTS[2]), exit_code=0, version=VERSION) == ()
    assert transactions_named((*EVENTS, EVENTS[2])) == ("49ae32bb-c260-4622-ac10-753cfd8fa7b3",)


@pytest.mark.parametrize(
    ("events", "exit_code", "reason"),
    [
        pytest.param(EVENTS, 3, "exit code 3", id="a non-zero exit"),
        pytest.param(EVENTS, -9, "signal 9", id="killed"),
        pytest.param(EVENTS[:2], 0, "names no transaction", id="no transaction"),
        pytest.param((*EVENTS, OTHER), 0, "several transactions", id="two transactions"),
        pytest.param(
            (*EVENTS, TaskEnded(task="itaipu", id="i", total_time="1", status="FAILED")),
            0,
            "task itaipu (i) ended with status FAILED",
            id="a failed task under exit code 0",
        ),
        pytest.param(
            (*EVENTS[:2], TransactionNamed(transaction=OTHER.transaction, version="7f00aa11")),
            0,
            "transaction 00000000-0000-0000-0000-000000000001 is of Itaipu version 7f00aa11",
            id="another Itaipu version",
        ),
        pytest.param(
            (*EVENTS, TaskEnded(task="itaipu", id="i", total_time="1", status="LOST")),
            0,
            "LOST",
            id="a status that we do not know",
        ),
    ],
)
def test_every_other_run_is_a_failure(events: tuple[SabespEvent, ...], exit_code: int, reason: str) -> None:
    """Each has exactly its own reason."""
    failures = find_run_failures(events, exit_code=exit_code, version=VERSION)

    assert len(failures) == 1
    assert reason in failures[0]


def test_all_reasons_are_told() -> None:
    """A person sees the whole of it at once."""
    assert len(find_run_failures([OTHER, *EVENTS], exit_code=1, version=VERSION)) == 2
