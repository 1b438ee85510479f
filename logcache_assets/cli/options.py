"""Options that several commands share."""

from pathlib import Path

import click


def names_of(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Split comma-separated names, `feed,customers`; returns an empty tuple if the option is not given."""
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not names:
        raise click.BadParameter(f"{text!r} has no name; write for example feed,customers, or leave the option out")
    return names


EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
databases_option = click.option(
    "--databases", callback=names_of, metavar="A,B", help="Only these databases; default: all of them."
)
root_option = click.option(
    "--root", type=EXISTING_FOLDER, required=True, help="A folder with a folder per bucket: s3://b/k is ROOT/b/k."
)
index_option = click.option("--index", type=EXISTING_FILE, required=True, help="Index items, one JSON object a line.")
until_option = click.option(
    "--until", type=EXISTING_FILE, help='JSON {"feed-s0": t}: read each log up to and with t; default: all of it.'
)
driver_option = click.option(
    "--driver",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where the work runs; spark needs the extra `spark` and Java.",
)
