"""`logcache`: declares the commands and their options; what a command does is in the module of its name.

Exit codes: 0 done, 1 refused or failed with a reason, 2 wrong usage. `--help` must answer at once, so nothing heavy is
imported before a command runs.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from logcache_assets.cli.local_group import local
from logcache_assets.cli.options import (
    EXISTING_FILE,
    EXISTING_FOLDER,
    databases_option,
    driver_option,
    index_option,
    json_option,
    root_option,
    until_option,
)
from logcache_assets.cli.output import emit, tell
from logcache_assets.errors import LogCacheError
from logcache_assets.settings import Settings, load_settings


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _configured() -> Settings:
    return load_settings()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def logcache() -> None:
    """Refreshes Itaipu's log cache, and shows what it did.

    \b
    logcache local demo      build a local world and run a whole refresh in it
    logcache refresh         refresh from the newest good nightly run
    logcache status          what is active, what is proposed
    """


@logcache.command()
@databases_option
@click.option("--transaction", metavar="UUID", help="Build on this metapod transaction (the only way to a HOTFIX).")
@click.option("--dry-run", is_flag=True, help="Say what would be refreshed from what, and do nothing.")
@json_option
def refresh(databases: str, transaction: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Run one whole refresh: from a good nightly transaction to a pull request.

    \b
    logcache refresh                       all databases of the catalog
    logcache refresh --databases feed      one; all other entries of the map stay byte for byte
    logcache refresh --dry-run             which transaction, which were rejected and why
    """
    from logcache_assets.cli import refresh as command

    settings = _configured()
    result = command.run(settings, databases=_names(databases), transaction=transaction, dry_run=dry_run, say=tell)
    emit(result, command.render, as_json=as_json)


