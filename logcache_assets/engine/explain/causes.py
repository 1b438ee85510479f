"""Why a row may differ from yesterday's: the causes that the log or the definition gives, found and written as bits.

Which entities they reach is found in expectation.py, what they explain in explanation.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.domain.definitions import IDENT_REF, ContractAttribute, ContractEntity, ContractTable
from logcache_assets.domain.figures import EXPLANATIONS, Explanation
from logcache_assets.engine.contracts.columns import primary_key
from logcache_assets.engine.facts.datomic_schema import IDENT, DatomicSchema
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.facts.values import column_names

BITS: Mapping[Explanation, int] = {name: 1 << n for n, name in enumerate(EXPLANATIONS)}
TOUCHED, REFERRED, RENAMED, EXCISED, REDEFINED = (BITS[name] for name in EXPLANATIONS)

WHY = {"present": pl.Boolean(), "why": pl.UInt8(), "why_t": pl.Int64()}
"""What a recorded row says beside its cells: whether the log shows it at all, the bits of its causes, and the last t at
which the log touched its entity. Not shown are keys that an entity has no more: `present` is null where it got and lost
them since yesterday, which says nothing of another entity's row of that key."""


EARLIER = "earlier:"
"""Prefix of the columns that list, as hashes, what a cell showed between both days before what it shows now."""
VALUE_SEED = 3
"""Of these hashes."""
MOVED = "moved:"
"""Prefix of the columns that tell whether a cell has another value than yesterday, where no more can be verified of it;
null where the log cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is known of the causes on one prototype, for one contract."""

    after_t: int
    """Yesterday's t."""
    columns: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Bit → the columns that this cause may change; what is not named may change any."""
    former_names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Column → names that its idents had yesterday or since, and that no ident has any more; `""` is null, which a
    column shows as long as its attribute, or what it refers to, has another name or none."""
    complete: int = 0
    """Where not 0, every row that the log shows is recorded, and these bits explain that another one is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCauses:
    """What may change rows of one kind of entity on one instance, beside the entities' own datoms."""

    renamed: frozenset[str]
    """Columns whose attribute is another one than yesterday under the same name, or has none any more."""
    idents: Mapping[str, pl.Series]
    """Column → ids of the idents that it may show and that have another name than yesterday."""
    redefined: frozenset[str]
    """Columns that the definition, or the attribute's type, changed."""
    excised: bool
    """Whether segments of yesterday's log were extracted again."""
    former_names: frozenset[str] = frozenset()
    """What idents were called yesterday or since, as cells show it, and no ident is any more."""

    @property
    def everywhere(self) -> bool:
        """Whether every entity may be affected."""
        return bool(self.renamed or self.redefined or self.excised)

    @property
    def whole(self) -> bool:
        """Whether old rows of histories may change too."""
        return self.everywhere or any(len(ids) for ids in self.idents.values())

    def reaches(self, column: str) -> bool:
        """Whether more than the datoms of its entities may change a column."""
        named = column in self.renamed | self.redefined or len(self.idents.get(column, ())) > 0
        return named or self.excised

    def bits(self) -> int:
        """Of what reaches every entity."""
        return RENAMED * bool(self.renamed) | REDEFINED * bool(self.redefined) | EXCISED * self.excised

    def scope(self, table: ContractTable, *, after_t: int) -> Scope:
        """For the rows of one prototype."""
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
    """The columns whose attributes decide which rows a table has."""
    own = table.attributes if table.kind == "history" else ()
    return frozenset(a.column for a in (primary_key(table.entity), *own))


def find_causes(
    entity: ContractEntity,
    *,
    before: DatomicSchema,
    today: DatomicSchema,
    redefined: frozenset[str],
    excised: bool,
) -> EntityCauses:
    """Compare the schemas of both days for what one kind of entity shows.

    Args:
        entity: the kind.
        before: the schema as of yesterday's t.
        today: as of today's.
        redefined: columns that the definition changed.
        excised: whether segments of yesterday's log were extracted again.
    """
    shown = (primary_key(entity), *entity.attributes)
    renamed = {a.column for a in shown for name in _names(a) if _is_renamed(name, before, today)}
    retyped = {a.column for a in shown for name in _names(a) if _is_retyped(name, before, today)}
    idents = {a.column: renamed_idents(before, today) for a in entity.attributes if a.ref == IDENT_REF}
    return EntityCauses(
        renamed=frozenset(renamed),
        idents=idents,
        redefined=redefined | frozenset(retyped),
        excised=excised,
    )


def find_former_names(facts: InstanceFacts, *, after_t: int) -> frozenset[str]:
    """What idents were called at a t or since, as cells show it, and no ident is called any more.

    With `""`, which stands for null, where something got its first name since: who has not seen it shows nothing.
    """
    names = facts.of({IDENT: "string"}, after_t=after_t)[IDENT]
    shown = names.select("e", "t_from", is_current=pl.col("t_to").is_null(), v=column_names(names["v"]))
    now, then = shown.filter("is_current"), shown.filter(pl.col("t_from") <= after_t)
    unseen = {""} if len(now.join(then, on="e", how="anti")) else set()
    return frozenset({*unseen, *shown.filter(~pl.col("is_current"))["v"]}) - frozenset(now["v"])


def _names(attribute: ContractAttribute) -> Iterator[str]:
    yield attribute.attribute
    if attribute.ref and attribute.ref != IDENT_REF:
        yield attribute.ref


def _is_renamed(name: str, before: DatomicSchema, today: DatomicSchema) -> bool:
    """Whether a name means another attribute than yesterday; an attribute that is new has no facts of yesterday."""
    was, is_now = before.attributes.get(name), today.attributes.get(name)
    if was is None:
        return is_now is not None and is_now.id in before.types
    return is_now is None or was.id != is_now.id


def _is_retyped(name: str, before: DatomicSchema, today: DatomicSchema) -> bool:
    was, is_now = before.attributes.get(name), today.attributes.get(name)
    both = was is not None and is_now is not None and was.id == is_now.id
    return both and was != is_now


def renamed_idents(before: DatomicSchema, today: DatomicSchema) -> pl.Series:
    """The ids whose name is another one than yesterday: changed, gone, or the first that they have."""
    both = before.idents.join(today.idents, on="id", how="full", suffix="_now", coalesce=True)
    return both.filter(pl.col("ident").ne_missing(pl.col("ident_now")))["id"]
