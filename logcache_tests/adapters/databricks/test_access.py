"""Who signs in to Databricks, when, and with what; and interrupts, whoever causes them."""

import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType

import dagster as dg
import pytest
from dagster_databricks import DatabricksClientResource
from dagster_databricks.resources import AzureServicePrincipalCredentials, OauthCredentials

from logcache_assets.adapters.databricks.cluster_checks import who_asks
from logcache_assets.connect import connect, databricks_access, databricks_runner
from logcache_assets.defs.databricks_resources import (
    DatabricksNotebookRunnerResource,
    notebook_runner_resource,
    variables_of,
)
from logcache_assets.defs.resources import configured_resources
from logcache_assets.errors import BadInput
from logcache_assets.ports import NotebookDenied, NotebookUnavailable
from logcache_assets.settings import Settings, load_settings, public_environment
from logcache_tests.adapters.notebook_worlds import COUNT, TOKEN, DatabricksWorld
from logcache_tests.servers.databricks import CLIENT_ID, CLIENT_SECRET, Fault
from logcache_tests.servers.databricks_runs import Ending
from logcache_tests.servers.server import free_port

SLOW = COUNT + "time.sleep(60)"
NOWHERE = {
    "LOGCACHE_NOTEBOOK": "databricks",
    "LOGCACHE_STORE": "s3",
    "LOGCACHE_DATABRICKS_HOST": f"http://127.0.0.1:{free_port()}",
    "LOGCACHE_DATABRICKS_NODE_TYPE": "r6id.xlarge",
}


def with_oauth(world: DatabricksWorld, secret: str) -> Settings:
    """The settings of a service principal."""
    kept = {name: value for name, value in world.workspace.variables.items() if not name.endswith("_TOKEN")}
    given = {"LOGCACHE_DATABRICKS_CLIENT_ID": CLIENT_ID, "LOGCACHE_DATABRICKS_CLIENT_SECRET": secret}
    return load_settings({**kept, "LOGCACHE_STORE": "s3", **given})


def test_a_service_principal_signs_in(world: DatabricksWorld) -> None:
    """With OAuth, when something is first asked."""
    access = databricks_access(with_oauth(world, CLIENT_SECRET))
    assert world.workspace.asked == []

    assert access.client.current_user.me().user_name == "logcache"


def test_a_wrong_secret_is_told_and_not_shown(world: DatabricksWorld) -> None:
    """Nothing passes by itself."""
    wrong = "an invented secret of a principal"

    with pytest.raises(NotebookDenied, match=r"does not accept who asks .*Client authentication failed") as told:
        who_asks(databricks_access(with_oauth(world, wrong)))

    assert wrong not in str(told.value)


def test_ports_and_resources_are_made_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With OAuth the SDK signs in when its client is made, for minutes if nobody answers: nobody does here."""
    who = {"LOGCACHE_DATABRICKS_CLIENT_ID": "me", "LOGCACHE_DATABRICKS_CLIENT_SECRET": "secret"}
    for name, value in {**NOWHERE, **who, "LOGCACHE_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()

    connect(settings)
    with dg.build_resources({"runner": configured_resources(settings)["runner"]}) as made:
        assert repr(made.runner.runs) == repr(databricks_runner(settings).runs)


def test_a_workspace_that_is_not_there_is_unavailable() -> None:
    """After the time for which the SDK repeats; nothing is known."""
    named = databricks_access(load_settings({**NOWHERE, "LOGCACHE_DATABRICKS_TOKEN": "dapi-any"}))

    with pytest.raises(NotebookUnavailable, match=r"did not answer \(who asks\)"):
        who_asks(replace(named, retry_seconds=1))


def test_a_missing_token_is_told_when_it_is_needed() -> None:
    """Loading settings needs no secret: processes have them without."""
    settings = load_settings(NOWHERE)
    assert load_settings(public_environment(settings)).notebook == "databricks"

    with pytest.raises(BadInput, match=r"Databricks' token is missing: .*LOGCACHE_DATABRICKS_TOKEN is not set"):
        _ = databricks_access(settings).client


def test_nothing_of_the_environment_signs_in_instead(world: DatabricksWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own variables are another program's."""
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "another")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "another's")

    assert world.access().client.current_user.me().user_name == "logcache"


