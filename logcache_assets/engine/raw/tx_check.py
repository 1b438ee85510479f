"""Checks the columns of a log that repeat what its datoms say: the tx of each t, and its instant."""

import polars as pl

from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.values import parse_integers
from logcache_assets.engine.storage.schemas import TX_BASE


class TxCheck:
    """Finds the txes of one log whose `tx` or `tx_instant` is not that of their datoms, file after file."""

    def __init__(self) -> None:
        self._columns: list[pl.DataFrame] = []
        self._datoms: list[pl.DataFrame] = []

    def add(self, log: pl.DataFrame) -> None:
        """Add datoms; columns of LOG_SCHEMA."""
        instant = pl.col("tx_instant").cast(pl.Int64)
        self._columns.append(log.select("t", "tx", instant).unique())
        own = log.filter(pl.col("a") == TX_INSTANT, pl.col("e") == TX_BASE + pl.col("t"), pl.col("added"))
        self._datoms.append(own.select("t", said=parse_integers(own["v"], "instant")))

    def count_wrong(self) -> int:
        """How many t have another tx than TX_BASE + t, several instants, or another one than they assert."""
        if not self._columns:
            return 0
        found = pl.concat(self._columns).unique()
        said = pl.concat(self._datoms).unique()
        several = found["t"].filter(found["t"].is_duplicated())
        joined = found.join(said, on="t", how="left")
        is_wrong = (pl.col("tx") != TX_BASE + pl.col("t")) | pl.col("tx_instant").ne_missing(pl.col("said"))
        return pl.concat([several, joined.filter(is_wrong)["t"]]).n_unique()
