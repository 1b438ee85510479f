"""Turns the facts of an attribute into the timeline of a column: typed, with refs followed and personal data hashed."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.contract_definitions import IDENT_REF
from logcache_assets.domain.contract_entities import ContractAttribute
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.datomic_schema import DatomicSchema
from logcache_assets.engine.facts.timelines import INTERVAL, follow_refs, many_valued, one_valued
from logcache_assets.engine.facts.values import INTEGER_TYPES, hash_texts, parse_values, shown_texts, typed_integers

Targets = Callable[[Column], pl.DataFrame]
"""Gives the timeline of the attribute that a column's ref leads to, for all referred entities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceContext:
    """What all columns of an instance share."""

    instance: Instance
    schema: DatomicSchema
    pii_key: bytes
    """The key that personal data is hashed with."""


def type_to_read(attribute: ContractAttribute, own_type: str) -> str:
    """The type to read an attribute's facts as: its own, but personal data as string, because its text is hashed."""
    return "string" if attribute.pii and not attribute.ref else own_type


def column_timeline(column: Column, facts: pl.DataFrame, context: InstanceContext, targets: Targets) -> pl.DataFrame:
    """Compute the timeline of a column.

    Args:
        column: the column.
        facts: the facts of its attribute, read as type_to_read says; columns of fold.FACTS, t_to is END while open.
        context: the instance's.
        targets: called if the column's ref leads to an attribute.

    Returns:
        Columns of timelines.TIMELINE.

    Raises:
        EngineError: a type cannot hold a value; names instance, attribute, entity and t, but not the value.
    """
    match column.attribute.ref:
        case None:
            shown = typed_facts(column, column.attribute.attribute, facts, context)
        case str(ref) if ref == IDENT_REF:
            shown = typed_facts(column, ref, _resolve_idents(_refs(column, facts, context), context), context)
        case _:
            shown = follow_refs(_refs(column, facts, context), targets(column))
    if column.many:
        return many_valued(shown)
    single = one_valued(shown)
    return single.select(*INTERVAL, value="shown") if "shown" in single.columns else single


def typed_facts(column: Column, attribute: str, facts: pl.DataFrame, context: InstanceContext) -> pl.DataFrame:
    """Facts as intervals with a typed `value`; personal data has its text there and its hash in `shown`."""
    value_type = column.value_type or "string"
    if not column.attribute.pii:
        return _with_values(facts, value_type, attribute, context)
    hashes = hash_texts(shown_texts(facts["v"], value_type), context.pii_key)
    return _with_values(facts, value_type, attribute, context, as_text=True).with_columns(hashes.alias("shown"))


def _refs(column: Column, facts: pl.DataFrame, context: InstanceContext) -> pl.DataFrame:
    """Intervals with the referred entity in `n`."""
    _refuse_wrong(facts, facts["n"].is_null(), "ref", column.attribute.attribute, context)
    return facts.select(*INTERVAL, "n")


def _resolve_idents(refs: pl.DataFrame, context: InstanceContext) -> pl.DataFrame:
    """Refs as facts with the ident of the referred entity in `v`; refs to entities without an ident are left out."""
    found = refs.join(context.schema.idents, left_on="n", right_on="id", how="inner", maintain_order="left")
    return found.rename({"ident": "v"})


def _with_values(
    facts: pl.DataFrame, value_type: str, attribute: str, context: InstanceContext, *, as_text: bool = False
) -> pl.DataFrame:
    if value_type in INTEGER_TYPES and not as_text:
        values, given = typed_integers(facts["n"], value_type), pl.lit(True)
    else:
        values, given = parse_values(facts["v"], value_type), pl.col("v").is_not_null()
    if values.null_count():
        _refuse_wrong(facts, facts.select(given & values.is_null()).to_series(), value_type, attribute, context)
    return facts.select(*INTERVAL, values.alias("value"))


def _refuse_wrong(
    facts: pl.DataFrame, wrong: pl.Series, value_type: str, attribute: str, context: InstanceContext
) -> None:
    if wrong.any():
        e, t = facts.filter(wrong).select("e", "t_from").row(0)
        raise EngineError(
            f"{context.instance.name}: {attribute} of entity {e} has a value at t {t} that the column of a "
            f":db.type/{value_type} cannot hold; correct it upstream, or take the attribute out of the definition"
        )
