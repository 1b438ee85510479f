"""Options that several commands share."""

from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from logcache_assets.domain.plain_text import names_in
from logcache_assets.settings import load_settings


def names_of(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Split comma-separated names, `feed,customers`; returns an empty tuple if the option is not given."""
    names = names_in(text or "")
    if text is not None and not names:
        raise click.BadParameter(f"{text!r} has no name; write for example feed,customers, or leave the option out")
    return names


EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
databases_option = click.option(
    "--databases", callback=names_of, metavar="A,B", help="Only these databases; default: all of them."
)


class PlaceType(click.ParamType[Any]):
    """A folder of this computer, as a Path, or one on S3, as its URI; S3 is reached as the settings say."""

    name = "place"

    @override
    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "DIR|s3://…"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value.startswith(ON_S3):
            return value
        return EXISTING_FOLDER.convert(value, param, ctx)


ON_S3 = "s3://"
PLACE = PlaceType()
ROOT_HELP = "A folder with a folder per bucket: s3://b/k is ROOT/b/k; or `s3://`, S3 itself."
root_option = click.option("--root", type=PLACE, required=True, help=ROOT_HELP)


class IndexType(click.ParamType[Any]):
    """A file of index items, or `dynamodb:TABLE`, whose keys, region and endpoint are those of the settings."""

    name = "index"

    @override
    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "FILE|dynamodb:TABLE"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        scheme, colon, table = str(value).partition(":")
        if not colon or scheme != "dynamodb":
            return EXISTING_FILE.convert(value, param, ctx)
        if not table:
            self.fail("dynamodb: names no table; write for example dynamodb:segments", param, ctx)
        return load_settings().table_of_segments(table)


INDEX = IndexType()
INDEX_HELP = "Index items: a file, one JSON object a line, or a DynamoDB table."
index_option = click.option("--index", type=INDEX, required=True, help=INDEX_HELP)
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
