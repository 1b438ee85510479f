"""Counts from the comparison of two days of a contract. They contain no values, so anybody may see them.

The modules of rules/ judge these figures; engine/ computes them from tables.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Explanation = Literal["new-transaction", "referred-entity", "renamed-ident", "excised", "definition-changed"]
EXPLANATIONS: tuple[Explanation, ...] = (
    "new-transaction",
    "referred-entity",
    "renamed-ident",
    "excised",
    "definition-changed",
)
"""Reasons why a row may change, the strongest first."""

Fault = Literal["unexplained", "missed"]
FAULTS: tuple[Fault, ...] = ("unexplained", "missed")
"""`unexplained`: nothing in the log explains the difference. `missed`: a change in the log does not show today."""

Reason = Explanation | Fault

Change = Literal["row added", "row missing", "value changed", "value to null", "null to value", "not changed"]
"""What happened to a row or to some of its cells; `not changed` if it should have changed and did not."""


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all figures."""


class TableFigures(Figures, frozen=True, kw_only=True):
    """Counts of one contract table on one day."""

    rows: int
    null_keys: int
    """Rows with a null in the key."""
    duplicate_keys: int
    """Rows beyond one for each key, except where the log gives the key to as many entities."""
    columns: dict[str, str]
    """Column → type, in order."""
    shared_keys: int = 0
    """Rows beyond one for each key that the log gives to as many entities."""
    sharing: tuple[str, ...] = ()
    """Tokens of a few of these keys."""


class CellFigures(Figures, frozen=True, kw_only=True):
    """Counts of the cells of one column on one prototype, over the keys that both days have."""

    equal: int = 0
    changed: int = 0
    """From one value to another."""
    to_null: int = 0
    from_null: int = 0
    unexplained: int = 0
    """Cells of these keys that are not what the log says."""
    missed: int = 0
    """Cells that still show yesterday's value, though the log changed it."""

    @property
    def compared(self) -> int:
        """Number of compared cells."""
        return self.equal + self.changed + self.to_null + self.from_null

    @property
    def share_equal(self) -> float:
        """Share of equal cells, from 0 to 1; 1 if none were compared."""
        return self.equal / self.compared if self.compared else 1.0


class PrototypeFigures(Figures, frozen=True, kw_only=True):
    """Counts of one contract on one prototype, over both days."""

    rows: int
    yesterday_rows: int
    missing: int = 0
    """Keys of yesterday that are gone."""
    added: int = 0
    changed: int = 0
    """Keys of both days whose rows differ."""
    reasons: dict[Reason, int] = {}
    """Reason → rows that differ, or should differ; each row has one reason."""
    faulty_rows: dict[Fault, int] = {}
    """Fault → whole rows that exist or are absent without, or contrary to, the log."""
    columns: dict[str, CellFigures] = {}
    """Columns outside the key, in order."""

    @property
    def found(self) -> int:
        """Keys of yesterday that exist today."""
        return self.yesterday_rows - self.missing


class Pattern(Figures, frozen=True, kw_only=True):
    """Rows that differ in the same way, so that their common cause can be seen."""

    reason: Reason
    change: Change
    prototype: str
    columns: tuple[str, ...]
    """Columns that differ, or should differ; empty for whole rows."""
    rows: int
    first_t: int | None = None
    """First t of the datoms that concern these rows; None if it is not known."""
    last_t: int | None = None
    segments: tuple[str, ...] = ()
    """File names of the first few segments that hold these t."""
    segment_count: int = 0
    examples: tuple[str, ...] = ()
    """Tokens of a few rows; `logcache reveal` resolves them where the data is."""


class SchemaChange(Figures, frozen=True, kw_only=True):
    """A column that only one day has, or that has different types on both days."""

    column: str
    was: str | None
    """Type yesterday; None if there was no such column."""
    is_now: str | None
    expected: str | None
    """Type that definition and Datomic schema give today; None where they are not known or give no column."""

    @property
    def explained(self) -> bool:
        """True if today's type is the one that definition and Datomic schema give."""
        return self.is_now == self.expected and (self.is_now is not None or self.was is not None)


class SameT(Figures, frozen=True, kw_only=True):
    """Compares yesterday's contract with the same contract recomputed at yesterday's t from the candidate's caches."""

    prototypes: tuple[str, ...]
    """Prototypes that were compared."""
    rows: int
    differing: int
    """Rows that are missing, added or changed; a sound cache has none."""
    columns: tuple[str, ...] = ()
    """Columns in which the rows differ."""


