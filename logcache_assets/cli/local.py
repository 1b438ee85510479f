"""`logcache local …`: what can be done to the local world."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from logcache_assets.cli.output import Result
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.errors import BadInput, Refused
from logcache_assets.local_platform.accidents import accidents_of
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.history import build_world, run_day, run_night, undelivered
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Tell
from logcache_assets.settings import Settings, child_environment


def reset(settings: Settings, data: Path | None, *, say: Tell) -> Result:
    """Build the world anew."""
    world = World(settings)
    build_world(world, data or PACKAGED, say)
    return _said(world, f"The local world in {world.home} is ready for a refresh: logcache refresh")


def night(settings: Settings, *, say: Tell) -> Result:
    """Let a nightly run happen."""
    world = World(settings)
    world.require()
    transaction = run_night(world, tell=say)
    return _said(world, f"The nightly run is done: transaction {transaction}", transaction=transaction)


def day(settings: Settings) -> Result:
    """Let a day pass."""
    world = World(settings)
    delivered = run_day(world)
    left = len(undelivered(world))
    news = f"{delivered} segments were delivered" if delivered else "no new segments"
    rest = f", {left} are still to come" if left else "; the data of this world has no more"
    return _said(world, f"A day passed: {news}{rest}", delivered=delivered, undelivered=left)


def merge(settings: Settings, number: int | None) -> Result:
    """Merge a pull request."""
    world = World(settings)
    world.require()
    still_open = [p.number for p in world.repository.pull_requests() if p.state == "open"]
    if not still_open:
        raise Refused("no pull request is open; `logcache refresh` opens one")
    chosen = number or still_open[0]
    sha = world.repository.merge(chosen)
    return _said(world, f"Pull request #{chosen} is merged: main is at {sha[:8]}, its caches are active", number=chosen)


def break_(settings: Settings, name: str | None) -> Result:
    """Let an accident happen, or list them."""
    world = World(settings)
    known = {fault.name: fault for fault in accidents_of(world)}
    if name is None:
        return {"message": "Accidents to choose from:", "faults": {f.name: f.description for f in known.values()}}
    if name not in known:
        raise BadInput(f"unknown fault {name!r}; known are {', '.join(known)}")
    world.require()
    done = known[name].inject()
    still_open = [p.number for p in world.repository.pull_requests() if p.state == "open"]
    hint = "See it refused with `logcache refresh`."
    if still_open:
        hint = (
            f"Pull request #{still_open[0]} is open already: `logcache refresh` looks at it again; "
            "for a refresh from the start, `logcache local reset` before breaking the world."
        )
    return _said(world, f"{done}. {hint}", fault=name)


def serve_ui(settings: Settings, *, port: int, say: Tell) -> None:
    """Replace this process by Dagit and its daemon on the local world."""
    world = World(settings)
    if not world.exists:
        reset(settings, None, say=say)
    say(f"Dagit on http://127.0.0.1:{port}, Ctrl-C ends it")
    program = str(Path(sys.executable).parent / "dg")
    environment = dict(os.environ) | child_environment(settings) | {"DAGSTER_HOME": str(world.dagster_home)}
    where = ["-w", "workspace.yaml"] if Path("workspace.yaml").is_file() else ["-m", "logcache_assets.definitions"]
    arguments = [program, "dev", *where, "--host", "127.0.0.1", "--port", str(port)]
    os.execve(program, arguments, environment)  # noqa: S606 - no shell is wanted


def _said(world: World, message: str, **more: object) -> Result:
    return {"message": message, "now": utc_text(world.clock.now()), **more}


def render(result: Result) -> Iterator[str]:
    """The message, and the list of faults where that was asked for."""
    yield str(result["message"])
    faults = result.get("faults")
    if isinstance(faults, dict):
        width = max(len(name) for name in faults)
        yield from (f"  {name.ljust(width)}  {description}" for name, description in faults.items())
