"""Options that several commands have."""

from pathlib import Path

import click

EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
databases_option = click.option(
    "--databases", default="", metavar="A,B", help="Only these databases; default: all of the catalog."
)
root_option = click.option(
    "--root", type=EXISTING_FOLDER, required=True, help="A folder per bucket: s3://b/k is ROOT/b/k."
)
index_option = click.option("--index", type=EXISTING_FILE, required=True, help="Index items, one JSON object a line.")
until_option = click.option(
    "--until", type=EXISTING_FILE, help='JSON {"feed-s0": t}, inclusive; default: the whole log.'
)
driver_option = click.option(
    "--driver",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where the work runs; spark is the extra `spark` and Java.",
)
