"""Runs Itaipu with the `sabesp` command; the same adapter serves the platform's executable and the local twin's.

Command line and output format are the runbook's. Ending sabesp may not stop the remote cluster, so every line, with the
ids of clusters and tasks, is reported as it appears and kept in a file.
"""

import shlex
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from logcache_assets.adapters.processes import (
    LAST_LINES,
    Limits,
    NotStartedError,
    OutOfTimeError,
    follow,
    is_written,
    last_lines,
    plain_line,
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
from logcache_assets.ports import EarlierTestRun, FinishedTestRun, Itaipu, ItaipuUnavailable, ItaipuWrongData, Tell


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

    computes_here: bool = False
    """Whether sabesp computes by itself, as the local platform's does, instead of starting a cluster."""

    @override
    def test_run(
        self, *, version: str, dataset_prefix: str, token: str, tell: Tell, named: Callable[[str], None]
    ) -> FinishedTestRun:
        log = self._log_file(token)
        log.parent.mkdir(parents=True, exist_ok=True)
        events: list[SabespEvent] = []
        tail: deque[str] = deque(maxlen=LAST_LINES)
        exit_code = self._run(self.command(version, dataset_prefix), log, _Followed(events, tail, tell, named))
        if failures := find_run_failures(events, exit_code=exit_code, version=version):
            raise ItaipuWrongData(
                f"the Itaipu run at {version} failed: {'; '.join(failures)}. "
                f"Read {log}, remove the cause and run again; {last_lines(tail)}"
            )
        return FinishedTestRun(transaction=transactions_named(events)[0], aborted=datasets_aborted(events))

    @override
    def find_run(self, token: str, *, version: str) -> EarlierTestRun | None:
        log = self._log_file(token)
        if not log.is_file():
            return None
        going_on = is_written(log)  # before its output is read: what it prints last is then read, too
        with log.open("rb") as lines:
            events = tuple(event for line in lines for event in parse_sabesp_line(plain_line(line.rstrip(b"\n"))))
        transactions = transactions_named(events)
        return EarlierTestRun(
            transaction=transactions[0] if len(transactions) == 1 else None,
            is_running=True if going_on else False if self.computes_here else None,
            failures=find_run_failures(events, exit_code=0, version=version) if transactions else (),
        )

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

    def _run(self, argv: tuple[str, ...], log: Path, followed: "_Followed") -> int:
        limits = Limits(timeout_seconds=self.timeout_seconds, idle_timeout_seconds=self.idle_timeout_seconds)
        followed.tell(f"$ {shlex.join(argv)}")
        followed.tell(f"whole output: {log}")
        try:
            with started(argv, output=log, environment=self.environment, grace_seconds=self.grace_seconds) as process:
                for line in follow(log, limits=limits, has_ended=wait_for(process)):
                    followed.take(line)
                return process.wait()
        except OutOfTimeError as error:
            raise ItaipuUnavailable(
                f"sabesp was ended: {error}. Its cluster may still run: look for the ids in {log}; "
                f"{last_lines(followed.tail)}"
            ) from error
        except NotStartedError as error:
            raise ItaipuWrongData(
                f"sabesp could not be run ({error}); install it, or name the executable in the setting LOGCACHE_SABESP"
            ) from error

    def _log_file(self, token: str) -> Path:
        return self.log_folder / f"{token}.log"


@dataclass(frozen=True, slots=True)
class _Followed:
    """What is made of every line of a run."""

    events: list[SabespEvent]
    tail: deque[str]
    tell: Tell
    named: Callable[[str], None]

    def take(self, line: str) -> None:
        """Keep a line and its events; the transaction is passed on before the line is told."""
        events = parse_sabesp_line(line)
        self.tail.append(line)
        self.events.extend(events)
        for transaction in transactions_named(events):
            self.named(transaction)
        self.tell(line)
