"""`logcache reveal`: from the tokens of a report to the rows that they stand for, for whoever holds the key."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import polars as pl

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.contract_folders import open_folders
from logcache_assets.cli.output import table
from logcache_assets.domain.definitions import ContractTable, contract_tables
from logcache_assets.engine.compare.contract_files import open_table
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_assets.errors import BadInput, Refused

Row = dict[str, object]


def run(tokens: tuple[str, ...], *, tables: Path, definitions: Path, pii_key: bytes | None) -> dict[str, object]:
    """Look for the tokens in every contract of a folder.

    Returns:
        `{"rows": [{"token", "dataset", "column", "primary_key", "prototype"}]}`.

    Raises:
        BadInput: no key, or a folder without contracts.
        Refused: a token that stands for no row here.
    """
    if pii_key is None:
        raise BadInput("tokens are keyed; set LOGCACHE_PII_KEY to the deployment's key")
    catalog, wanted = load_catalog(definitions), set(tokens)
    rows: list[Row] = []
    with open_folders({"tables": tables}) as store:
        for table_ in (t for definition in catalog for t in contract_tables(definition)):
            if next((tables / table_.dataset).glob("*.parquet"), None):
                rows += _find(table_, store, wanted, pii_key)
    found = {row["token"] for row in rows}
    if missing := [token for token in tokens if token not in found]:
        raise Refused(
            f"no row in {tables} has the token {missing[0]}; take the tables that the report is about, and the key "
            "that was set when it was made"
        )
    return {"rows": rows}


def _find(table_: ContractTable, store: FolderObjectStore, wanted: set[str], key: bytes) -> Iterator[Row]:
    """Every key of a contract that has one of the tokens, once."""
    column, prototype = table_.key[:2]
    opened, seen = open_table(f"s3://tables/{table_.dataset}", store, key=table_.key), set[str]()
    for piece in opened.pieces:
        keys = opened.read(piece, [column, prototype]).unique(maintain_order=True)
        is_bytes = keys.schema[column] == pl.Binary()
        shown = keys.select(pl.col(column).bin.encode("hex") if is_bytes else pl.col(column).cast(pl.String), prototype)
        for token, (value, shard) in zip(row_tokens(key, keys), shown.iter_rows(), strict=True):
            if token in wanted - seen:
                seen.add(token)
                yield {
                    "token": token,
                    "dataset": table_.dataset,
                    "column": column,
                    "primary_key": value,
                    "prototype": shard,
                }


def render(result: Mapping[str, object]) -> Iterator[str]:
    """One line per row."""
    names = ("token", "dataset", "column", "primary_key", "prototype")
    rows = cast("list[Row]", result["rows"])
    yield from table(("token", "dataset", "column", "primary key", "prototype"), [[r[n] for n in names] for r in rows])
