"""Runs Itaipu with the `sabesp` command; the same adapter serves the platform's executable and the local twin's.

Command line and output format are the runbook's. Ending sabesp may not stop the remote cluster, so every line, with the
ids of clusters and tasks, is reported as it appears and kept in a file.
"""

import shlex
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from typing_extensions import override

from logcache_assets.adapters.processes import (
    LAST_LINES,
    Limits,
    NotStartedError,
    OutOfTimeError,
    follow,
    last_lines,
    started,
    wait_for,
)
from logcache_assets.domain.sabesp_output import (
    SabespEvent,
    datasets_aborted,
    find_run_failures,
    parse_sabesp_line,
    transactions_named,
)
from logcache_assets.ports import FinishedTestRun, Itaipu, ItaipuUnavailable, ItaipuWrongData, Tell


@dataclass(frozen=True, kw_only=True)
class SabespItaipu(Itaipu):
    """Starts test runs of Itaipu on Aurora with the `sabesp` command."""

    executable: Path
    aurora_stack: str
    run_name: str
    in_uri: str
    """Bucket that Itaipu reads, `s3a://…/`."""
    out_uri: str
    """Bucket that Itaipu writes, `s3a://…/`."""
    machines: int
    log_folder: Path
    """Gets one file per run with its whole output."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to this process's environment."""
    timeout_seconds: float = 6 * 3600
    idle_timeout_seconds: float = 3600
    """How long sabesp may print nothing."""
    grace_seconds: float = 10
    """Seconds from SIGTERM to SIGKILL."""

    @override
    def test_run(self, *, version: str, dataset_prefix: str, tell: Tell) -> FinishedTestRun:
        log = self._log_file(version)
        events: list[SabespEvent] = []
        tail: deque[str] = deque(maxlen=LAST_LINES)
        exit_code = self._run(self.command(version, dataset_prefix), log, events, tail, tell)
        if failures := find_run_failures(events, exit_code=exit_code, version=version):
            raise ItaipuWrongData(
                f"the Itaipu run at {version} failed: {'; '.join(failures)}. "
                f"Read {log}, remove the cause and run again; {last_lines(tail)}"
            )
        return FinishedTestRun(transaction=transactions_named(events)[0], aborted=datasets_aborted(events))

    def command(self, version: str, dataset_prefix: str) -> tuple[str, ...]:
        """The runbook's command line."""
        return (
            str(self.executable),
            f"--aurora-stack={self.aurora_stack}",
            "jobs",
            "itaipu",
            "staging",
            self.run_name,
            self.in_uri,
            self.out_uri,
            str(self.machines),
            f"--itaipu={version}",
            "--filter-by-prefix",
            dataset_prefix,
        )

    def _run(self, argv: tuple[str, ...], log: Path, events: list[SabespEvent], tail: deque[str], tell: Tell) -> int:
        limits = Limits(timeout_seconds=self.timeout_seconds, idle_timeout_seconds=self.idle_timeout_seconds)
        tell(f"$ {shlex.join(argv)}")
        tell(f"whole output: {log}")
        try:
            with started(argv, output=log, environment=self.environment, grace_seconds=self.grace_seconds) as process:
                for line in follow(log, limits=limits, has_ended=wait_for(process)):
                    tail.append(line)
                    events.extend(parse_sabesp_line(line))
                    tell(line)
                return process.wait()
        except OutOfTimeError as error:
            raise ItaipuUnavailable(
                f"sabesp was ended: {error}. Its cluster may still run: look for the ids in {log}; {last_lines(tail)}"
            ) from error
        except NotStartedError as error:
            raise ItaipuWrongData(
                f"sabesp could not be run ({error}); install it, or name the executable in the setting LOGCACHE_SABESP"
            ) from error

    def _log_file(self, version: str) -> Path:
        self.log_folder.mkdir(parents=True, exist_ok=True)
        # The computer's time, not the local world's: people look for the run that just failed.
        return self.log_folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{version}-{uuid4().hex[:8]}.log"
