"""Single requests about runs to the Jobs API 2.2, with its errors as the port's."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcache_assets.adapters.databricks.access import DatabricksAccess
from logcache_assets.adapters.databricks.answers import answered
from logcache_assets.adapters.databricks.cluster import Cluster, ExistingCluster
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.canonical_json import canonical_json
from logcache_assets.ports import NotebookWrongData

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import Run, RunOutput, SubmitTask

_OF_TOKENS = ("deleted", "idempotency", "idempotent")
"""Words with which Databricks refuses the token of a run that was deleted; its documentation has no code for that."""


class SubmissionRefusedError(NotebookWrongData):
    """Databricks starts no such run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A run that is asked for."""

    name: str
    notebook_path: str
    wheel: str
    """Path of the library to install."""
    parameters: Mapping[str, str]
    token: str
    """Up to 64 characters; the same one finds the same run."""
    timeout_seconds: int
    """After which Databricks ends the run itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRuns:
    """The runs of a workspace, all on one kind of cluster."""

    access: DatabricksAccess
    cluster: Cluster
    reads: RepeatedReads
    viewers: str | None = None
    """A group that may see the runs' pages, beside whoever signs in and administrators."""

    def submit(self, submission: Submission) -> int | None:
        """The id of the run of this token, which is started if there is none; None if that run was deleted.

        The SDK sends the request again if it gets no answer, which the token makes harmless.

        Raises:
            SubmissionRefusedError: Databricks refuses the run or its token.
        """
        from databricks.sdk.service import jobs  # noqa: PLC0415 - see access.py

        may_view = jobs.JobPermissionLevel.CAN_VIEW
        seen_by = jobs.JobAccessControlRequest(group_name=self.viewers, permission_level=may_view)
        try:
            with self._answered("start of a run"):
                asked = self.access.client.jobs.submit(
                    run_name=submission.name,
                    tasks=[_task(submission, self.cluster)],
                    idempotency_token=submission.token,
                    timeout_seconds=submission.timeout_seconds,
                    queue=jobs.QueueSettings(enabled=True),
                    access_control_list=[seen_by] if self.viewers else None,
                )
                return int(asked.bind()["run_id"])
        except NotebookWrongData as error:
            if any(word in str(error).lower() for word in _OF_TOKENS):
                return None
            raise SubmissionRefusedError(str(error)) from None

    @repeated
    def get(self, run_id: int) -> "Run":
        """The run; raises NotThereError if somebody deleted it."""
        with self._answered(f"run {run_id}"):
            return self.access.client.jobs.get_run(run_id)

    def cancel(self, run_id: int) -> None:
        """Ask for the run's end, which comes later."""
        with self._answered(f"cancellation of run {run_id}"):
            self.access.client.jobs.cancel_run(run_id)

    @repeated
    def output(self, run: "Run") -> "RunOutput":
        """What the run's one task gave; the run itself has no output."""
        if not run.tasks or run.tasks[0].run_id is None:
            raise NotebookWrongData(f"run {run.run_id} has no task; look at {run.run_page_url}, then run again")
        with self._answered(f"output of run {run.tasks[0].run_id}"):
            return self.access.client.jobs.get_run_output(run.tasks[0].run_id)

    def _answered(self, asked: str) -> AbstractContextManager[None]:
        return answered(asked, self.access.host, self.access.blanked)


def _task(submission: Submission, cluster: Cluster) -> "SubmitTask":
    from databricks.sdk.service import compute, jobs  # noqa: PLC0415 - see access.py

    is_shared = isinstance(cluster, ExistingCluster)
    ours = {"settings": canonical_json(dict(cluster.environment))} if is_shared else {}
    return jobs.SubmitTask(
        task_key="notebook",
        notebook_task=jobs.NotebookTask(
            notebook_path=submission.notebook_path,
            base_parameters={**submission.parameters, **ours},
            source=jobs.Source.WORKSPACE,
        ),
        libraries=[compute.Library(whl=submission.wheel)],
        existing_cluster_id=cluster.cluster_id if isinstance(cluster, ExistingCluster) else None,
        new_cluster=None if isinstance(cluster, ExistingCluster) else cluster.spec(),
    )
