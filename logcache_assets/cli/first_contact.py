"""Declares the command with which a new installation looks at its platform."""

from pathlib import Path

import click

from logcache_assets.cli.options import databases_option, driver_option, json_option
from logcache_assets.cli.output import emit, tell
from logcache_assets.settings import load_settings


@click.command()
@click.argument("nights", metavar="[NIGHT]…", nargs=-1)
@databases_option
@click.option(
    "--instances", type=click.IntRange(1), default=3, show_default=True, help="How many to read; the smallest ones."
)
@driver_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the report; default: in the home."
)
@json_option
def shadow(  # noqa: PLR0913 - one parameter per option
    nights: tuple[str, ...],
    databases: tuple[str, ...],
    *,
    instances: int,
    driver: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Recompute past nights' contracts, and say what the platform looks like; nothing but the report is written.

    NIGHT is the id of a metapod transaction; by default the two newest good nights are taken. Their raw logs, segments
    and contracts of a few instances are read. The report says which contracts the engine reproduces, how the others
    differ (rows, columns and types, never a value), and which of our assumptions do not hold. Exit code 1 if any
    does not.

    \b
    logcache shadow
    logcache shadow --databases feed --instances 1
    logcache shadow 49ae32bb-c260-4622-ac10-753cfd8fa7b3 --out shadow
    """
    from logcache_assets.cli import shadow as command

    result = command.run(
        load_settings(),
        nights=nights,
        databases=databases,
        instances=instances,
        driver="spark" if driver == "spark" else "local",
        out=out,
        tell=tell,
    )
    emit(result, command.render, as_json=as_json)
    if result.differing or result.broken:
        click.get_current_context().exit(1)