@pytest.mark.parametrize(
    ("client", "variables"),
    [
        pytest.param({"token": "dapi"}, {"LOGCACHE_DATABRICKS_TOKEN": "dapi"}, id="token"),
        pytest.param(
            {"oauth_credentials": OauthCredentials(client_id="me", client_secret="mine")},  # noqa: S106 - not secret
            {"LOGCACHE_DATABRICKS_CLIENT_ID": "me", "LOGCACHE_DATABRICKS_CLIENT_SECRET": "mine"},
            id="oauth",
        ),
        pytest.param(
            {
                "azure_credentials": AzureServicePrincipalCredentials(
                    azure_client_id="me",
                    azure_client_secret="mine",  # noqa: S106 - not secret
                    azure_tenant_id="here",
                )
            },
            {
                "LOGCACHE_DATABRICKS_CLIENT_ID": "me",
                "LOGCACHE_DATABRICKS_CLIENT_SECRET": "mine",
                "LOGCACHE_DATABRICKS_AZURE_TENANT": "here",
            },
            id="azure",
        ),
    ],
)
def test_dagsters_own_resource_says_who_signs_in(
    client: dict[str, object], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fields and our settings are the same, in both directions."""
    resource = DatabricksClientResource(host="https://dbc.example", **client)  # type: ignore[arg-type]
    settings = load_settings({**NOWHERE, "LOGCACHE_DATABRICKS_HOST": "https://dbc.example", **variables})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert variables_of(resource) == {"LOGCACHE_DATABRICKS_HOST": "https://dbc.example", **variables}
    with dg.build_resources({"runner": notebook_runner_resource(settings, public_environment(settings))}) as made:
        assert made.runner.runs.access.credentials() == databricks_access(settings).credentials()


def test_the_page_shows_where_and_no_secret(world: DatabricksWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace's URL, and the name of the variable that has the token; what it makes runs there."""
    for name, value in {**world.workspace.variables, "LOGCACHE_STORE": "s3"}.items():
        monkeypatch.setenv(name, value)
    shown = configured_resources(load_settings())["runner"]

    assert isinstance(shown, DatabricksNotebookRunnerResource)
    assert shown.host == world.workspace.url
    assert world.workspace.token not in repr(shown)
    with dg.build_resources({"runner": shown}) as made:
        assert made.runner.checks()["signed in"]() == f"logcache at {world.workspace.url}"


class Interrupting:
    """Raises an exception in the main thread a moment after the notebook was started."""

    def __init__(self, world: DatabricksWorld, error: type[BaseException]) -> None:
        self.world, self.error = world, error

    def raise_(self, _signal: int, _frame: FrameType | None) -> None:
        """What the signal does."""
        raise self.error

    def __enter__(self) -> None:
        self.before = signal.signal(signal.SIGUSR1, self.raise_)
        threading.Thread(target=self.wait).start()

    def wait(self) -> None:
        """Until the notebook works."""
        self.world.eventually(lambda: self.world.starts == 1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGUSR1, self.before)


@pytest.mark.parametrize("error", [dg.DagsterExecutionInterruptedError, SystemExit])
def test_a_cancelled_run_ends_on_databricks_and_is_no_success(
    world: DatabricksWorld, error: type[BaseException]
) -> None:
    """Dagster's interrupt is a BaseException; it is raised again when the run has ended."""
    runner, told = world.runner(SLOW), list[str]()

    with Interrupting(world, error), pytest.raises(error):
        runner.run({}, token=TOKEN, tell=told.append, tell_output=print)

    (run,) = world.workspace.jobs.runs.values()
    assert run.state.result == "CANCELED"
    assert not world.is_running()
    assert told[-1].startswith("interrupted; the notebook run is being cancelled")


def test_an_interrupt_between_request_and_reply_cancels_too(world: DatabricksWorld) -> None:
    """Whether the request arrived is not known then; its token tells."""
    runner = world.runner(SLOW)

    def interrupted(line: str) -> None:
        if line.startswith("started"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run({}, token=TOKEN, tell=interrupted, tell_output=print)

    (run,) = world.workspace.jobs.runs.values()
    assert run.state.result == "CANCELED"


def test_an_outage_while_it_is_followed_leaves_the_run(world: DatabricksWorld) -> None:
    """It goes on, and the next call finds it."""
    runner = world.runner(COUNT + "time.sleep(1)\ndbutils.notebook.exit('result')")
    world.workspace.faults += [Fault(path="/runs/get", status=500, code="INTERNAL_ERROR")] * 2

    for _ in range(2):
        with pytest.raises(NotebookUnavailable, match="did not answer"):
            runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"
    assert world.starts == 1


def test_a_run_that_databricks_does_not_end_is_cancelled(world: DatabricksWorld) -> None:
    """Its own time limit and ours have passed."""
    runner = world.runner(SLOW, timeout_seconds=1)
    hurried = replace(runner, patience=replace(runner.patience, overtime_seconds=0.0))
    world.workspace.jobs.endings.append([Ending(life="RUNNING", message="In run")])

    with pytest.raises(NotebookUnavailable, match="did not end within its time limit, and Databricks did not end it"):
        hurried.run({}, token=TOKEN, tell=print, tell_output=print)

    (run,) = world.workspace.jobs.runs.values()
    assert run.is_cancelled
