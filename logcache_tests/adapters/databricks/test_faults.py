"""Every fault of the Jobs API that a run can meet, and the sentence that it becomes."""

import pytest

from logcache_assets.ports import NotebookDenied, NotebookError, NotebookUnavailable, NotebookWrongData
from logcache_tests.adapters.notebook_worlds import COUNT, TOKEN, DatabricksWorld
from logcache_tests.servers.databricks import TOKEN as OLD_TOKEN
from logcache_tests.servers.databricks import Fault
from logcache_tests.servers.databricks_runs import CANCELED, FAILED, SUCCESS, TIMEDOUT, Ending

EXIT = COUNT + "dbutils.notebook.exit('result')"
CLOUD = Ending(
    life="TERMINATED",
    result="FAILED",
    code="CLOUD_FAILURE",
    type="CLOUD_FAILURE",
    message="AWS could not launch the instances",
)
INTERNAL = Ending(
    life="INTERNAL_ERROR", result="FAILED", code="DRIVER_ERROR", type="INTERNAL_ERROR", message="The driver went away"
)
SKIPPED = Ending(
    life="SKIPPED", code="WORKSPACE_RUN_LIMIT_EXCEEDED", type="CLIENT_ERROR", message="Too many active runs"
)
LIBRARY = Ending(
    life="TERMINATED",
    result="FAILED",
    code="LIBRARY_INSTALLATION_ERROR",
    type="CLIENT_ERROR",
    message="ERROR: No matching distribution found for polars==2.1.0",
)
RUNNING = Ending(life="RUNNING")


def test_a_dropped_reply_is_one_run(world: DatabricksWorld) -> None:
    """The request arrived and its reply did not; the SDK sends it again, and the token finds the run."""
    runner = world.runner(EXIT)
    world.workspace.faults.append(Fault(path="/runs/submit"))

    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"
    assert world.workspace.count("/runs/submit") == 2
    assert (world.starts, len(world.workspace.jobs.runs)) == (1, 1)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/get-status", 503, "TEMPORARILY_UNAVAILABLE"),
        ("/runs/submit", 429, "REQUEST_LIMIT_EXCEEDED"),
        ("/runs/submit", 503, "TEMPORARILY_UNAVAILABLE"),
        ("/runs/get", 429, "RESOURCE_EXHAUSTED"),
        ("/runs/get-output", 503, "TEMPORARILY_UNAVAILABLE"),
    ],
)
def test_a_busy_service_is_asked_again(world: DatabricksWorld, path: str, status: int, code: str) -> None:
    """When it says so; there is one run."""
    runner = world.runner(EXIT)
    world.workspace.faults.append(Fault(path=path, status=status, code=code, headers={"Retry-After": "0"}))

    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"
    assert world.starts == 1


