"""Runs Itaipu with the `sabesp` command; the same adapter serves the platform's executable and the local twin's.

Command line and output format are the runbook's. Ending sabesp may not stop the remote cluster, so every line, with the
ids of clusters and tasks, is reported as it appears and kept in a file.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from typing_extensions import override

from logcache_assets.adapters.processes import (
    Limits,
    NotStartedError,
    OutOfTimeError,
    blanker_of,
    follow,
    is_written,
    lines_in,
    started,
    wait_for,
)
from logcache_assets.adapters.told_lines import ToldLines
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.sabesp_output import (
    Events,
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
        self,
        *,
        version: str,
        dataset_prefix: str,
        tell: Tell,
        token: str | None = None,
        named: Callable[[str], None] = lambda _: None,
    ) -> FinishedTestRun:
        log = self._log_file(token or f"{version}-{uuid4()}")
        log.parent.mkdir(parents=True, exist_ok=True)
        events, told = Events(), ToldLines(tell, log)
        exit_code = self._run(self.command(version, dataset_prefix), log, _Followed(events, told, named))
        if failures := find_run_failures(events, exit_code=exit_code, version=version):
            raise ItaipuWrongData(
                f"the Itaipu run at {version} failed: {join_problems(failures)}. "
                f"Read {log}, remove the cause and run again; {told.last_lines}"
            )
        return FinishedTestRun(transaction=transactions_named(events)[0], aborted=datasets_aborted(events))

    @override
    def find_run(self, token: str, *, version: str) -> EarlierTestRun | None:
        log = self._log_file(token)
        if not log.is_file():
            return None
        going_on = is_written(log)  # before its output is read: what it prints last is then read, too
        blank = blanker_of(self.environment)
        if not going_on:
            blank.blank_file(log)  # its reader may have been killed before it could
        events = Events()
        for line in lines_in(log, blank=blank):
            events.add(parse_sabesp_line(line))
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
        blank = blanker_of(self.environment)
        followed.told.say(f"$ {shlex.join(argv)}")
        followed.told.say(f"whole output: {log}")
        try:
            with started(argv, output=log, environment=self.environment, grace_seconds=self.grace_seconds) as process:
                for line in follow(log, limits=limits, has_ended=wait_for(process), blank=blank):
                    followed.take(line)
                return process.wait()
        except OutOfTimeError as error:
            raise ItaipuUnavailable(
                f"sabesp was ended: {error}. Its cluster may still run: look for the ids in {log}; "
                f"{followed.told.last_lines}"
            ) from error
        except NotStartedError as error:
            raise ItaipuWrongData(
                f"sabesp could not be run ({error}); install it, or name the executable in the setting LOGCACHE_SABESP"
            ) from error
        finally:
            followed.told.tell_left_out()
            if log.exists():
                blank.blank_file(log)

    def _log_file(self, token: str) -> Path:
        return self.log_folder / f"{token}.log"


@dataclass(frozen=True, slots=True)
class _Followed:
    """What is made of every line of a run."""

    events: Events
    told: ToldLines
    named: Callable[[str], None]

    def take(self, line: str) -> None:
        """Keep the events of a line; the transaction is passed on before the line is told."""
        events = parse_sabesp_line(line)
        is_event = self.events.add(events)
        for transaction in transactions_named(events):
            self.named(transaction)
        self.told.tell(line, is_event=is_event)
