"""Tokens: how a row is named where its key must not be shown. Same row, same token, under the deployment's key."""

import hashlib
import hmac
from collections.abc import Iterator

import polars as pl

from logcache_assets.engine.compare.contract_files import key_text

DIGITS = 16
"""Of the HMAC's hex digits: 64 bits, so that even hundreds of millions of rows hardly share a token."""


def row_token(key: bytes, column: str, primary_key: str, prototype: str) -> str:
    """The token of an entity in all its contracts.

    Args:
        key: the deployment's key of personal data.
        column: of the primary key, `transaction__id`.
        primary_key: its value as tables.key_text has it.
        prototype: where the entity is.
    """
    text = f"row\0{column}\0{primary_key}\0{prototype}"
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:DIGITS]


def row_tokens(key: bytes, rows: pl.DataFrame) -> Iterator[str]:
    """The token of every row of a frame whose columns are the primary key and the prototype."""
    column = rows.columns[0]
    texts = rows.select(key_text(pl.col(column), rows.schema[column]), "prototype")
    return (row_token(key, column, text or "", prototype or "") for text, prototype in texts.iter_rows())
