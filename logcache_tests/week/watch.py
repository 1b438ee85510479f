"""Watches a week: waits until all that was due has been done, and tells what happened when it is not."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from logcache_assets.adapters.alerts.alert_file import FILE
from logcache_assets.cli import status
from logcache_assets.defs.jobs import NIGHT_TAG
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.local_platform.world import World
from logcache_tests.kills.killing import processes_of
from logcache_tests.week.dagit import Dagit, Run

PATIENCE_SECONDS = 600.0
POLL_SECONDS = 0.3
ENGINE_EVENT = dg.DagsterEventType.ENGINE_EVENT
LOOKS = {"alerts": 2}
"""Sensor → how often it must have looked since everything stood still; the others once."""
UNWATCHED = {"old_runs_removed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A world, and the Dagit that works on it."""

    world: World
    dagit: Dagit
    log: Path
    """What the servers print."""
    servers: frozenset[int]
    """The processes that work for the world as long as nothing runs."""
    read: list[str] = field(default_factory=list)
    """The subjects of the messages that `require_told` has seen."""

    @staticmethod
    def begin(world: World, dagit: Dagit, log: Path) -> "Watch":
        """Watch a Dagit on which nothing runs yet."""
        return Watch(world=world, dagit=dagit, log=log, servers=frozenset(processes_of(world.home)))

    @contextmanager
    def told_on_failure(self) -> Iterator[None]:
        """Print what happened if the block fails."""
        try:
            yield
        except BaseException:
            print("\n".join(self.told()))  # noqa: T201 - for the log of CI
            raise

    def until(self, holds: Callable[[], Any], *, poll_seconds: float = POLL_SECONDS) -> Any:  # noqa: ANN401 - what `holds` finds
        """Wait until something holds, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := holds()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(poll_seconds)
        return found

    def settle(self) -> None:
        """Wait until no run goes on, and every sensor has looked since then without asking for another one."""
        still_since = time.time()

        def is_settled() -> bool:
            nonlocal still_since
            ticks = [tick for tick in self.dagit.ticks(5) if tick.began_at > still_since]
            if any(not run.has_ended for run in self.dagit.runs()) or any(tick.asked_for_runs for tick in ticks):
                still_since = time.time()
                return False
            looks = {name: 0 for name in self.dagit.sensors() if name not in UNWATCHED}
            for tick in ticks:
                looks[tick.sensor] = looks.get(tick.sensor, 0) + tick.has_ended
            return all(number >= LOOKS.get(name, 1) for name, number in looks.items())

        self.until(is_settled)
        # A run has ended a moment before its process has.
        self.until(lambda: not self.living_on)

    @property
    def living_on(self) -> frozenset[int]:
        """The processes of the world that are none of the servers."""
        others = frozenset(processes_of(self.world.home)) - self.servers
        return frozenset(process for process in others if not _serves_servers(process))

    def require_told(self, *subjects: str | tuple[str, ...]) -> None:
        """Require that the messages since the last call begin so, in this order, and that there are no others.

        A tuple has all beginnings that are right.
        """
        news = [alert["subject"] for alert in self.alerts()][len(self.read) :]
        self.read.extend(news)
        assert len(news) == len(subjects), news
        assert all(said.startswith(wanted) for said, wanted in zip(news, subjects, strict=True)), news

    def sentence(self) -> str:
        """What the sensor waits for, which `logcache status` says in the same words."""
        said = self.last_tick("new_nightly_transaction")
        assert said == status.run(self.world.settings).next
        return said

    def last_tick(self, sensor: str) -> str:
        """What a sensor said at the end of its last look."""
        ended = [tick for tick in self.dagit.ticks(5) if tick.sensor == sensor and tick.has_ended]
        return max(ended, key=lambda tick: tick.began_at).said

    def process_of(self, run: Run) -> int:
        """The process that works on a run."""
        with open_storage(self.world.dagster_home) as instance:
            events = [entry.dagster_event for entry in instance.all_logs(run.id, of_type=ENGINE_EVENT)]
        pids = [event.engine_event_data.metadata.get("pid") for event in events if event and event.is_engine_event]
        return next(int(str(pid.value)) for pid in reversed(pids) if pid)

    def runs_of(self, night: str) -> list[Run]:
        """The runs of a night's refresh, oldest first."""
        return [run for run in reversed(self.dagit.runs()) if run.tags.get(NIGHT_TAG) == night]

    def alerts(self) -> list[dict[str, Any]]:
        """All messages to people."""
        file = self.world.home / FILE
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def told(self) -> Iterator[str]:
        """What happened: the ticks, the runs and the messages; for the log of a test that failed."""
        yield f"world's date {self.world.clock.now()}"
        for tick in sorted(self.dagit.ticks(), key=lambda tick: tick.began_at):
            yield f"tick {tick.began_at:.1f} {tick.sensor} {tick.status} {tick.asked_for_runs}: {tick.said[:400]}"
        for run in reversed(self.dagit.runs()):
            yield f"run {run.id} {run.job} {run.status} {dict(run.tags)}"
        for alert in self.alerts():
            yield f"alert {json.dumps(alert, ensure_ascii=False)}"
        yield self.log.read_text(encoding="utf-8", errors="replace")[-6000:]


def _serves_servers(process: int) -> bool:
    """True for what Python starts beside a process that starts others, and for a process that has ended meanwhile."""
    try:
        return b"resource_tracker" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return True
