"""`logcache local …`: declares the commands of the local world, which local.py and demo.py implement."""

from pathlib import Path

import click

from logcache_assets.cli.options import EXISTING_FOLDER, json_option
from logcache_assets.cli.output import emit, tell
from logcache_assets.settings import load_settings


@click.group()
def local() -> None:
    """Use the local world: an embedded platform with a real Datomic log, which needs no account.

    \b
    logcache local reset           build a new one: a cache at `old`, a nightly run, a day's new segments
    logcache local break gap       make an accident happen, then see `logcache refresh` refuse
    logcache local merge           merge the open pull request, so that the new cache is active
    """


@local.command("reset")
@click.option("--data", type=EXISTING_FOLDER, help="Build it from the data in this folder instead of the packaged log.")
@json_option
def local_reset(data: Path | None, *, as_json: bool) -> None:
    """Replace the local world by a new one, ready for a refresh.

    \b
    logcache local reset
    logcache local reset --data DIR     segments, index, definitions and cut-offs of your own
    """
    from logcache_assets.cli import local as command

    emit(command.reset(load_settings(), data, say=tell), command.render, as_json=as_json)


@local.command("night")
@json_option
def local_night(*, as_json: bool) -> None:
    """Run the platform's night: raw logs and contracts of all databases in a DAILY transaction.

    \b
    logcache local night
    """
    from logcache_assets.cli import local as command

    emit(command.night(load_settings(), say=tell), command.render, as_json=as_json)


@local.command("day")
@json_option
def local_day(*, as_json: bool) -> None:
    """Let a day pass: move the clock to the next 14:00 UTC and deliver newly extracted segments.

    \b
    logcache local day
    """
    from logcache_assets.cli import local as command

    emit(command.day(load_settings()), command.render, as_json=as_json)


@local.command("merge")
@click.argument("number", type=int, required=False)
@json_option
def local_merge(number: int | None, *, as_json: bool) -> None:
    """Merge pull request NUMBER, by default the newest open one, so that its map is active.

    \b
    logcache local merge
    """
    from logcache_assets.cli import local as command

    emit(command.merge(load_settings(), number), command.render, as_json=as_json)


@local.command("break")
@click.argument("fault", required=False)
@json_option
def local_break(fault: str | None, *, as_json: bool) -> None:
    """Make a documented accident happen; without FAULT, list them all.

    \b
    logcache local break
    logcache local break gap && logcache refresh
    """
    from logcache_assets.cli import local as command

    emit(command.break_(load_settings(), fault), command.render, as_json=as_json)


@local.command("demo")
@json_option
def local_demo(*, as_json: bool) -> None:
    """Build a world if there is none, run a whole refresh in it, and sum it up.

    \b
    logcache local demo
    """
    from logcache_assets.cli import demo as command

    emit(command.run(load_settings(), say=tell), command.render_demo, as_json=as_json)


@local.command("ui")
@click.option("--port", type=int, default=3000, show_default=True)
def local_ui(port: int) -> None:
    """Serve Dagit on the local world, with the daemon that runs the sensor; Ctrl-C ends it.

    \b
    logcache local ui --port 3001
    """
    from logcache_assets.cli import local as command

    command.serve_ui(load_settings(), port=port, say=tell)
