"""`logcache contracts | cache | validate | reveal`: declares the commands that work on folders, without a platform.

Each command is implemented in the module of its name. As in main.py, nothing heavy is imported before one runs.
"""

from pathlib import Path
from typing import Any, Literal

import click

from logcache_assets.cli.options import (
    EXISTING_FILE,
    EXISTING_FOLDER,
    INDEX,
    INDEX_HELP,
    PLACE,
    ROOT_HELP,
    databases_option,
    driver_option,
    index_option,
    json_option,
    names_of,
    root_option,
    until_option,
)
from logcache_assets.cli.output import emit, tell
from logcache_assets.settings import load_settings


@click.command()
@root_option
@index_option
@click.option("--definitions", type=EXISTING_FOLDER, required=True, help="Folder of <database>.yaml.")
@until_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for DATASET/*.parquet."
)
@click.option("--map", "log_map", type=EXISTING_FILE, help="Start from the caches of this log cache map.")
@databases_option
@click.option("--kinds", callback=names_of, metavar="A,B", help="Only these kinds of contracts; default: all of them.")
@driver_option
@json_option
def contracts(
    *,
    out: Path,
    databases: tuple[str, ...],
    kinds: tuple[str, ...],
    driver: Literal["local", "spark"],
    as_json: bool,
    **files: Any,  # noqa: ANN401 - the options' paths
) -> None:
    """Compute contracts from logs on disk, outside Dagster. LOGCACHE_PII_KEY is the key that hashes PII columns.

    \b
    logcache contracts --root .logcache/buckets --index index.jsonl --definitions .logcache/catalog --out contracts
    logcache contracts --root .logcache/buckets --index dynamodb:segments ...
    """
    from logcache_assets.cli import contracts as command
    from logcache_assets.deployment_key import deployment_key
    from logcache_assets.domain.kinds import KIND_NAMES

    chosen = tuple(kind for kind in KIND_NAMES if not kinds or kind in kinds)
    if unknown := set(kinds) - set(KIND_NAMES):
        raise click.BadParameter(
            f"{', '.join(sorted(unknown))}; kinds are {', '.join(sorted(KIND_NAMES))}", param_hint="--kinds"
        )
    inputs, key = command.Inputs(**files), deployment_key(load_settings())
    result = command.run(inputs, out=out, databases=databases, kinds=chosen, driver=driver, pii_key=key, tell=tell)
    emit(result, command.render, as_json=as_json)


@click.command()
@root_option
@index_option
@until_option
@click.option(
    "--definitions",
    type=EXISTING_FOLDER,
    help="Folder of <database>.yaml, whose instances are cached; default: all of the index's file.",
)
@click.option(
    "--map", "map_file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The map to write."
)
@databases_option
@driver_option
@json_option
def cache(
    *,
    map_file: Path,
    databases: tuple[str, ...],
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

    inputs, locations = command.Inputs(**files), load_settings().locations
    result = command.run(inputs, map_file=map_file, databases=databases, locations=locations, driver=driver, tell=tell)
    emit(result, command.render, as_json=as_json)


@click.command()
@click.argument("yesterday", type=PLACE)
@click.argument("today", type=PLACE)
@click.option("--definitions", type=EXISTING_FOLDER, required=True, help="Folder of <database>.yaml.")
@click.option("--root", type=PLACE, help=ROOT_HELP)
@click.option("--index", type=INDEX, help=INDEX_HELP)
@click.option("--after", type=EXISTING_FILE, help='JSON {"feed-s0": t}: yesterday\'s t of every instance.')
@until_option
@click.option("--map", "log_map", type=EXISTING_FILE, help="Start from the caches of this log cache map.")
@click.option("--rules", type=EXISTING_FILE, help="YAML with severities, thresholds and the allow-list.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for verdict.json and the report.")
@databases_option
@driver_option
@json_option
def validate(
    *,
    out: Path | None,
    databases: tuple[str, ...],
    driver: Literal["local", "spark"],
    as_json: bool,
    **files: Any,  # noqa: ANN401 - the options' paths
) -> None:
    """Compare the contracts of TODAY with those of YESTERDAY, and explain every difference from the log.

    YESTERDAY and TODAY are folders <dataset name>/*.parquet, here or on S3. --root, --index and --after give the
    log, whose newer datoms explain what differs; without a log every difference is unexplained. LOGCACHE_PII_KEY is
    the key that verifies hashed personal data. Exit code 0 if approved, 1 if refused.

    \b
    logcache validate yesterday today --definitions contracts
    logcache validate yesterday today --definitions contracts --root buckets --index index.jsonl --after yesterday.json
    logcache validate s3://ephemeral/T1 s3://ephemeral/T2 --definitions contracts
    """
    from logcache_assets.cli import validate as command
    from logcache_assets.deployment_key import find_deployment_key

    inputs, key = command.Inputs(**files), find_deployment_key(load_settings(), tell)
    verdict = command.run(inputs, out=out, databases=databases, driver=driver, pii_key=key, tell=tell)
    emit(verdict, command.render, as_json=as_json, to_json=command.document)
    if not verdict.approved:
        click.get_current_context().exit(1)


@click.command()
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN...")
@click.option("--tables", type=PLACE, required=True, help="Folder of <dataset name>/*.parquet.")
@click.option("--definitions", type=EXISTING_FOLDER, required=True, help="Folder of <database>.yaml.")
@json_option
def reveal(tokens: tuple[str, ...], *, tables: Path | str, definitions: Path, as_json: bool) -> None:
    """Find the rows that the TOKENs of a report stand for; needs the contracts and LOGCACHE_PII_KEY.

    \b
    logcache reveal 3ec58288495adcc6 --tables today --definitions contracts
    """
    from logcache_assets.cli import reveal as command
    from logcache_assets.deployment_key import find_deployment_key

    key = find_deployment_key(load_settings(), tell)
    result = command.run(tokens, tables=tables, definitions=definitions, pii_key=key)
    emit(result, command.render, as_json=as_json)


FOLDER_COMMANDS = (contracts, cache, validate, reveal)
