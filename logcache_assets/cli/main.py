"""`logcache`: declares the commands that need the platform, and turns errors into exit codes.

Each command is implemented in the module of its name. Exit codes: 0 done, 1 refused or failed with a reason, 2 wrong
usage. `--help` must answer at once, so nothing heavy is imported before a command runs.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Literal

import click

from logcache_assets.cli.first_contact import shadow
from logcache_assets.cli.folder_commands import FOLDER_COMMANDS
from logcache_assets.cli.local_group import local
from logcache_assets.cli.options import databases_option, driver_option, json_option
from logcache_assets.cli.output import clear_progress, drop_output, emit, json_text, tell, write_result
from logcache_assets.errors import LogCacheError, WrongUsage
from logcache_assets.settings import load_settings

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
OBJECTS_PER_SEARCH = 100_000
"""How many new objects Python waits for before it searches for garbage. Nearly all objects of a command are modules and
what they define, which stay; frames go without a search. Searching after every 700, as is usual, takes 6 % of a short
command."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def logcache() -> None:
    """Refresh Itaipu's log cache, and show its state.

    \b
    logcache local demo      build a local world and run a whole refresh in it
    logcache refresh         refresh from the newest good nightly run
    logcache status          what is active, what is proposed
    logcache doctor          is every configured system there, and as it must be
    """


@logcache.command()
@databases_option
@click.option("--transaction", metavar="UUID", help="Build on this metapod transaction; a HOTFIX must be named.")
@click.option("--dry-run", is_flag=True, help="Say what would be refreshed, and from which transaction.")
@click.option("--again", is_flag=True, help="Start a new test run, even if an earlier one may be judged.")
@click.option("--verify-all", is_flag=True, help="Compare the logs with every segment, not only with the newer ones.")
@json_option
def refresh(  # noqa: PLR0913 - one parameter per option
    databases: tuple[str, ...],
    transaction: str | None,
    *,
    dry_run: bool,
    again: bool,
    verify_all: bool,
    as_json: bool,
) -> None:
    """Run one whole refresh: from a good nightly transaction to a pull request; exit code 1 if a database is left out.

    \b
    logcache refresh                       all databases of the catalog
    logcache refresh --databases feed      one; all other entries of the map stay byte for byte
    logcache refresh --dry-run             which transaction, which were rejected and why
    logcache refresh --again               compute the contracts anew, whatever was tried before
    """
    from logcache_assets.cli import refresh as command
    from logcache_assets.cli.refresh_result import Refreshed, render

    settings = load_settings()
    result = command.run(
        settings,
        databases=databases,
        transaction=transaction,
        dry_run=dry_run,
        say=tell,
        again=again,
        verify_all=verify_all,
    )
    emit(result, render, as_json=as_json)
    if isinstance(result, Refreshed) and result.left_out:
        click.get_current_context().exit(1)


