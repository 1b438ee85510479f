"""Tokens name rows whose keys must not be shown; a row always has the same token under the deployment's key."""

import hashlib
import hmac
from collections.abc import Iterator

import polars as pl

from logcache_assets.engine.compare.contract_files import key_text

DIGITS = 16
"""Hex digits of the HMAC in a token: 64 bits, so that hundreds of millions of rows hardly ever share one."""


def row_token(key: bytes, column: str, primary_key: str, prototype: str) -> str:
    """The token of an entity, the same in all its contracts.

    Args:
        key: the deployment's key of personal data.
        column: the column of the primary key, such as `transaction__id`.
        primary_key: its value, as contract_files.key_text gives it.
        prototype: the entity's prototype.
    """
    text = f"row\0{column}\0{primary_key}\0{prototype}"
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:DIGITS]


def name_token(key: bytes, name: str) -> str:
    """The token of a name that somebody else gave to a column or a prototype."""
    return hmac.digest(key, f"name\0{name}".encode(errors="surrogatepass"), hashlib.sha256).hex()[:DIGITS]


def row_tokens(key: bytes, rows: pl.DataFrame) -> Iterator[str]:
    """Yield the token of each row of a frame whose columns are the primary key and the prototype."""
    column = rows.columns[0]
    texts = rows.select(key_text(pl.col(column), rows.schema[column]), "prototype")
    return (row_token(key, column, text or "", prototype or "") for text, prototype in texts.iter_rows())
