"""Runs the notebook on Databricks: finds the run of a request or starts it, follows it, and takes its result.

Each attempt of a request has a token of its own, which Databricks keeps for as long as it knows the run, however that
ended. So the attempts are walked: one that succeeded is the answer, one that goes on is followed, one that is over is
passed. A lost reply, a killed worker and a second caller all find the same run.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from logcache_assets.adapters.databricks.answers import NotThereError
from logcache_assets.adapters.databricks.cluster_checks import find_cluster, who_asks
from logcache_assets.adapters.databricks.job_runs import JobRuns, Submission, SubmissionRefusedError
from logcache_assets.adapters.databricks.release import UPLOAD, Release
from logcache_assets.adapters.databricks.run_states import Active, Cause, Failed, judge_run, state_text
from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.plain_text import shortened
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import (
    OUTAGE,
    NotebookError,
    NotebookRun,
    NotebookRunner,
    NotebookUnavailable,
    NotebookWrongData,
    Tell,
    require_token,
)

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import Run

MOST_ATTEMPTS = 50
"""How many runs one request may have in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited for what."""

    timeout_seconds: int
    """A run that takes longer is ended by Databricks."""
    attempts: int = 3
    """How many runs one call starts at most, when Databricks or the cloud fails."""
    first_pause_seconds: float = 1
    """Before a run is looked at again; grows."""
    longest_pause_seconds: float = 15
    cancel_seconds: float = 180
    """How long a cancelled run may take to end."""
    overtime_seconds: float = 900
    """How much later than its own timeout a run may end: it may have waited for its cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabricksNotebookRunner(NotebookRunner):
    """Runs a notebook as a job of one task."""

    runs: JobRuns
    release: Release
    """What is run."""
    patience: Patience

    @override
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell, tell_output: Tell) -> NotebookRun:
        require_token(token)
        self._require_release()
        started = 0
        for found in self._attempts(parameters, token, tell):
            result = self._result_of(found.run)
            if isinstance(result, str):
                return NotebookRun(result=result, page=found.run.run_page_url or "")
            tell(str(result.error))
            if found.was_over:
                continue
            started += 1
            if result.cause is not Cause.CLOUD or started >= self.patience.attempts:
                raise result.error
        raise NotebookWrongData(
            f"{MOST_ATTEMPTS} runs of this request failed on Databricks; remove what their pages show, upgrade "
            "logcache-assets, and upload and run again"
        )

    def _attempts(self, parameters: Mapping[str, str], token: str, tell: Tell) -> "Iterator[_Found]":
        """The run of each attempt at its end, found or started."""
        refused: SubmissionRefusedError | None = None
        for number in range(1, MOST_ATTEMPTS + 1):
            try:
                found = self._find_or_start(self._submission(parameters, token, number), tell)
            except SubmissionRefusedError as error:
                if refused is not None:
                    raise refused from None
                # Either the run is refused, then the next one is, too; or its token, whose run was deleted.
                refused = error
                continue
            if found is not None:
                yield found

    @override
    def checks(self) -> Mapping[str, Callable[[], str]]:
        access, cluster = self.runs.access, self.runs.cluster
        return {
            "signed in": lambda: who_asks(access),
            "uploaded": self._uploaded,
            "cluster": lambda: find_cluster(access, cluster),
        }

    def _uploaded(self) -> str:
        self._require_release()
        return self.release.notebook_path

    def _require_release(self) -> None:
        """Refuse to run what Databricks does not have; a run would find that out after its cluster has started."""
        for path, is_there in (
            (self.release.wheel_path, self.release.has_wheel),
            (self.release.notebook_path, self.release.has_notebook),
        ):
            if not is_there():
                raise NotebookWrongData(f"Databricks does not have this version: {path} is not there; {UPLOAD}")

    def _submission(self, parameters: Mapping[str, str], token: str, number: int) -> Submission:
        asked = [token, self.release.wheel.version, dict(parameters), number]
        return Submission(
            # Tells a run that this call started from one that was found.
            name=f"logcache {token[:12]} attempt {number} {uuid.uuid4().hex[:8]}",
            notebook_path=self.release.notebook_path,
            wheel=self.release.wheel_path,
            parameters=parameters,
            token=sha256_of(canonical_json(asked)),
            timeout_seconds=self.patience.timeout_seconds,
        )

    def _find_or_start(self, submission: Submission, tell: Tell) -> "_Found | None":
        """The run of an attempt at its end; None if it was deleted. On an interrupt the run is cancelled."""
        run_id = None
        try:
            if (run_id := self.runs.submit(submission)) is not None:
                return self._ended(run_id, submission, tell)
        except NotThereError as error:
            raise NotebookWrongData(
                f"the notebook run {run_id} was deleted on Databricks while it was followed; run again"
            ) from error
        except BaseException as error:
            if not isinstance(error, Exception):
                try:
                    tell("interrupted; the notebook run is being cancelled on Databricks")
                finally:
                    self._cancel_for_good(run_id, submission)
            raise
        tell("an earlier run of this request was deleted on Databricks; the next attempt is asked for")
        return None

    def _ended(self, run_id: int, submission: Submission, tell: Tell) -> "_Found":
        run = self.runs.get(run_id)
        is_ours = run.run_name == submission.name
        tell(f"{'started' if is_ours else 'found'} the notebook run {run.run_page_url}")
        if isinstance(judge_run(run), Active):
            return _Found(self._polled(run_id, tell), was_over=False)
        tell(f"Databricks: {state_text(run)}")
        return _Found(run, was_over=not is_ours)

    def _cancel_for_good(self, run_id: int | None, submission: Submission) -> None:
        """End the run of a submission before an interrupt is raised again, whether or not its id came back."""
        with suppress(LogCacheError):
            # An interrupted request may have arrived. Its token finds the run, or starts one that ends at once.
            found = self.runs.submit(submission) if run_id is None else run_id
            if found is not None:
                self._cancelled(found)

    def _polled(self, run_id: int, tell: Tell) -> "Run":
        patience = self.patience
        deadline = time.monotonic() + patience.timeout_seconds + patience.overtime_seconds
        pause, told = patience.first_pause_seconds, ""
        while time.monotonic() < deadline:
            run = self.runs.get(run_id)
            if (state := state_text(run)) != told:
                tell(f"Databricks: {state}")
                told = state
            if not isinstance(judge_run(run), Active):
                return run
            time.sleep(pause)
            pause = min(pause * 1.5, patience.longest_pause_seconds)
        with suppress(NotebookError):
            self._cancelled(run_id)
        raise NotebookUnavailable(
            f"the notebook run {run_id} did not end within its time limit, and Databricks did not end it: {told}; "
            "look at its page, then run again"
        )

    def _cancelled(self, run_id: int) -> None:
        """Cancel a run and wait for its end."""
        self.runs.cancel(run_id)
        deadline = time.monotonic() + self.patience.cancel_seconds
        while time.monotonic() < deadline:
            run = self.runs.get(run_id)
            if not isinstance(judge_run(run), Active):
                return
            time.sleep(self.patience.first_pause_seconds)

    def _result_of(self, run: "Run") -> "str | _Failure":
        """What the notebook gave, or why that is nothing; raises NotebookError if Databricks does not tell."""
        outcome, where = judge_run(run), f"the notebook run {run.run_page_url}"
        if isinstance(outcome, Failed):
            words = self._last_words(run) if outcome.cause is Cause.CODE else ""
            # What the notebook could not reach is the cloud's fault.
            cause = Cause.CLOUD if words.startswith(OUTAGE) else outcome.cause
            return _Failure(cause, _error_of(cause, where, words or outcome.reason))
        found = self.runs.output(run).notebook_output
        if found is None or found.result is None:
            why = "succeeded without a result: it ended without dbutils.notebook.exit(...)"
        elif found.truncated:
            why = "gave a result that was truncated by Databricks, so it is none"
        else:
            return found.result
        return _Failure(Cause.CODE, NotebookWrongData(f"{where} {why}; look at its page and run again"))

    def _last_words(self, run: "Run") -> str:
        """What the notebook's exception said."""
        with suppress(NotebookError):
            if words := self.runs.output(run).error:
                return shortened(self.runs.access.blanked(words))
        return ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A run at its end."""

    run: "Run"
    was_over: bool
    """Whether it had ended before this call asked for it."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a run gave nothing."""

    cause: Cause
    error: NotebookError


def _error_of(cause: Cause, where: str, words: str) -> NotebookError:
    """The sentence that a person reads."""
    match cause:
        case Cause.TIME:
            return NotebookUnavailable(
                f"{where} was ended by Databricks after its time limit ({words}); raise "
                "LOGCACHE_EXPORT_TIMEOUT_MINUTES or LOGCACHE_DATABRICKS_WORKERS, then run again"
            )
        case Cause.CANCELLED:
            return NotebookWrongData(f"{where} was cancelled on Databricks ({words}); ask who did, then run again")
        case Cause.NEVER_RAN:
            return NotebookUnavailable(f"{where} was skipped by Databricks ({words}); run again later")
        case Cause.CLOUD:
            return NotebookUnavailable(
                f"{where} failed because of Databricks or the cloud ({words}); look at its page, then run again"
            )
        case Cause.CODE:
            return NotebookWrongData(f"{where} failed: {words}; look at its page, remove the cause and run again")