class ContractFigures(Figures, frozen=True, kw_only=True):
    """All counts of one contract."""

    today: TableFigures
    yesterday: TableFigures
    schema: tuple[SchemaChange, ...] = ()
    prototypes: dict[str, PrototypeFigures] | None = None
    """Prototype → counts; None if the keys are not sound, so that rows cannot be compared."""
    hashed: tuple[str, ...] = ()
    """Columns of personal data."""
    explained: bool = False
    """True if differences were looked up in the log; otherwise none has a reason."""
    patterns: tuple[Pattern, ...] = ()
    """Faults first, then by number of rows, the most first."""
    more_patterns: int = 0
    """How many smaller patterns were left out."""
    same_t: SameT | None = None
    """None if it was not requested, or failed."""
    same_t_failure: str = ""
    """Why the contract could not be recomputed."""

    @property
    def faulty_rows(self) -> dict[Fault, int]:
        """Whole rows by fault, over all prototypes."""
        parts = (self.prototypes or {}).values()
        return {fault: sum(part.faulty_rows.get(fault, 0) for part in parts) for fault in FAULTS}

    @property
    def reasons(self) -> dict[Reason, int]:
        """Rows by reason, over all prototypes."""
        total: dict[Reason, int] = {}
        for figures in (self.prototypes or {}).values():
            for reason, rows in figures.reasons.items():
                total[reason] = total.get(reason, 0) + rows
        return total

    @property
    def columns(self) -> dict[str, CellFigures]:
        """Cells by column, over all prototypes."""
        return sum_columns(figures.columns for figures in (self.prototypes or {}).values())

    @property
    def missing(self) -> int:
        """Keys of yesterday that are gone."""
        return sum(figures.missing for figures in (self.prototypes or {}).values())

    @property
    def added(self) -> int:
        """Keys that yesterday did not have."""
        return sum(figures.added for figures in (self.prototypes or {}).values())

    @property
    def found(self) -> int:
        """Keys of yesterday that exist today."""
        return sum(figures.found for figures in (self.prototypes or {}).values())

    @property
    def compared(self) -> int:
        """Number of distinct keys of both days; meaningful only if rows could be compared."""
        return self.yesterday.rows + self.added

    @property
    def differing(self) -> int:
        """Rows that differ, by any reason."""
        return self.missing + self.added + self.changed

    @property
    def changed(self) -> int:
        """Keys of both days whose rows differ."""
        return sum(figures.changed for figures in (self.prototypes or {}).values())


def sum_columns(parts: Iterable[Mapping[str, CellFigures]]) -> dict[str, CellFigures]:
    """Add the figures of every column."""
    total: dict[str, CellFigures] = {}
    for part in parts:
        for name, cells in part.items():
            before = total.get(name, CellFigures())
            fields = CellFigures.__struct_fields__
            total[name] = CellFigures(**{f: getattr(before, f) + getattr(cells, f) for f in fields})
    return total


def sum_prototypes(parts: Iterable[Mapping[str, PrototypeFigures]]) -> dict[str, PrototypeFigures]:
    """Add the figures of every prototype."""
    total: dict[str, PrototypeFigures] = {}
    for part in parts:
        for prototype, figures in part.items():
            before = total.get(prototype)
            total[prototype] = _sum_of(before, figures) if before else figures
    return total


def _sum_of(one: PrototypeFigures, other: PrototypeFigures) -> PrototypeFigures:
    reasons = {r: one.reasons.get(r, 0) + other.reasons.get(r, 0) for r in {**one.reasons, **other.reasons}}
    faulty = {r: one.faulty_rows.get(r, 0) + other.faulty_rows.get(r, 0) for r in FAULTS}
    return PrototypeFigures(
        rows=one.rows + other.rows,
        yesterday_rows=one.yesterday_rows + other.yesterday_rows,
        missing=one.missing + other.missing,
        added=one.added + other.added,
        changed=one.changed + other.changed,
        reasons=reasons,
        faulty_rows={fault: rows for fault, rows in faulty.items() if rows},
        columns=sum_columns((one.columns, other.columns)),
    )


def complete_figures(
    looked_at: PrototypeFigures | None, *, yesterday_rows: int, rows: int, columns: Iterable[str]
) -> PrototypeFigures:
    """Extend the figures of the examined rows to the whole prototype, whose other rows are all equal."""
    found = looked_at or PrototypeFigures(rows=0, yesterday_rows=0)
    both = yesterday_rows - found.missing
    cells = {name: found.columns.get(name, CellFigures()) for name in columns}
    return msgspec.structs.replace(
        found,
        rows=rows,
        yesterday_rows=yesterday_rows,
        columns={
            name: msgspec.structs.replace(c, equal=both - c.changed - c.to_null - c.from_null)
            for name, c in cells.items()
        },
    )
