"""Finds the causes, in log or definition, for which a row may differ from yesterday's; each is a bit.

expectation.py finds which entities they reach, explanation.py what they explain.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.domain.contract_definitions import IDENT_REF, ContractTable
from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.figures import EXPLANATIONS, Explanation
from logcache_assets.engine.contracts.columns import primary_key
from logcache_assets.engine.facts.datomic_schema import IDENT, DatomicSchema
from logcache_assets.engine.facts.fold import without_empty
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.facts.values import column_names

BITS: Mapping[Explanation, int] = {name: 1 << n for n, name in enumerate(EXPLANATIONS)}
TOUCHED, REFERRED, RENAMED, EXCISED, REDEFINED = (BITS[name] for name in EXPLANATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The causes on one prototype, for one contract."""

    after_t: int
    """Yesterday's t."""
    columns: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Bit → the columns that this cause may change; a bit that is missing may change any."""
    former_names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Column → names that its idents had yesterday or since and that no ident has now. `""` stands for null, which a
    column shows while its attribute, or what it refers to, has another name or none."""
    complete: int = 0
    """If not 0, every row that the log shows is recorded, and these bits explain why any other row is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCauses:
    """What may change the rows of one kind of entity on one instance, besides the entities' own datoms."""

    renamed: frozenset[str]
    """Columns whose name now means another attribute than yesterday, or none."""
    idents: Mapping[str, pl.Series]
    """Column → ids of the idents it may show whose name changed since yesterday."""
    redefined: frozenset[str]
    """Columns whose definition or attribute's type changed."""
    excised: bool
    """Whether segments of yesterday's log were extracted again."""
    former_names: frozenset[str] = frozenset()
    """Names, as cells show them, that idents had yesterday or since and that no ident has now."""

    @property
    def everywhere(self) -> bool:
        """Whether every entity may be affected."""
        return bool(self.renamed or self.redefined or self.excised)

    @property
    def whole(self) -> bool:
        """Whether history rows up to yesterday's t may change too."""
        return self.everywhere or any(len(ids) for ids in self.idents.values())

    def reaches(self, column: str) -> bool:
        """Whether something other than its entities' own datoms may change a column."""
        named = column in self.renamed | self.redefined or len(self.idents.get(column, ())) > 0
        return named or self.excised

    def bits(self) -> int:
        """The bits of the causes that reach every entity."""
        return RENAMED * bool(self.renamed) | REDEFINED * bool(self.redefined) | EXCISED * self.excised

    def scope(self, table: ContractTable, *, after_t: int) -> Scope:
        """The causes for one contract, on the prototype of this instance."""
        by_ident = frozenset(column for column, ids in self.idents.items() if len(ids))
        by_ref = {a.column for a in table.attributes if a.ref and a.ref != IDENT_REF}
        rows = row_columns(table)
        gone = RENAMED * bool(rows & self.renamed) | REDEFINED * bool(rows & self.redefined) | EXCISED * self.excised
        return Scope(
            after_t=after_t,
            columns={REFERRED: frozenset(by_ref), RENAMED: self.renamed | by_ident, REDEFINED: self.redefined},
            former_names=dict.fromkeys(self.renamed, frozenset({""})) | dict.fromkeys(by_ident, self.former_names),
            complete=gone,
        )


def row_columns(table: ContractTable) -> frozenset[str]:
    """The columns whose attributes decide which rows a table has: the primary key, and a history's attribute."""
    return frozenset(a.column for a in (primary_key(table.entity), *table.row_attributes))


def find_causes(
    entity: ContractEntity,
    *,
    before: DatomicSchema,
    today: DatomicSchema,
    redefined: frozenset[str],
    excised: bool,
) -> EntityCauses:
    """Find what may change the rows of one kind of entity, by comparing the schemas of both days.

    Args:
        entity: the kind of entity.
        before: the schema as of yesterday's t.
        today: the schema as of today's t.
        redefined: columns whose definition changed.
        excised: whether segments of yesterday's log were extracted again.
    """
    shown = (primary_key(entity), *entity.attributes)
    renamed = {a.column for a in shown for name in _names(a) if _is_renamed(name, before, today)}
    retyped = {a.column for a in shown for name in _names(a) if _is_retyped(name, before, today)}
    ids = renamed_idents(before, today)
    idents = {a.column: ids for a in entity.attributes if a.ref == IDENT_REF}
    return EntityCauses(
        renamed=frozenset(renamed),
        idents=idents,
        redefined=redefined | frozenset(retyped),
        excised=excised,
    )


def find_former_names(facts: InstanceFacts, *, after_t: int) -> frozenset[str]:
    """Names, as cells show them, that idents had at after_t or since and that no ident has now.

    Includes `""`, which stands for null, if an entity got its first name since: a reader of the older log shows null.
    """
    names = without_empty(facts.of({IDENT: "string"}, after_t=after_t)[IDENT])
    shown = names.select("e", "t_from", is_current=pl.col("t_to").is_null(), v=column_names(names["v"]))
    now, then = shown.filter("is_current"), shown.filter(pl.col("t_from") <= after_t)
    unseen = {""} if len(now.join(then, on="e", how="anti")) else set()
    return frozenset({*unseen, *shown.filter(~pl.col("is_current"))["v"]}) - frozenset(now["v"])


def _names(attribute: ContractAttribute) -> Iterator[str]:
    yield attribute.attribute
    if attribute.ref and attribute.ref != IDENT_REF:
        yield attribute.ref


def _is_renamed(name: str, before: DatomicSchema, today: DatomicSchema) -> bool:
    """Whether a name means another attribute than yesterday; False for a new one, which had no facts yesterday."""
    was, is_now = before.attributes.get(name), today.attributes.get(name)
    if was is None:
        return is_now is not None and is_now.id in before.types
    return is_now is None or was.id != is_now.id


def _is_retyped(name: str, before: DatomicSchema, today: DatomicSchema) -> bool:
    was, is_now = before.attributes.get(name), today.attributes.get(name)
    both = was is not None and is_now is not None and was.id == is_now.id
    return both and was != is_now


def renamed_idents(before: DatomicSchema, today: DatomicSchema) -> pl.Series:
    """Ids of the entities whose ident was added, changed or removed since yesterday."""
    both = before.idents.join(today.idents, on="id", how="full", suffix="_now", coalesce=True)
    return both.filter(pl.col("ident").ne_missing(pl.col("ident_now")))["id"]
