"""The stand-in's Jobs API 2.2: submit, get, get-output, cancel and delete, with idempotency tokens as documented."""

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logcache_tests.servers.databricks_answers import ApiError, Asked
from logcache_tests.servers.databricks_files import Files
from logcache_tests.servers.databricks_requests import RunId, SubmitRun, Task, require_valid
from logcache_tests.servers.databricks_runs import CANCELED, Ending, Run, resolved

FIRST_RUN = 1_000
LIBRARY_MISSING = Ending(
    life="TERMINATED",
    result="FAILED",
    code="LIBRARY_INSTALLATION_ERROR",
    type="CLIENT_ERROR",
    message="Library installation failed for library due to user error: the file does not exist",
)
NOTEBOOK_MISSING = Ending(
    life="INTERNAL_ERROR",
    result="FAILED",
    code="RESOURCE_NOT_FOUND",
    type="CLIENT_ERROR",
    message="Unable to access the notebook. Either it does not exist, or the identity lacks the permissions.",
)
SECRET_MISSING = Ending(
    life="INTERNAL_ERROR",
    result="FAILED",
    code="INVALID_CLUSTER_REQUEST",
    type="CLIENT_ERROR",
    message="Secret does not exist with scope and key",
)


@dataclass(kw_only=True)
class Jobs:
    """Every run of the workspace, and what a test wants to happen to the next ones."""

    files: Files
    folder: Path
    host: Callable[[], str]
    instance_profiles: Mapping[str, Mapping[str, str]]
    """ARN → the variables by which a machine has its rights."""
    secrets: Mapping[tuple[str, str], str]
    """(scope, key) → value."""
    clusters: Mapping[str, Mapping[str, str]]
    """Id of a cluster that is there → its machines' variables."""
    policies: frozenset[str]
    pools: frozenset[str]
    spark: Mapping[str, str] | None
    """Spark's settings; None for clusters without it."""
    endings: list[Ending | list[Ending]] = field(default_factory=list)
    """How the next runs end, without being run; a list is passed through, one state per look."""
    runs: dict[int, Run] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    truncates: bool = False
    of_deleted: str = "The run of this idempotency token was deleted."
    """Words of the refusal, which Databricks does not document."""
    denied: set[str] = field(default_factory=set)
    """Paths of the API that may not be asked."""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_RUN, 10))
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _scripted: dict[int, list[Ending]] = field(default_factory=dict)

    @property
    def routes(self) -> dict[tuple[str, str], Callable[[Asked], object]]:
        """Method and path → what answers."""
        runs = "/api/2.2/jobs/runs"
        return {
            ("POST", f"{runs}/submit"): self.submit,
            ("GET", f"{runs}/get"): self.get,
            ("GET", f"{runs}/get-output"): self.get_output,
            ("POST", f"{runs}/cancel"): self.cancel,
            ("POST", f"{runs}/delete"): self.delete,
        }

    def submit(self, asked: Asked) -> object:
        """Start a run, or find that of the token."""
        wanted = asked.body(SubmitRun)
        require_valid(wanted)
        with self._lock:
            token = wanted.idempotency_token
            if token is not None and token in self.tokens:
                return {"run_id": self._known(token)}
            self._require_places(wanted.tasks[0])
            run = self._make(wanted)
            if token is not None:
                self.tokens[token] = run.run_id
        self._begin(run)
        return {"run_id": run.run_id}

    def _known(self, token: str) -> int:
        if self.tokens[token] not in self.runs:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", self.of_deleted)
        return self.tokens[token]

    def _make(self, wanted: SubmitRun) -> Run:
        run_id = next(self._ids)
        folder = self.folder / str(run_id)
        folder.mkdir(parents=True)
        url = f"{self.host()}/?o=42#job/{run_id + 7}/run/{run_id}"
        self.runs[run_id] = Run(run_id=run_id, asked=wanted, url=url, folder=folder, truncated=self.truncates)
        return self.runs[run_id]

    def _begin(self, run: Run) -> None:
        if not self.endings:
            thread = threading.Thread(target=self._execute, args=(run,))
            self._threads.append(thread)
            thread.start()
            return
        ending = self.endings.pop(0)
        if isinstance(ending, Ending):
            run.finish(ending)
        else:
            self._scripted[run.run_id] = list(ending)

    def _require_places(self, task: Task) -> None:
        """Refuse clusters, policies and pools that are not there."""
        if task.existing_cluster_id is not None and task.existing_cluster_id not in self.clusters:
            raise _unknown(f"Cluster {task.existing_cluster_id} does not exist")
        made = task.new_cluster
        if made is None:
            return
        if made.policy_id is not None and made.policy_id not in self.policies:
            raise _unknown(f"Can't find a cluster policy with id: {made.policy_id}.")
        if made.instance_pool_id is not None and made.instance_pool_id not in self.pools:
            raise _unknown(f"Can't find an instance pool with id: {made.instance_pool_id}.")
        arn = made.aws_attributes.instance_profile_arn
        if arn is not None and arn not in self.instance_profiles:
            raise _unknown(f"The instance profile {arn} was not registered with this workspace.")

    def _execute(self, run: Run) -> None:
        """Start the cluster, install what it needs, run the notebook."""
        (library,) = run.task.libraries
        notebook = self.files.notebooks.get(run.task.notebook_task.notebook_path)
        wheel = self.files.files.get(library.whl)
        variables = resolved(self._variables(run.task), self.secrets)
        lacks = {LIBRARY_MISSING: wheel, NOTEBOOK_MISSING: notebook, SECRET_MISSING: variables}
        if missing := next((ending for ending, found in lacks.items() if found is None), None):
            run.finish(missing)
            return
        (run.folder / "notebook.py").write_bytes(notebook or b"")
        (run.folder / Path(library.whl).name).write_bytes(wheel or b"")
        parameters = json.dumps(run.task.notebook_task.base_parameters)
        (run.folder / "parameters.json").write_text(parameters, encoding="utf-8")
        run.execute({**self._machine(run), **(variables or {})})

    def _variables(self, task: Task) -> Mapping[str, str]:
        if task.existing_cluster_id is not None:
            return self.clusters[task.existing_cluster_id]
        if task.new_cluster is None:
            return {}
        arn = task.new_cluster.aws_attributes.instance_profile_arn
        return {**task.new_cluster.spark_env_vars, **self.instance_profiles.get(arn or "", {})}

    def _machine(self, run: Run) -> dict[str, str]:
        """What every machine has; nothing of what the tests know."""
        own = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LD_LIBRARY_PATH") if name in os.environ}
        spark = {} if self.spark is None else {"STAND_IN_SPARK": json.dumps(dict(self.spark))}
        return {**own, "HOME": str(run.folder), "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true", **spark}

    def get(self, asked: Asked) -> object:
        """A run, or the run of a task."""
        run = self._found(asked.required("run_id"))
        with self._lock:
            if states := self._scripted.get(run.run_id):
                run.state = states.pop(0) if len(states) > 1 else states[0]
                if run.state.is_over:
                    run.finish(run.state)
        return run.shown()

    def get_output(self, asked: Asked) -> object:
        """The output of a task's run."""
        run = self._found(asked.required("run_id"))
        if int(asked.query["run_id"]) == run.run_id:
            raise ApiError(
                400,
                "INVALID_PARAMETER_VALUE",
                "Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of "
                "each individual task run instead.",
            )
        return run.output()

    def cancel(self, asked: Asked) -> object:
        """Ask for a run's end."""
        run = self._found(str(asked.body(RunId).run_id))
        if run.run_id in self._scripted:
            self._scripted[run.run_id] = [CANCELED]
        run.cancel()
        return {}

    def delete(self, asked: Asked) -> object:
        """Forget a run that is over; its token stays reserved."""
        run = self._found(str(asked.body(RunId).run_id))
        if not run.state.is_over:
            raise ApiError(400, "INVALID_STATE", "The run is active, so it cannot be deleted.")
        del self.runs[run.run_id]
        return {}

    def _found(self, run_id: str) -> Run:
        if not run_id.isdigit():
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{run_id} is no run id")
        for run in self.runs.values():
            if int(run_id) in {run.run_id, run.task_run_id}:
                return run
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Run {run_id} does not exist.")

    def stop(self) -> None:
        """End every run."""
        for run in list(self.runs.values()):
            run.cancel()
        for thread in self._threads:
            thread.join()

    def shown(self) -> list[dict[str, Any]]:
        """Every run, as runs/get shows it."""
        return [run.shown() for run in self.runs.values()]


def _unknown(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)
