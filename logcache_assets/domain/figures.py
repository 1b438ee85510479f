"""What the comparison of two days of a contract counts; never a value, so that it may be shown to anyone.

Rules that judge these figures are rules/; the tables behind them are engine/.
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
"""What may change a row, the strongest first."""

Fault = Literal["unexplained", "missed"]
FAULTS: tuple[Fault, ...] = ("unexplained", "missed")
"""A difference that nothing in the log explains; a change in the log that today's table does not show."""

Reason = Explanation | Fault

Change = Literal["row added", "row missing", "value changed", "value to null", "null to value", "not changed"]
"""What happened to a row, or to the cells of it that are named; `not changed` is what should have."""


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all figures."""


class TableFigures(Figures, frozen=True, kw_only=True):
    """What one contract table looks like by itself."""

    rows: int
    null_keys: int
    """Rows with a null in the key."""
    duplicate_keys: int
    """Rows above one per key."""
    columns: dict[str, str]
    """Column → type, in order."""


class CellFigures(Figures, frozen=True, kw_only=True):
    """One column of one prototype, over the keys that both days have."""

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
        """All of them."""
        return self.equal + self.changed + self.to_null + self.from_null

    @property
    def share_equal(self) -> float:
        """From 0 to 1; 1 when nothing was compared."""
        return self.equal / self.compared if self.compared else 1.0


class PrototypeFigures(Figures, frozen=True, kw_only=True):
    """One contract on one prototype, both days."""

    rows: int
    yesterday_rows: int
    missing: int = 0
    """Keys of yesterday that are gone."""
    added: int = 0
    changed: int = 0
    """Keys of both days whose rows differ."""
    reasons: dict[Reason, int] = {}
    """Rows that differ, or should, by the one reason of each."""
    faulty_rows: dict[Fault, int] = {}
    """Rows that are there, or are not, against the log, or by nothing in it."""
    columns: dict[str, CellFigures] = {}
    """Columns outside the key, in order."""

    @property
    def found(self) -> int:
        """Keys of yesterday that are there."""
        return self.yesterday_rows - self.missing


class Pattern(Figures, frozen=True, kw_only=True):
    """Rows that differ in the same way, so that their common cause can be seen."""

    reason: Reason
    change: Change
    prototype: str
    columns: tuple[str, ...]
    """That differ, or should; none for whole rows."""
    rows: int
    first_t: int | None = None
    """Where the rows lie in the log, as far as it is known."""
    last_t: int | None = None
    segments: tuple[str, ...] = ()
    """File names of the first few segments that hold these t."""
    segment_count: int = 0
    examples: tuple[str, ...] = ()
    """Tokens of a few rows; `logcache reveal` resolves them where the data is."""


class SchemaChange(Figures, frozen=True, kw_only=True):
    """A column that the two days do not share, or not with one type."""

    column: str
    was: str | None
    """Type yesterday; None if there was no such column."""
    is_now: str | None
    expected: str | None
    """Type that definition and Datomic schema give today; None where they are not known or give no column."""

    @property
    def explained(self) -> bool:
        """Whether the log or the definition asks for it."""
        return self.is_now == self.expected and (self.is_now is not None or self.was is not None)


class SameT(Figures, frozen=True, kw_only=True):
    """The contract recomputed at yesterday's t from the candidate's caches, against yesterday's."""

    prototypes: tuple[str, ...]
    """That were compared."""
    rows: int
    differing: int
    """Rows that are missing, added or changed; a sound cache has none."""
    columns: tuple[str, ...] = ()
    """In which they differ."""


class ContractFigures(Figures, frozen=True, kw_only=True):
    """Everything that was counted of one contract."""

    today: TableFigures
    yesterday: TableFigures
    schema: tuple[SchemaChange, ...] = ()
    prototypes: dict[str, PrototypeFigures] | None = None
    """None where the keys are not sound, so that rows cannot be compared."""
    hashed: tuple[str, ...] = ()
    """Columns of personal data."""
    explained: bool = False
    """Whether differences were looked up in the log; if not, none has a reason."""
    patterns: tuple[Pattern, ...] = ()
    """Faults first, the most rows first."""
    more_patterns: int = 0
    """Smaller ones that were left out."""
    same_t: SameT | None = None
    """None where it was not asked for, or failed."""
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
        """Keys of yesterday that are there."""
        return sum(figures.found for figures in (self.prototypes or {}).values())

    @property
    def compared(self) -> int:
        """Keys of either day, where rows could be compared."""
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
    """The figures of a whole prototype from those of the rows that were looked at; all others are equal."""
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
