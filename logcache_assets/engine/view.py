"""One instance while its contracts are computed: its facts by attribute, its schema, the instants of its txes."""

from functools import cached_property
from typing import Self

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.engine.layout import END, FACTS_SCHEMA, TX_BASE, EngineError
from logcache_assets.engine.schema import TX_INSTANT, DatomicSchema, read_schema
from logcache_assets.engine.values import parse_values


class InstanceView:
    """Facts to ask; t_to is END where a fact is open.

    Args:
        instance: whose they are.
        facts: as fold_datoms gives them.
    """

    def __init__(self, instance: Instance, facts: pl.DataFrame) -> None:
        self.instance = instance
        self.schema: DatomicSchema = read_schema(facts)
        self.facts = facts.with_columns(pl.col("t_to").fill_null(END))
        self._by_attribute: dict[str, pl.DataFrame] = {}

    @cached_property
    def now(self) -> Self:
        """The same instance with its open facts only: all that entity contracts need."""
        return type(self)(self.instance, self.facts.filter(pl.col("t_to") == END).with_columns(t_to=_NO_T))

    def facts_of(self, attribute: str) -> pl.DataFrame:
        """The facts of an attribute (without its colon), sorted by e and t_from; none when the schema lacks it."""
        if attribute not in self._by_attribute:
            found = self.schema.attributes.get(attribute)
            wanted = pl.col("a") == found.id if found else pl.lit(False)
            facts = self.facts.filter(wanted).select("e", "v", "t_from", "t_to").sort("e", "t_from")
            self._by_attribute[attribute] = facts
        return self._by_attribute[attribute]

    @cached_property
    def _instants(self) -> pl.DataFrame:
        facts = self.facts.filter(pl.col("a") == TX_INSTANT, pl.col("t_to") == END)
        return facts.select(pl.col("e") - TX_BASE, parse_values(facts["v"], "instant").alias("db__tx_instant")).unique(
            "e"
        )

    def instants_of(self, ts: pl.Series) -> pl.Series:
        """The instant of the tx at each t; a tx without one proves that the log is not whole."""
        asked = ts.to_frame("e")
        found = asked.join(self._instants, on="e", how="left", maintain_order="left")["db__tx_instant"]
        if found.null_count():
            t = ts.filter(found.is_null())[0]
            raise EngineError(
                f"{self.instance.name}: the tx at t {t} has no :db/txInstant, so the log is not whole; "
                "check the segments around that t"
            )
        return found


_NO_T = pl.lit(None, FACTS_SCHEMA["t_to"])