@logcache.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show active and candidate t per instance, the cache's age, and the last verdict.

    \b
    logcache status
    """
    from logcache_assets.cli import status as command

    emit(command.run(_configured()), command.render, as_json=as_json)


@logcache.command()
@click.argument("transaction", required=False)
@json_option
def datasets(transaction: str | None, *, as_json: bool) -> None:
    """Show what a metapod TRANSACTION holds: name, state, rows, path; by default the newest test run.

    \b
    logcache datasets
    logcache datasets 49ae32bb-c260-4622-ac10-753cfd8fa7b3
    """
    from logcache_assets.cli import datasets as command

    emit(command.run(_configured(), transaction), command.render, as_json=as_json)


@logcache.command()
@root_option
@index_option
@click.option("--definitions", type=EXISTING_FOLDER, required=True, help="Folder of <database>.yaml.")
@until_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Gets DATASET/*.parquet.")
@click.option("--map", "log_map", type=EXISTING_FILE, help="A log cache map, to start from its caches.")
@databases_option
@click.option(
    "--kinds", default="entity,history,snapshot", show_default=True, metavar="A,B", help="Kinds of contracts."
)
@driver_option
@json_option
def contracts(
    *,
    out: Path,
    databases: str,
    kinds: str,
    driver: Literal["local", "spark"],
    as_json: bool,
    **files: Any,  # noqa: ANN401 - the options' paths
) -> None:
    """Compute contracts from logs on disk, outside Dagster. PII columns are hashed with LOGCACHE_PII_KEY.

    \b
    logcache contracts --root .logcache/buckets --index index.jsonl --definitions .logcache/catalog --out contracts
    """
    from logcache_assets.cli import contracts as command
    from logcache_assets.domain.definitions import KINDS
    from logcache_assets.local_platform.world import pii_key

    chosen = tuple(kind for kind in KINDS if kind in _names(kinds))
    if unknown := set(_names(kinds)) - set(KINDS):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; kinds are {', '.join(KINDS)}", param_hint="--kinds")
    key = pii_key(_configured())
    inputs, names = command.Inputs(**files), _names(databases)
    result = command.run(inputs, out=out, databases=names, kinds=chosen, driver=driver, pii_key=key, tell=tell)
    emit(result, command.render, as_json=as_json)


@logcache.command()
@root_option
@index_option
@until_option
@click.option(
    "--map", "map_file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The map to write."
)
@databases_option
@driver_option
@json_option
def cache(
    *,
    map_file: Path,
    databases: str,
    driver: Literal["local", "spark"],
    as_json: bool,
    **files: Any,  # noqa: ANN401 - the options' paths
) -> None:
    """Write cached logs below ROOT/<permanent bucket>/cache from segments on disk, and a map that points to them.

    \b
    logcache cache --root .logcache/buckets --index index.jsonl --until until.json --map map.json
    logcache contracts --map map.json ...      then starts from these caches
    """
    from logcache_assets.cli import cache as command

    inputs, names, locations = command.Inputs(**files), _names(databases), _configured().locations
    result = command.run(inputs, map_file=map_file, databases=names, locations=locations, driver=driver, tell=tell)
    emit(result, command.render, as_json=as_json)


@logcache.command()
@click.argument("yesterday", type=EXISTING_FOLDER)
@click.argument("today", type=EXISTING_FOLDER)
@click.option("--definitions", type=EXISTING_FOLDER, required=True, help="Folder of <database>.yaml.")
@click.option("--root", type=EXISTING_FOLDER, help="A folder per bucket: s3://b/k is ROOT/b/k.")
@click.option("--index", type=EXISTING_FILE, help="Index items, one JSON object a line.")
@click.option("--after", type=EXISTING_FILE, help='JSON {"feed-s0": t}: yesterday\'s t of every instance.')
@until_option
@click.option("--map", "log_map", type=EXISTING_FILE, help="A log cache map: only segments after its caches are read.")
@click.option("--rules", type=EXISTING_FILE, help="Severities, thresholds and the allow-list, as YAML.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Gets verdict.json and the report.")
@databases_option
@driver_option
@json_option
def validate(
    *,
    out: Path | None,
    databases: str,
    driver: Literal["local", "spark"],
    as_json: bool,
    **files: Any,  # noqa: ANN401 - the options' paths
) -> None:
    """Compare the contracts of TODAY with those of YESTERDAY, and explain every difference by the log.

    YESTERDAY and TODAY are folders <dataset name>/*.parquet. With --root, --index and --after the datoms since
    yesterday explain what differs; without them every difference is unexplained. Hashed personal data is verified with
    LOGCACHE_PII_KEY. Exit code 0 if approved, 1 if refused.

    \b
    logcache validate yesterday today --definitions contracts
    logcache validate yesterday today --definitions contracts --root buckets --index index.jsonl --after yesterday.json
    """
    from logcache_assets.cli import validate as command
    from logcache_assets.local_platform.world import find_pii_key

    inputs, key = command.Inputs(**files), find_pii_key(_configured(), tell)
    verdict = command.run(inputs, out=out, databases=_names(databases), driver=driver, pii_key=key, tell=tell)
    emit(command.document(verdict), command.render, as_json=as_json)
    if not verdict.approved:
        click.get_current_context().exit(1)


@logcache.command()
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN...")
@click.option("--tables", type=EXISTING_FOLDER, required=True, help="Holds <dataset name>/*.parquet.")
@click.option("--definitions", type=EXISTING_FOLDER, required=True, help="Folder of <database>.yaml.")
@json_option
def reveal(tokens: tuple[str, ...], *, tables: Path, definitions: Path, as_json: bool) -> None:
    """Find the rows that TOKENs of a report stand for, where the contracts are; needs LOGCACHE_PII_KEY.

    \b
    logcache reveal 3ec58288495adcc6 --tables today --definitions contracts
    """
    from logcache_assets.cli import reveal as command
    from logcache_assets.local_platform.world import find_pii_key

    result = command.run(tokens, tables=tables, definitions=definitions, pii_key=find_pii_key(_configured(), tell))
    emit(result, command.render, as_json=as_json)


@logcache.group()
def catalog() -> None:
    """The contract definitions from which the assets are made.

    \b
    logcache catalog pull          renew them from the itaipu repository
    """


@catalog.command("pull")
@json_option
def catalog_pull(*, as_json: bool) -> None:
    """Copy the definitions from the itaipu repository's main branch into the catalog folder.

    \b
    logcache catalog pull
    """
    from logcache_assets.cli import catalog as command

    emit(command.pull(_configured()), command.render, as_json=as_json)


logcache.add_command(local)


def _exit_code(command: Callable[[], object], *, as_json: bool) -> int:
    try:
        code = command()
    except LogCacheError as error:
        if as_json:
            sys.stdout.write(json.dumps({"error": str(error)}, indent=2, ensure_ascii=False) + "\n")
        sys.stderr.write(f"logcache: {error}\n")
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("logcache: interrupted; run the command again, it goes on where it stopped\n")
        return 130
    return code if isinstance(code, int) else 0


def main() -> None:
    """The console script."""
    as_json = "--json" in sys.argv
    sys.exit(_exit_code(lambda: logcache(standalone_mode=False), as_json=as_json))


if __name__ == "__main__":
    main()