@logcache.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show the active and the candidate t of every instance, the age of its cache, and the last verdict.

    \b
    logcache status
    """
    from logcache_assets.cli import status as command

    emit(command.run(load_settings()), command.render, as_json=as_json)


@logcache.command()
@click.option("--write", is_flag=True, help="Also try to write, below cache/_doctor/ of the permanent bucket.")
@json_option
def doctor(*, write: bool, as_json: bool) -> None:
    """Ask every configured system what a refresh will ask of it; exit code 1 if something must be remedied.

    \b
    logcache doctor
    logcache doctor --write
    """
    from logcache_assets.cli import doctor as command

    result = command.run(load_settings(), write=write, tell=tell)
    emit(result, command.render, as_json=as_json)
    if not result.is_well:
        click.get_current_context().exit(1)


@logcache.command()
@databases_option
@driver_option
@click.option("--dry-run", is_flag=True, help="Prove everything, and write nothing.")
@json_option
def adopt(databases: tuple[str, ...], *, driver: Literal["local", "spark"], dry_run: bool, as_json: bool) -> None:
    """Prove the caches of a map that was written by hand, and propose the map with their manifests.

    Files are neither moved nor changed: a manifest is written beside those whose log equals the segments of the index
    and whose entities are the facts of that log. Exit code 1 if an entry was left as it is; the reason says what to do.

    \b
    logcache adopt --dry-run
    logcache adopt --databases feed
    logcache adopt --driver spark
    """
    from logcache_assets.cli import adopt as command

    result = command.run(load_settings(), databases=databases, driver=driver, dry_run=dry_run, tell=tell)
    emit(result, command.render, as_json=as_json)
    if result.left:
        click.get_current_context().exit(1)


@logcache.command("check-merge")
@click.argument("ref", metavar="BRANCH-OR-SHA")
@json_option
def check_merge(ref: str, *, as_json: bool) -> None:
    """Say whether a branch or commit of the itaipu repository may be merged now; exit code 1 if it must not.

    \b
    logcache check-merge log-cache/2018-05-28-49ae32bb
    logcache check-merge 33a485bc
    """
    from logcache_assets.cli import check_merge as command

    emit(command.run(load_settings(), ref), command.render, as_json=as_json)


@logcache.command("verify-pull-request")
@click.argument("number", type=int)
@click.option("--no-status", is_flag=True, help="Do not set the status of its commit.")
@json_option
def verify_pull_request(number: int, *, no_status: bool, as_json: bool) -> None:
    """Judge pull request NUMBER again, and say on its page whether it may be merged now.

    Map, pointers, manifests, excisions since then, the verdict, and whether it is of this very commit. Exit code 1 if
    it must not be merged.

    \b
    logcache verify-pull-request 12
    logcache verify-pull-request 12 --json --no-status
    """
    from logcache_assets.cli import verify_pull_request as command

    result = command.run(load_settings(), number, keeps_status=not no_status)
    emit(result, command.render, as_json=as_json)
    if not result.may_be_merged:
        click.get_current_context().exit(1)


@logcache.command()
@click.argument("transaction", required=False)
@json_option
def datasets(transaction: str | None, *, as_json: bool) -> None:
    """Show the datasets of a metapod TRANSACTION with state, rows and path; default: the newest test run.

    \b
    logcache datasets
    logcache datasets 49ae32bb-c260-4622-ac10-753cfd8fa7b3
    """
    from logcache_assets.cli import datasets as command

    emit(command.run(load_settings(), transaction), command.render, as_json=as_json)


@logcache.command()
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@click.option("--dry-run", is_flag=True, help="Say what would be copied, what it costs, and until when.")
@click.option("--manifest", metavar="FILE", help="Write every copy with its checksum there: a path or an s3:// URI.")
@json_option
def copy(source: str, destination: str, *, dry_run: bool, manifest: str | None, as_json: bool) -> None:
    """Copy the folder SRC into the folder DST, both s3://, with proof of every object; nothing is overwritten.

    \b
    logcache copy s3://ephemeral/raw-feed-s0/log s3://permanent/cache/by-hand/feed-s0/log --dry-run
    logcache copy s3://ephemeral/raw-feed-s0/log s3://permanent/cache/by-hand/feed-s0/log --manifest copy.jsonl
    """
    from logcache_assets.cli import copy as command

    result = command.run(load_settings(), source, destination, dry_run=dry_run, manifest=manifest, tell=tell)
    emit(result, command.render, as_json=as_json)


@logcache.group()
def catalog() -> None:
    """Manage the catalog: the contract definitions that make the assets.

    \b
    logcache catalog pull          update it from the itaipu repository
    """


@catalog.command("pull")
@json_option
def catalog_pull(*, as_json: bool) -> None:
    """Copy the definitions from the itaipu repository's main branch into the catalog folder.

    \b
    logcache catalog pull
    """
    from logcache_assets.cli import catalog as command

    emit(command.pull(load_settings()), command.render, as_json=as_json)


@logcache.group()
def databricks() -> None:
    """Prepare Databricks, where LOGCACHE_NOTEBOOK=databricks runs the export notebook.

    \b
    logcache databricks upload     put this version's wheel and notebook there
    """


@databricks.command("upload")
@json_option
def databricks_upload(*, as_json: bool) -> None:
    """Put the wheel and the notebook of this version where clusters read them; what is there stays.

    \b
    logcache databricks upload     after each installation of another version
    """
    from logcache_assets.cli import databricks as command

    emit(command.upload(load_settings()), command.render, as_json=as_json)


logcache.add_command(local)
logcache.add_command(shadow)
for folder_command in FOLDER_COMMANDS:
    logcache.add_command(folder_command)


def run_command(arguments: Sequence[str]) -> int:
    """Run a command line, given without the program's name; prints errors and returns the exit code."""
    as_json = "--json" in arguments
    try:
        return _exit_code(lambda: logcache.main(list(arguments), "logcache", standalone_mode=False), as_json=as_json)
    finally:
        clear_progress()


def _exit_code(command: Callable[[], object], *, as_json: bool) -> int:
    try:
        code = command()
    except LogCacheError as error:
        if as_json:
            write_result(json_text({"error": str(error)}))
        tell(f"logcache: {error}")
        return 2 if isinstance(error, WrongUsage) else 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:  # of click, which prints the help
        drop_output()
        return 0
    except (click.Abort, KeyboardInterrupt):
        tell("logcache: interrupted; run the command again, it goes on where it stopped")
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the console script `logcache`."""
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_SEARCH)
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