@pytest.mark.parametrize(
    ("ending", "kind", "sentence"),
    [
        pytest.param(FAILED, NotebookWrongData, r"failed: TERMINATED FAILED.*RUN_EXECUTION_ERROR", id="failed"),
        pytest.param(CANCELED, NotebookWrongData, "was cancelled on Databricks", id="cancelled by a person"),
        pytest.param(TIMEDOUT, NotebookUnavailable, "was ended by Databricks after its time limit", id="timed out"),
        pytest.param(SKIPPED, NotebookUnavailable, "was skipped by Databricks .*Too many active runs", id="skipped"),
        pytest.param(
            Ending(life="TERMINATED", result="SUCCESS_WITH_FAILURES", code="SUCCESS_WITH_FAILURES", type="SUCCESS"),
            NotebookWrongData,
            "failed: TERMINATED SUCCESS_WITH_FAILURES",
            id="success with failures",
        ),
        pytest.param(
            Ending(life="TERMINATED", result="QUARANTINED", code="NEW_CODE", type="NEW_TYPE", message="of tomorrow"),
            NotebookWrongData,
            "failed: TERMINATED: of tomorrow",
            id="an unknown result",
        ),
        pytest.param(
            Ending(life="HIBERNATED", result="FAILED", message="of tomorrow"),
            NotebookWrongData,
            "failed: TERMINATED FAILED: of tomorrow",
            id="an unknown state that is over",
        ),
    ],
)
def test_an_end_that_is_no_success_is_an_error(
    world: DatabricksWorld, ending: Ending, kind: type[NotebookError], sentence: str
) -> None:
    """Nothing but SUCCESS is one; the sentence names the run's page, and no second run is started."""
    runner = world.runner(EXIT)
    world.workspace.jobs.endings.append(ending)

    with pytest.raises(kind, match=sentence) as raised:
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    (run,) = world.workspace.jobs.runs.values()
    assert f"the notebook run {run.url} " in str(raised.value)
    assert world.starts == 0
    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(path="/runs/submit", status=501, code="NOT_IMPLEMENTED"), id="501"),
        pytest.param(Fault(path="/runs/submit", status=502, code="BAD_GATEWAY"), id="502"),
        pytest.param(Fault(path="/runs/submit", status=502, body=b"<html>Bad Gateway</html>"), id="a proxy's 502"),
        pytest.param(Fault(path="/runs/submit", status=520, code="OF_TOMORROW"), id="an unknown status"),
    ],
)
def test_a_submission_without_a_known_answer_is_no_refusal(world: DatabricksWorld, fault: Fault) -> None:
    """Its run may have started: only the same attempt is asked for again, never the next one beside it."""
    runner = world.runner(EXIT)
    world.workspace.faults.append(fault)

    with pytest.raises(NotebookUnavailable, match=r"did not answer \(start of a run\)"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert world.workspace.count("/runs/submit") == 1
    assert world.workspace.jobs.runs == {}


def test_an_unknown_state_is_followed(world: DatabricksWorld) -> None:
    """A state that this version does not know may be one that goes on."""
    runner = world.runner(EXIT)
    world.workspace.jobs.endings.append([Ending(life="DEFROSTING", message="of tomorrow"), RUNNING, FAILED])
    told: list[str] = []

    with pytest.raises(NotebookWrongData, match="failed"):
        runner.run({}, token=TOKEN, tell=told.append, tell_output=print)

    assert "Databricks: RUNNING" in told


def of_the_client(code: str) -> Ending:
    """An end of which the type blames us."""
    return Ending(life="TERMINATED", result="FAILED", code=code, type="CLIENT_ERROR", message="Try it again")


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(CLOUD, id="cloud failure"),
        pytest.param(INTERNAL, id="internal error"),
        pytest.param(LIBRARY, id="library"),
        pytest.param(of_the_client("DRIVER_ERROR"), id="driver"),
        pytest.param(of_the_client("CLUSTER_ERROR"), id="cluster"),
        pytest.param(of_the_client("STORAGE_ACCESS_ERROR"), id="storage"),
        pytest.param(of_the_client("CLUSTER_REQUEST_LIMIT_EXCEEDED"), id="limit"),
    ],
)
def test_what_the_cloud_failed_is_run_again(world: DatabricksWorld, ending: Ending) -> None:
    """By the same call, under the next attempt's token."""
    runner = world.runner(EXIT)
    world.workspace.jobs.endings += [ending, ending]
    told: list[str] = []

    assert runner.run({}, token=TOKEN, tell=told.append, tell_output=print).result == "result"
    assert (world.starts, len(world.workspace.jobs.tokens)) == (1, 3)
    assert sum("failed because of Databricks or the cloud" in line for line in told) == 2


def test_what_the_cloud_fails_is_not_run_for_ever(world: DatabricksWorld) -> None:
    """As often as the settings say; the words are Databricks'. The next call goes on with the next attempt."""
    runner = world.runner(EXIT)
    world.workspace.jobs.endings += [CLOUD, CLOUD, CLOUD]

    with pytest.raises(NotebookUnavailable, match=r"CLOUD_FAILURE.*AWS could not launch"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert (world.starts, len(world.workspace.jobs.runs)) == (0, 3)
    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"
    assert len(world.workspace.jobs.runs) == 4


def test_a_truncated_result_is_none(world: DatabricksWorld) -> None:
    """Databricks keeps the first 5 MB; what is cut could be another result."""
    runner = world.runner(COUNT + "dbutils.notebook.exit('x' * (5 << 20) + 'x')")

    with pytest.raises(NotebookWrongData, match="a result that was truncated by Databricks"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)


def delete_runs(world: DatabricksWorld) -> None:
    """A person deletes every run on its page."""
    client = world.access().client
    for run_id in list(world.workspace.jobs.runs):
        client.jobs.delete_run(run_id)


def test_the_tokens_of_deleted_runs_are_passed(world: DatabricksWorld) -> None:
    """Databricks refuses them; the next attempt's token is free."""
    runner, told = world.runner(EXIT), list[str]()
    for _ in range(2):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)
        delete_runs(world)

    assert runner.run({}, token=TOKEN, tell=told.append, tell_output=print).result == "result"
    assert world.starts == 3
    assert [line.startswith("an earlier run of this request was deleted") for line in told[:3]] == [True, True, False]


