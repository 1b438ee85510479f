"""Runs Itaipu with the `sabesp` command; the same adapter serves the platform's executable and the local twin's.

Command line and output format are the runbook's. Ending sabesp may not stop the remote cluster, so a run that does not
end well is stopped by a command of its own (sabesp_stop.py), and every line, with the ids of clusters and tasks, is
reported as it appears and kept in a file.
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
    end_writers,
    follow,
    is_written,
    lines_in,
    started,
    wait_for,
)
from logcache_assets.adapters.sabesp_stop import Stopped, Stopper
from logcache_assets.adapters.told_lines import ToldLines
from logcache_assets.domain.names import COUNTRY, canonical_dataset
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.sabesp_output import (
    Events,
    TaskEnded,
    datasets_aborted,
    find_run_failures,
    parse_sabesp_line,
    transactions_named,
    transactions_of,
)
from logcache_assets.domain.stop_commands import KnownRun, StopCommand
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
    job: tuple[str, ...] = ("jobs", "itaipu", "staging")
    """The words before the run's name."""
    options: tuple[str, ...] = ()
    """More arguments, before those words."""
    arguments: tuple[str, ...] = ()
    """More arguments, at the end."""
    stop_command: StopCommand | None = None
    """Ends what a run left on the platform."""
    stop_seconds: float = 120
    """How long that may take."""
    log_folder: Path
    """Gets one file per run with its whole output."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to this process's environment."""
    withheld: frozenset[str] = frozenset()
    """Variables of this process that sabesp does not get: our secrets, where it is another's program."""
    timeout_seconds: float = 6 * 3600
    idle_timeout_seconds: float = 3600
    """How long sabesp may print nothing."""
    grace_seconds: float = 10
    """Seconds from SIGTERM to SIGKILL."""

    country: str = COUNTRY
    """Whose datasets it computes."""
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
        run = _Followed(version=version, events=events, told=told, named=named)
        exit_code = self._run(self.command(version, dataset_prefix), log, run)
        if failures := find_run_failures(events, exit_code=exit_code, version=version):
            stopped = self._stop(run, log, tell)
            raise ItaipuWrongData(
                f"the Itaipu run at {version} failed: {join_problems(failures)}. {stopped.sentence}. "
                f"Read {log}, remove the cause and run again; {told.last_lines}"
            )
        aborted = {canonical_dataset(n, country=self.country): why for n, why in datasets_aborted(events).items()}
        return FinishedTestRun(transaction=transactions_named(events)[0], aborted=aborted)

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

    @override
    def stop_run(self, token: str, *, version: str, transaction: str | None, tell: Tell) -> None:
        log = self._log_file(token)
        run = _Followed(version=version, events=Events(), told=ToldLines(tell, log), named=lambda _: None)
        if log.is_file():
            if is_written(log):
                end_writers(log, grace_seconds=self.grace_seconds)
            for line in lines_in(log, blank=blanker_of(self.environment)):
                run.events.add(parse_sabesp_line(line))
        stopped = self._stop(run, log, tell, transaction)
        if not stopped.is_done:
            raise ItaipuUnavailable(f"the run {transaction or token} was not stopped. {stopped.sentence}")

    def _stop(self, run: "_Followed", log: Path, tell: Tell, transaction: str | None = None) -> Stopped:
        """End a run on the platform; by its transaction only for a caller who knows that it is the run's own."""
        known = KnownRun(
            aurora_stack=self.aurora_stack,
            run_name=self.run_name,
            version=run.version,
            transaction=transaction,
            task_ids=tuple(event.id for event in run.events if isinstance(event, TaskEnded)),
        )
        stopper = Stopper(
            command=self.stop_command,
            timeout_seconds=self.stop_seconds,
            environment=self.environment,
            withheld=self.withheld,
        )
        return stopper.stop(known, log=log, tell=tell)

    def command(self, version: str, dataset_prefix: str) -> tuple[str, ...]:
        """The runbook's command line."""
        return (
            str(self.executable),
            f"--aurora-stack={self.aurora_stack}",
            *self.options,
            *self.job,
            self.run_name,
            self.in_uri,
            self.out_uri,
            str(self.machines),
            f"--itaipu={version}",
            "--filter-by-prefix",
            dataset_prefix,
            *self.arguments,
        )

    def _run(self, argv: tuple[str, ...], log: Path, followed: "_Followed") -> int:
        limits = Limits(timeout_seconds=self.timeout_seconds, idle_timeout_seconds=self.idle_timeout_seconds)
        blank = blanker_of(self.environment)
        followed.told.say(f"$ {shlex.join(argv)}")
        followed.told.say(f"whole output: {log}")
        try:
            with started(
                argv,
                output=log,
                environment=self.environment,
                grace_seconds=self.grace_seconds,
                withheld=self.withheld,
            ) as process:
                for line in follow(log, limits=limits, has_ended=wait_for(process), blank=blank):
                    followed.take(line)
                return process.wait()
        except OutOfTimeError as error:
            stopped = self._stop(followed, log, followed.told.say)
            raise ItaipuUnavailable(
                f"sabesp was ended: {error}. {stopped.sentence}. Its output is in {log}; {followed.told.last_lines}"
            ) from error
        except NotStartedError as error:
            raise ItaipuWrongData(
                f"sabesp could not be run ({error}); install it, or name the executable in the setting LOGCACHE_SABESP"
            ) from error
        except BaseException as error:
            # A cancelled run, or a listener that failed: sabesp has ended, and nobody would end its cluster.
            error.add_note(self._stop(followed, log, followed.told.say).sentence)
            raise
        finally:
            followed.told.tell_left_out()
            if log.exists():
                blank.blank_file(log)

    def _log_file(self, token: str) -> Path:
        return self.log_folder / f"{token}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Followed:
    """What is made of every line of a run."""

    version: str
    events: Events
    told: ToldLines
    named: Callable[[str], None]

    def take(self, line: str) -> None:
        """Keep the events of a line; the transaction is passed on before the line is told."""
        events = parse_sabesp_line(line)
        is_event = self.events.add(events)
        for transaction in transactions_of(events, version=self.version):
            self.named(transaction)
        self.told.tell(line, is_event=is_event)
