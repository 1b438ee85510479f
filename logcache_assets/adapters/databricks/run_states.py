"""What the state of a run on Databricks means.

Only `TERMINATED` with `SUCCESS` is a success. Databricks says that more states may be added, and the SDK reads one that
it does not know as None, so whatever is not known to be good is a failure, and whatever is not known to have ended is
followed until its deadline. Source: the Jobs API 2.2, runs/get.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from logcache_assets.domain.plain_text import shortened

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import Run, TerminationDetails

_OVER = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
_PASSES = frozenset({"CLOUD_FAILURE", "INTERNAL_ERROR"})
"""Types of termination that a new run may not meet; the other one, CLIENT_ERROR, is the notebook or its settings."""
_PASSING_CODES = frozenset(
    {
        "CLUSTER_ERROR",
        "CLUSTER_REQUEST_LIMIT_EXCEEDED",
        "DRIVER_ERROR",
        "LIBRARY_INSTALLATION_ERROR",
        "STORAGE_ACCESS_ERROR",
    }
)
"""Codes of termination that a new run may not meet, whatever their type is."""
_CANCELLED = frozenset({"CANCELED", "UPSTREAM_CANCELED"})


class Cause(Enum):
    """Why a run failed, which decides what is done next."""

    CODE = "code"
    """The notebook, or the run's settings: a new run would fail, too."""
    CLOUD = "cloud"
    """Databricks or the cloud: a new run may succeed."""
    TIME = "time"
    """It took too long."""
    NEVER_RAN = "never ran"
    """It was skipped."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Active:
    """The run goes on."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The run ended well."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ended, and not well."""

    cause: Cause
    reason: str
    """Databricks' words."""


Outcome = Active | Succeeded | Failed


def judge_run(run: "Run") -> Outcome:
    """What is known of a run's end."""
    life, result = _life_of(run), _result_of(run)
    if life not in _OVER and not run.end_time:
        return Active()
    if life == "TERMINATED" and result == "SUCCESS":
        return Succeeded()
    return Failed(_cause_of(life, result, _termination_of(run)), _reason_of(run))


def state_text(run: "Run") -> str:
    """The state of a run for people, `RUNNING` or `TERMINATED FAILED`, with Databricks' remark on it."""
    state = " ".join(filter(None, (_life_of(run), _result_of(run)))) or "in a state that is not known here"
    remark = run.state.state_message if run.state else None
    return f"{state}: {shortened(remark)}" if remark else state


def _life_of(run: "Run") -> str | None:
    if run.state is not None and run.state.life_cycle_state is not None:
        return run.state.life_cycle_state.value
    return run.status.state.value if run.status is not None and run.status.state is not None else None


def _result_of(run: "Run") -> str | None:
    return run.state.result_state.value if run.state is not None and run.state.result_state is not None else None


def _termination_of(run: "Run") -> "TerminationDetails | None":
    return run.status.termination_details if run.status is not None else None


def _cause_of(life: str | None, result: str | None, termination: "TerminationDetails | None") -> Cause:
    if result == "TIMEDOUT":
        return Cause.TIME
    if result in _CANCELLED:
        return Cause.CANCELLED
    if life == "SKIPPED":
        return Cause.NEVER_RAN
    if termination is not None and termination.code is not None and termination.code.value in _PASSING_CODES:
        return Cause.CLOUD
    if termination is None or termination.type is None:
        return Cause.CLOUD if life == "INTERNAL_ERROR" else Cause.CODE
    return Cause.CLOUD if termination.type.value in _PASSES else Cause.CODE


def _reason_of(run: "Run") -> str:
    termination = _termination_of(run)
    code = termination.code.value if termination is not None and termination.code is not None else None
    message = termination.message if termination is not None else None
    # One of both has often what the other one says, too.
    return ", ".join(filter(None, (state_text(run), code, shortened(message) if message else None)))
