"""`logcache reveal`: finds the rows that the tokens of a report stand for; it needs the key of personal data."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from logcache_assets.catalog import load_catalog
from logcache_assets.cli.contract_folders import open_folders, place_of
from logcache_assets.cli.output import Result, table
from logcache_assets.domain.contract_definitions import ContractTable, contract_tables
from logcache_assets.engine.compare.contract_files import open_table
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_assets.errors import BadInput, Refused
from logcache_assets.ports import ObjectStore


class RevealedRow(Result, frozen=True, kw_only=True):
    """One row that a token stands for."""

    token: str
    dataset: str
    column: str
    """Column of the primary key."""
    primary_key: str | None
    """As text; bytes in hexadecimal."""
    prototype: str | None


class RevealResult(Result, frozen=True, kw_only=True):
    """The result of `logcache reveal`: rows by contract, in the order of the definitions."""

    rows: list[RevealedRow]


def run(tokens: tuple[str, ...], *, tables: Path | str, definitions: Path, pii_key: bytes | None) -> RevealResult:
    """Look for the tokens in every contract of a folder.

    Raises:
        BadInput: there is no key, or the folder has no contracts.
        Refused: a token stands for no row in this folder.
    """
    if pii_key is None:
        raise BadInput("tokens are keyed; set LOGCACHE_PII_KEY to the deployment's key")
    catalog, wanted = load_catalog(definitions), set(tokens)
    store = open_folders({"--tables": tables})
    rows: list[RevealedRow] = []
    for contract in (t for definition in catalog for t in contract_tables(definition)):
        place = place_of(contract.dataset, tables, store)
        if isinstance(place, str):
            rows += _find(contract, place, store, wanted, pii_key)
    found = {row.token for row in rows}
    if missing := [token for token in tokens if token not in found]:
        raise Refused(
            f"no row in {tables} has the token {missing[0]}; take the tables that the report is about, and the key "
            "that was set when it was made"
        )
    return RevealResult(rows=rows)


def _find(
    contract: ContractTable, place: str, store: ObjectStore, wanted: set[str], key: bytes
) -> Iterator[RevealedRow]:
    """The rows of one contract whose tokens are wanted, each token once."""
    column, prototype = contract.key[:2]
    opened, seen = open_table(place, store, key=contract.key), set[str]()
    for piece in opened.pieces:
        keys = opened.read(piece, [column, prototype]).unique(maintain_order=True)
        is_bytes = keys.schema[column] == pl.Binary()
        shown = keys.select(pl.col(column).bin.encode("hex") if is_bytes else pl.col(column).cast(pl.String), prototype)
        for token, (value, shard) in zip(row_tokens(key, keys), shown.iter_rows(), strict=True):
            if token in wanted - seen:
                seen.add(token)
                yield RevealedRow(
                    token=token, dataset=contract.dataset, column=column, primary_key=value, prototype=shard
                )


def render(result: RevealResult) -> Iterator[str]:
    """One line per row."""
    rows = [(r.token, r.dataset, r.column, r.primary_key, r.prototype) for r in result.rows]
    yield from table(("token", "dataset", "column", "primary key", "prototype"), rows)
