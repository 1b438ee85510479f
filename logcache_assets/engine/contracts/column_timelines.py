"""Turns the facts of an attribute into the timeline of a column: typed, with refs followed and personal data hashed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import polars as pl

from logcache_assets.domain.contract_definitions import IDENT_REF
from logcache_assets.domain.contract_entities import ContractAttribute
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.contracts.wrong_values import NONE_WRONG, find_wrong
from logcache_assets.engine.facts.cells import Cells
from logcache_assets.engine.facts.datomic_schema import DatomicSchema
from logcache_assets.engine.facts.fold import without_empty
from logcache_assets.engine.facts.index_order import index_places
from logcache_assets.engine.facts.timelines import INTERVAL, follow_refs, many_valued, one_valued
from logcache_assets.engine.facts.values import (
    INTEGER_TYPES,
    distinct_texts,
    hash_texts,
    parse_values,
    shown_texts,
    typed_integers,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a column shows for each entity, and the values among it that its type cannot hold."""

    timeline: pl.DataFrame
    """Columns of timelines.TIMELINE; personal data that may be listed has its hashes in `shown`, beside the value."""
    wrong: pl.DataFrame
    """Columns of wrong_values.WRONG; the timeline is null there."""


@dataclass(frozen=True, slots=True)
class FactsOfCells:
    """The facts of one attribute, or of several that are treated alike."""

    cells: Cells[str]
    frame: pl.DataFrame
    """Columns of fold.FACTS and `asserted`, sorted by e, which is a number of `cells`."""

    def that_hold(self) -> "FactsOfCells":
        """Those that hold at some t."""
        return FactsOfCells(self.cells, without_empty(self.frame))


Targets = Callable[[Column], Shown]
"""Gives what the attribute that a column's ref leads to shows, for all referred entities."""


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


def column_timeline(column: Column, facts: FactsOfCells, context: InstanceContext, targets: Targets) -> Shown:
    """Compute the timeline of a column, or of the cells of several that are treated alike.

    Args:
        column: the column, or any of them.
        facts: the facts of their attributes that hold at some t, as InstanceReader.read_alike gives them.
        context: the instance's.
        targets: called if the column's ref leads to an attribute.
    """
    pii = column.attribute.pii
    chosen = facts if column.many else first_values(column.attribute.attribute, facts, context)
    match column.attribute.ref:
        case None:
            shown = typed_facts(chosen, column.value_type or "string", context, pii=pii)
        case str(ref) if ref == IDENT_REF:
            refs = _refs(chosen)
            named = FactsOfCells(facts.cells, _resolve_idents(refs.timeline, context))
            shown = Shown(typed_facts(named, "keyword", context, pii=pii).timeline, refs.wrong)
        case _:
            shown = _follow(_refs(chosen), targets(column))
    if column.many:
        return Shown(many_valued(shown.timeline), shown.wrong)
    return single(shown)


def first_values(attribute: str, facts: FactsOfCells, context: InstanceContext) -> FactsOfCells:
    """Facts of which one holds at each t: of several, the first in Datomic's index, whatever is then shown of it."""
    known = context.schema.attributes.get(attribute)
    if known is None:
        return facts
    return FactsOfCells(facts.cells, one_valued(facts.frame, partial(index_places, value_type=known.value_type)))


def single(shown: Shown) -> Shown:
    """What a column of cardinality one shows: of personal data, the hash."""
    timeline = shown.timeline
    return Shown(timeline.select(*INTERVAL, value="shown"), shown.wrong) if "shown" in timeline.columns else shown


def typed_facts(facts: FactsOfCells, value_type: str, context: InstanceContext, *, pii: bool = False) -> Shown:
    """Facts as intervals with a typed `value`; personal data has a text there and its hash in `shown`."""
    frame = facts.frame
    if pii:
        hashes = hash_texts(shown_texts(frame["v"], value_type), context.pii_key).alias("shown")
        return Shown(frame.select(*INTERVAL, distinct_texts(frame["v"], value_type).alias("value"), hashes), NONE_WRONG)
    if value_type in INTEGER_TYPES:
        values = typed_integers(frame["n"], value_type)
    else:
        values = parse_values(frame["v"], value_type)
    wrong = find_wrong(facts.cells, frame, values.is_null(), value_type) if values.null_count() else NONE_WRONG
    return Shown(frame.select(*INTERVAL, values.alias("value")), wrong)


def _refs(facts: FactsOfCells) -> Shown:
    """Intervals with the referred entity in `n`."""
    frame = facts.frame
    wrong = find_wrong(facts.cells, frame, frame["n"].is_null(), "ref") if frame["n"].null_count() else NONE_WRONG
    return Shown(frame.select(*INTERVAL, "n"), wrong)


def _follow(refs: Shown, targets: Shown) -> Shown:
    timeline = follow_refs(refs.timeline, targets.timeline)
    if targets.wrong.is_empty():
        return Shown(timeline, refs.wrong)
    return Shown(timeline, pl.concat([refs.wrong, follow_refs(refs.timeline, targets.wrong)]))


def _resolve_idents(refs: pl.DataFrame, context: InstanceContext) -> pl.DataFrame:
    """Refs as facts with the ident of the referred entity in `v`; refs to entities without an ident are left out."""
    found = refs.join(context.schema.idents, left_on="n", right_on="id", how="inner", maintain_order="left")
    return found.rename({"ident": "v"})