def test_a_token_that_is_refused_in_other_words_is_passed_once(world: DatabricksWorld) -> None:
    """Those words are not documented. If the next token is refused, too, it is the run that is refused."""
    runner = world.runner(EXIT)
    world.workspace.jobs.of_deleted = "Computer says no"
    runner.run({}, token=TOKEN, tell=print, tell_output=print)
    delete_runs(world)

    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"
    world.workspace.faults += [Fault(path="/submit", status=400, code="INVALID_PARAMETER_VALUE")] * 2
    with pytest.raises(NotebookWrongData, match="refuses what was asked"):
        runner.run({}, token="other", tell=print, tell_output=print)  # noqa: S106 - no secret
    assert world.starts == 2


def test_a_token_is_of_request_parameters_version_and_attempt(world: DatabricksWorld) -> None:
    """Another notebook, other parameters, another request: another run. It fits into 64 characters."""
    for source, token, value in ((EXIT, "a", "1"), (EXIT, "b", "1"), (EXIT, "a", "2")):
        world.run(source, token=token, x=value)
        world.run(source, token=token, x=value)

    assert (len(world.workspace.jobs.tokens), world.starts) == (3, 3)
    assert {len(token) for token in world.workspace.jobs.tokens} == {64}


def test_a_run_of_another_call_that_goes_on_is_followed(world: DatabricksWorld) -> None:
    """It is told as found, not as started."""
    runner = world.runner(EXIT)
    world.workspace.jobs.endings.append([RUNNING, RUNNING, SUCCESS])
    submission = runner._submission({}, TOKEN, 1)  # noqa: SLF001 - what a killed worker had sent
    runner.runs.submit(submission)
    told: list[str] = []

    with pytest.raises(NotebookWrongData, match="succeeded without a result"):
        runner.run({}, token=TOKEN, tell=told.append, tell_output=print)

    assert told[0].startswith("found the notebook run http://")
    assert len(world.workspace.jobs.runs) == 1


def test_a_bad_token_is_told(world: DatabricksWorld) -> None:
    """Nothing passes by itself, so nothing is repeated; the token is not shown."""
    runner = world.not_uploaded(EXIT)
    world.workspace.token = "dapi-renewed"  # noqa: S105 - not secret

    with pytest.raises(
        NotebookDenied, match=r"does not accept who asks .*Invalid access token.*DATABRICKS_TOKEN"
    ) as told:
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert OLD_TOKEN not in str(told.value)
    assert world.workspace.jobs.runs == {}
    assert len(world.workspace.asked) == 1


@pytest.mark.parametrize("path", ["/runs/submit", "/get-status"])
def test_a_right_that_is_missing_is_told(world: DatabricksWorld, path: str) -> None:
    """With what was asked for; nothing is started."""
    runner = world.runner(EXIT)
    world.workspace.jobs.denied.add(path)

    with pytest.raises(NotebookDenied, match=r"does not allow what was asked .*does not have permission"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert world.workspace.jobs.runs == {}


def test_no_answer_is_unavailable(world: DatabricksWorld) -> None:
    """An answer that is no JSON, of a proxy for example, tells nothing either."""
    runner = world.runner(EXIT)
    world.workspace.faults.append(Fault(path="/get-status", status=200, body=b"<html>sign in</html>"))

    with pytest.raises(NotebookUnavailable, match="did not answer"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert world.workspace.jobs.runs == {}


def test_an_unreachable_workspace_is_unavailable(world: DatabricksWorld) -> None:
    """After the time for which the SDK repeats."""
    runner = world.runner(EXIT)
    world.workspace.faults += [Fault(path="/runs/get", status=500, code="INTERNAL_ERROR") for _ in range(2)]

    with pytest.raises(NotebookUnavailable, match=r"did not answer \(run 1000\)"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)
    with pytest.raises(NotebookUnavailable, match=r"did not answer \(run 1000\)"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"
    assert world.starts == 1
