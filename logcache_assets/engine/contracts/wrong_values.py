"""Values that the type of their column cannot hold: an error if a row shows one, and nothing otherwise."""

import polars as pl

from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.cells import Cells
from logcache_assets.engine.facts.timelines import INTERVAL
from logcache_assets.engine.storage.schemas import END, FACTS_SCHEMA

WRONG_FACT = ("attribute", "holder", "asserted", "value_type")
WRONG = (*INTERVAL, *WRONG_FACT)
"""Columns of wrong values: an interval in which entity `e` would show one; the attribute and entity that have it, the t
of its assertion, and the type that cannot hold it."""

NONE_WRONG = pl.DataFrame(
    schema={**dict.fromkeys(WRONG, FACTS_SCHEMA["e"]), "attribute": pl.String(), "value_type": pl.String()}
)


def find_wrong(cells: Cells[str], facts: pl.DataFrame, wrong: pl.Series, value_type: str) -> pl.DataFrame:
    """The wrong ones of some facts, whose cells are given; `asserted` is the t of each fact's assertion."""
    found = facts.filter(wrong)
    attribute, holder = cells.attributes_of(found["e"]), cells.entities_of(found["e"])
    named = found.with_columns(attribute.alias("attribute"), holder.alias("holder"), value_type=pl.lit(value_type))
    return named.select(WRONG)


def refuse_shown(rows: pl.DataFrame, wrong: pl.DataFrame, *, instance_name: str) -> None:
    """Raise EngineError if a row shows a wrong value.

    Args:
        rows: their entity `e`; rows of histories also have `db__t`, others show what holds at the end.
        wrong: wrong values of one column.
        instance_name: named in the error.
    """
    begun = _begun(rows, wrong)
    _refuse(begun.filter(pl.col("t") < pl.col("t_to")), instance_name)


def refuse_keys(keyless: pl.DataFrame, wrong: pl.DataFrame, *, instance_name: str) -> None:
    """Raise EngineError if there are rows whose key is a wrong value; a history shows a key after its end, too."""
    _refuse(_begun(keyless, wrong).sort("t_from").unique(["e", "t"], keep="last"), instance_name)


def _begun(rows: pl.DataFrame, wrong: pl.DataFrame) -> pl.DataFrame:
    """The wrong values of each row's entity that have begun by its `t`."""
    t = pl.col("db__t") if "db__t" in rows.columns else pl.lit(END - 1)
    return rows.select("e", t=t).join(wrong, on="e").filter(pl.col("t_from") <= pl.col("t"))


def _refuse(shown: pl.DataFrame, instance_name: str) -> None:
    if shown.is_empty():
        return
    attribute, holder, t, value_type = shown.sort("asserted", "holder").select(WRONG_FACT).row(0)
    raise EngineError(
        f"{instance_name}: {attribute} of entity {holder} has a value at t {t} that the column of a "
        f":db.type/{value_type} cannot hold; correct it upstream, or take the attribute out of the definition"
    )
