"""`logcache local …`: changes the local world, or serves Dagit on it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from logcache_assets.cli.check_merge import require_mergeable
from logcache_assets.cli.output import Result
from logcache_assets.connect import connect
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.report_links import LOOPBACK
from logcache_assets.errors import Refused, WrongUsage
from logcache_assets.local_platform.accidents import accidents_of
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world, run_day, run_night, undelivered
from logcache_assets.ports import Tell
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.publish import publisher_of
from logcache_assets.settings import Settings, child_environment

_WORKSPACE = """load_from:
  - python_module:
      module_name: logcache_assets.definitions
      location_name: logcache_assets
      working_directory: {}
"""
"""As the project's workspace.yaml, for Dagit from any folder."""


class LocalResult(Result, frozen=True, kw_only=True):
    """The result of a `logcache local` command: what happened to the world."""

    message: str
    now: str
    """The world's time afterwards, ISO-8601 UTC."""


class NightResult(LocalResult, frozen=True, kw_only=True):
    """The result of `logcache local night`."""

    transaction: str
    """Of the nightly run, in metapod."""


class DayResult(LocalResult, frozen=True, kw_only=True):
    """The result of `logcache local day`."""

    delivered: int
    """How many segments arrived."""
    undelivered: int
    """How many segments are left for later days."""


class MergeResult(LocalResult, frozen=True, kw_only=True):
    """The result of `logcache local merge`."""

    number: int
    """The merged pull request."""


class AccidentResult(LocalResult, frozen=True, kw_only=True):
    """The result of `logcache local break FAULT`."""

    fault: str
    """The name of the accident."""


class AccidentList(Result, frozen=True, kw_only=True):
    """The result of `logcache local break` without a name."""

    message: str
    faults: dict[str, str]
    """Name → description."""


def reset(settings: Settings, data: Path | None, *, say: Tell) -> LocalResult:
    """Replace the world by a new one, built from the packaged log or from the data in a folder."""
    world = World(settings)
    build_world(world, data or PACKAGED, say)
    message = f"The local world in {world.home} is ready for a refresh: logcache refresh"
    return LocalResult(message=message, now=_now(world))


def night(settings: Settings, *, say: Tell) -> NightResult:
    """Run the platform's nightly run."""
    world = World(settings)
    world.require()
    transaction = run_night(world, tell=say)
    message = f"The nightly run is done: transaction {transaction}"
    return NightResult(message=message, now=_now(world), transaction=transaction)


def day(settings: Settings) -> DayResult:
    """Advance the clock by a day and deliver its segments."""
    world = World(settings)
    delivered = run_day(world)
    left = len(undelivered(world))
    news = f"{delivered} segments were delivered" if delivered else "no new segments"
    rest = f", {left} are still to come" if left else "; the data of this world has no more"
    return DayResult(message=f"A day passed: {news}{rest}", now=_now(world), delivered=delivered, undelivered=left)


def merge(settings: Settings, number: int | None) -> MergeResult:
    """Merge a pull request, by default the newest open one.

    Raises:
        Refused: none is open, or what it proposes must not be merged now.
    """
    world = World(settings)
    world.require()
    if settings.repository != "local":
        raise Refused(f"the pull requests are those of {settings.github_repository} on GitHub; merge them there")
    still_open = _open_pull_requests(world)
    if not still_open:
        raise Refused("no pull request is open; `logcache refresh` opens one")
    chosen = world.repository.pull_request(number or still_open[0])
    if chosen.state == "open":
        judge = MergeJudge(publisher_of(connect(settings), settings))
        require_mergeable(f"pull request #{chosen.number}", judge.find_problems(chosen.branch))
    sha = world.repository.merge(chosen.number, head_sha=chosen.head_sha)
    base = world.repository.base_branch
    message = f"Pull request #{chosen.number} is merged: {base} is at {sha[:8]}, its caches are active"
    return MergeResult(message=message, now=_now(world), number=chosen.number)


def break_(settings: Settings, name: str | None) -> AccidentResult | AccidentList:
    """Make an accident happen, or list them all; raises WrongUsage for an unknown name."""
    world = World(settings)
    known = {fault.name: fault for fault in accidents_of(world)}
    if name is None:
        descriptions = {fault.name: fault.description for fault in known.values()}
        return AccidentList(message="Accidents to choose from:", faults=descriptions)
    if name not in known:
        raise WrongUsage(f"unknown fault {name!r}; known are {', '.join(known)}")
    world.require()
    done, hint = known[name].inject(), known[name].hint
    if still_open := _open_pull_requests(world):
        hint = (
            f"Pull request #{still_open[0]} is open already: `logcache refresh` looks at it again; "
            "for a refresh from the start, `logcache local reset` before breaking the world."
        )
    return AccidentResult(message=f"{done}. {hint}", now=_now(world), fault=name)


def _open_pull_requests(world: World) -> list[int]:
    """The numbers of open pull requests, newest first."""
    return [pull.number for pull in world.repository.open_pull_requests()]


def serve_ui(settings: Settings, *, port: int, say: Tell) -> None:
    """Replace this process by Dagit and its daemon on the local world, which is built if there is none."""
    _require_free(port)
    world = World(settings)
    if not world.exists:
        reset(settings, None, say=say)
    say(f"Dagit on http://127.0.0.1:{port}, Ctrl-C ends it")
    program = str(Path(sys.executable).parent / "dg")
    workspace = settings.dagster_folder / "workspace.yaml"
    workspace.write_text(_WORKSPACE.format(json.dumps(str(settings.dagster_folder))), encoding="utf-8")
    # Dagster's processes would otherwise run a file of the current folder that is named like a module.
    own = {"DAGSTER_HOME": str(settings.dagster_folder), "PYTHONSAFEPATH": "1"}
    environment = dict(os.environ) | child_environment(settings) | own
    _serve_pages(environment)
    arguments = [program, "dev", "-w", str(workspace), "--host", "127.0.0.1", "--port", str(port)]
    os.execve(program, arguments, environment)  # noqa: S606 - no shell is wanted


def _require_free(port: int) -> None:
    """Refuse a port on which another program listens: Dagster would say it after half a minute, in a trace."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Refused(
                f"port {port} is taken by another program, perhaps by another Dagit; end it, or name another port: "
                f"logcache local ui --port {port + 1}"
            ) from error


def _serve_pages(environment: Mapping[str, str]) -> None:
    """Start the process that serves reports; it ends when this process does, because it holds the pipe's other end."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    subprocess.Popen([sys.executable, "-m", "logcache_assets.cli.local_pages"], stdin=reading, env=environment)
    os.close(reading)


def _now(world: World) -> str:
    return utc_text(world.clock.now())


def render(result: LocalResult | AccidentList) -> Iterator[str]:
    """The message, then one line per accident if they are listed."""
    yield result.message
    if isinstance(result, AccidentList):
        width = max(len(name) for name in result.faults)
        yield from (f"  {name.ljust(width)}  {description}" for name, description in result.faults.items())
