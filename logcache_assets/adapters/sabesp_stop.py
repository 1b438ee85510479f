"""Ends what a test run left on the platform, by the command that the settings give; it costs money as long as it runs.

A command that fails is told loudly, with what to run by hand, and hides nothing else.
"""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from logcache_assets.adapters.processes import (
    Limits,
    NotStartedError,
    OutOfTimeError,
    blanker_of,
    follow,
    started,
    wait_for,
)
from logcache_assets.adapters.told_lines import ToldLines
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.stop_commands import KnownRun, StopCommand
from logcache_assets.ports import Tell

_GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What became of stopping a run."""

    is_done: bool
    sentence: str
    """For an error or a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopper:
    """Runs the stop command of a run."""

    command: StopCommand | None
    timeout_seconds: float = 120
    environment: Mapping[str, str] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    def stop(self, run: KnownRun, *, log: Path, tell: Tell) -> Stopped:
        """End a run; one that was ended before is not ended again.

        Args:
            run: what is known of it.
            log: of the run; beside it lie the outputs of its stop commands, and a mark when they have succeeded.
            tell: takes what is done. If it fails, the run is ended all the same.
        """
        mark = log.with_suffix(".stopped")
        if mark.exists():
            return Stopped(is_done=True, sentence="Its cluster was stopped")
        stopped = self._stopped(run, log, tell)
        if stopped.is_done:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        _say(tell, stopped.sentence if stopped.is_done else f"WARNING: {stopped.sentence}")
        return stopped

    def _stopped(self, run: KnownRun, log: Path, tell: Tell) -> Stopped:
        look = f"Its cluster may still run: look for the ids in {log}"
        if self.command is None:
            return Stopped(is_done=False, sentence=f"{look}, because LOGCACHE_SABESP_STOP names no command")
        commands = self.command.fill(run)
        if not commands:
            why = f"its stop command, {self.command}, needs an id that is not known"
            return Stopped(is_done=False, sentence=f"{look}; {why}")
        for number, argv in enumerate(commands, 1):
            _say(tell, f"$ {shlex.join(argv)}")
            output = log.with_suffix(f".stop-{number}.log")
            if failure := self._failure(argv, output, tell):
                return Stopped(
                    is_done=False,
                    sentence=f"Its cluster may still run and cost money: stopping it failed, {failure}. Run by hand: "
                    f"{shlex.join(argv)}",
                )
        return Stopped(is_done=True, sentence="Its cluster was stopped")

    def _failure(self, argv: tuple[str, ...], output: Path, tell: Tell) -> str | None:
        """Why a command failed; None if it did not."""
        output.parent.mkdir(parents=True, exist_ok=True)
        told = ToldLines(lambda line: _say(tell, line), output)
        blank = blanker_of(self.environment)
        limits = Limits(timeout_seconds=self.timeout_seconds)
        try:
            with started(
                argv,
                output=output,
                environment=self.environment,
                grace_seconds=_GRACE_SECONDS,
                withheld=self.withheld,
            ) as process:
                told.tell_all(follow(output, limits=limits, has_ended=wait_for(process), blank=blank))
                code = process.wait()
        except OutOfTimeError as error:
            return f"{error} ({shortened(told.last_lines)})"
        except NotStartedError as error:
            return f"it cannot be run ({error})"
        finally:
            if output.exists():
                blank.blank_file(output)
        return f"it ended with exit code {code} ({shortened(told.last_lines)})" if code else None


def _say(tell: Tell, line: str) -> None:
    """Tell a line. Whoever listens may be gone, which must not keep a cluster running."""
    with suppress(Exception):
        tell(line)
