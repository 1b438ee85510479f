"""The stand-in's runs: a state machine per run, and the process of its notebook."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logcache_tests.servers.databricks_requests import SubmitRun, Task

PROGRAM = Path(__file__).parent / "databricks_cluster.py"
RESULT_BYTES = 5 << 20
"""How much of an exit value Databricks keeps."""
_SECRET = re.compile(r"\{\{secrets/([^/]+)/([^}]+)\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A state in which a run is, and how it came there."""

    life: str
    result: str | None = None
    code: str | None = None
    type: str | None = None
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self.result is not None or self.life in {"SKIPPED", "INTERNAL_ERROR"}


SUCCESS = Ending(life="TERMINATED", result="SUCCESS", code="SUCCESS", type="SUCCESS")
FAILED = Ending(
    life="TERMINATED",
    result="FAILED",
    code="RUN_EXECUTION_ERROR",
    type="CLIENT_ERROR",
    message="Workload failed, see run output for details",
)
CANCELED = Ending(
    life="TERMINATED", result="CANCELED", code="USER_CANCELED", type="CLIENT_ERROR", message="Run cancelled."
)
TIMEDOUT = Ending(
    life="TERMINATED", result="TIMEDOUT", code="CANCELED", type="CLIENT_ERROR", message="Run exceeded its time limit."
)


@dataclass(kw_only=True)
class Run:
    """One run with its one task."""

    run_id: int
    asked: SubmitRun
    url: str
    folder: Path
    state: Ending = field(default_factory=lambda: Ending(life="PENDING", message="Waiting for cluster"))
    outcome: dict[str, str] = field(default_factory=dict)
    truncated: bool = False
    is_cancelled: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    ended_ms: int = 0

    @property
    def task(self) -> Task:
        """What it runs."""
        return self.asked.tasks[0]

    @property
    def task_run_id(self) -> int:
        """The id of the task's run, which is another one."""
        return self.run_id + 1

    def shown(self) -> dict[str, Any]:
        """The run as runs/get shows it."""
        task = {"run_id": self.task_run_id, "task_key": self.task.task_key, "attempt_number": 0, **self._state()}
        return {
            "run_id": self.run_id,
            "job_id": self.run_id + 7,
            "run_name": self.asked.run_name,
            "run_type": "SUBMIT_RUN",
            "run_page_url": self.url,
            "creator_user_name": "logcache",
            "start_time": 1_700_000_000_000,
            "end_time": self.ended_ms,
            "tasks": [task],
            **self._state(),
        }

    def _state(self) -> dict[str, Any]:
        now = self.state
        termination = {"code": now.code, "type": now.type, "message": now.message}
        over = "TERMINATED" if now.is_over else now.life
        return {
            "state": {
                "life_cycle_state": now.life,
                "state_message": now.message,
                "user_cancelled_or_timedout": now.result in {"CANCELED", "TIMEDOUT"},
                **({"result_state": now.result} if now.result else {}),
            },
            "status": {"state": over, **({"termination_details": termination} if now.code else {})},
        }

    def output(self) -> dict[str, Any]:
        """The task's output as runs/get-output shows it."""
        result = self.outcome.get("result")
        notebook: dict[str, Any] = {}
        if result is not None:
            notebook = {"result": result[:RESULT_BYTES], "truncated": self._is_truncated(result)}
        errors: dict[str, Any] = {name: self.outcome[name] for name in ("error", "error_trace") if name in self.outcome}
        return {"metadata": self.shown(), "notebook_output": notebook, **errors}

    def _is_truncated(self, result: str) -> bool:
        return self.truncated or len(result) > RESULT_BYTES

    def cancel(self) -> None:
        """End it, if it goes on."""
        self.is_cancelled = True
        self._kill()

    def _kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def finish(self, ending: Ending) -> None:
        """It is over."""
        self.ended_ms = 1_700_000_100_000
        self.state = ending

    def execute(self, environment: Mapping[str, str]) -> None:
        """Run the notebook in a process to its end, which becomes the run's."""
        self.state = Ending(life="RUNNING", message="In run")
        log = self.folder / "output.log"
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM), str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**environment, "STAND_IN_CLUSTER": "1"},
                cwd=self.folder,
            )
        if self.is_cancelled:
            self._kill()
        try:
            self.process.wait(self.asked.timeout_seconds or None)
        except subprocess.TimeoutExpired:
            self._kill()
            self.process.wait()
            self.finish(TIMEDOUT)
            return
        self._kill()
        self._conclude()

    def _conclude(self) -> None:
        with suppress(FileNotFoundError):
            self.outcome = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        if self.is_cancelled:
            self.finish(CANCELED)
        elif "error" in self.outcome or self.process is None or self.process.returncode:
            self.finish(FAILED)
        else:
            self.finish(SUCCESS)


def resolved(variables: Mapping[str, str], secrets: Mapping[tuple[str, str], str]) -> dict[str, str] | None:
    """A cluster's variables with the secrets that they name; None if one is not there."""
    found = {}
    for name, value in variables.items():
        if (named := _SECRET.fullmatch(value)) is None:
            found[name] = value
        elif (named[1], named[2]) in secrets:
            found[name] = secrets[named[1], named[2]]
        else:
            return None
    return found


def wait_until(is_so: Any, seconds: float) -> bool:  # noqa: ANN401 - a question
    """Whether something becomes so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True
