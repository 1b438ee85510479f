"""Compares the number of faulty differences with their thresholds, for three rules.

`differences_explained` and `nothing_missed` each judge one fault, `values_found_yesterday` asks whether either blocks.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

import msgspec

from logcache_assets.domain.figures import EXPLANATIONS, FAULTS, ContractFigures, Fault, Pattern
from logcache_assets.domain.patterns import describe_patterns
from logcache_assets.domain.rules.key_problems import describe_unsound_keys
from logcache_assets.domain.rules.results import Excuse, Judgement
from logcache_assets.domain.rules.sound_table import find_empty_allowance
from logcache_assets.domain.rules.strictness import PER_COLUMN, Settings, Severity, Share, Strictness
from logcache_assets.domain.wording import count_of

LEAST_OF_ANOTHER_KEY = 5
"""Rows that must be wrong before the key of personal data is suspected."""


class DifferenceSettings(Settings, frozen=True, kw_only=True):
    """What counts as a difference, and how many faults are tolerated."""

    severity: Annotated[Severity, PER_COLUMN] = "block"
    """Whether an unexplained or missed difference blocks or warns."""
    tolerance: Annotated[float, msgspec.Meta(ge=0), PER_COLUMN] = 0.0
    """Floating point values that differ by no more than this are equal."""
    unexplained: Annotated[Share, PER_COLUMN] = 0.0
    """Share of the compared rows, or of the cells of a column, that may differ without an explanation."""
    missed: Annotated[Share, PER_COLUMN] = 0.0
    """Share of the compared rows or cells that may fail to show a change in the log."""


def judge_fault(contract: str, figures: ContractFigures, strictness: Strictness, fault: Fault) -> Judgement:
    """Judge one fault: whole rows by the contract's settings, cells by their column's."""
    if figures.prototypes is None:
        return Judgement(blocking=(describe_unsound_keys(figures),))
    empty_allowance = find_empty_allowance(contract, figures, strictness)
    blocking, warning, excused, blocked = [], [], [], set[str | None]()
    for column, count, compared in _counts(figures, fault):
        what = _describe_count(column, count, compared, fault)
        settings = strictness.settings_of(DifferenceSettings, contract, column)
        threshold: float = getattr(settings, fault)
        if allowance := strictness.allowance_of(contract, fault, column) or empty_allowance:
            excused.append(Excuse(what=what, allowance=allowance))
        elif count / max(compared, 1) <= threshold:
            excused.append(Excuse(what=what, threshold=threshold))
        elif settings.severity == "block":
            blocking.append(what)
            blocked.add(column)
        else:
            warning.append(what)
    causes = _causes(figures, fault, blocked) if blocked else ()
    return Judgement(blocking=(*causes, *blocking), warning=tuple(warning), excused=tuple(excused))


def nothing_blocks(contract: str, figures: ContractFigures, strictness: Strictness) -> bool:
    """Whether the log explains every difference, but for those that are excused or only warn."""
    faults = (judge_fault(contract, figures, strictness, fault) for fault in FAULTS)
    return figures.explained and not any(found.blocking for found in faults)


def _counts(figures: ContractFigures, fault: Fault) -> Iterator[tuple[str | None, int, int]]:
    """Yield (column or None for whole rows, number at fault, number compared) where any are at fault."""
    counts: list[tuple[str | None, int, int]] = [
        (None, figures.faulty_rows.get(fault, 0), figures.compared),
        *((name, getattr(cells, fault), cells.compared) for name, cells in figures.columns.items()),
    ]
    return ((column, count, compared) for column, count, compared in counts if count)


def _describe_count(column: str | None, count: int, compared: int, fault: Fault) -> str:
    if column is None:
        return f"{count_of(count, 'whole row')} {fault}"
    return f"{column}: {count:,} of {compared:,} cells {fault}"


def _concerned(pattern: Pattern) -> set[str | None]:
    """The columns that a pattern is about; None stands for whole rows."""
    whole: set[str | None] = {None} if pattern.change in {"row added", "row missing"} else set()
    return whole | set(pattern.columns or (None,))


def _causes(figures: ContractFigures, fault: Fault, blocked: Collection[str | None]) -> Iterator[str]:
    """The likely cause, from the patterns of those columns (None for whole rows) that block."""
    if not figures.explained and fault == "unexplained":
        yield "no log was given, so no difference can be explained"
        return
    faulty = [pattern for pattern in figures.patterns if pattern.reason == fault]
    patterns = [pattern for pattern in faulty if _concerned(pattern) & set(blocked)]
    if patterns and _may_have_another_key(figures, patterns):
        yield "all lie in hashed personal data: was it hashed with the key that LOGCACHE_PII_KEY has now?"
    if patterns:
        others = sum(pattern.rows for pattern in faulty) - sum(pattern.rows for pattern in patterns)
        total, known = figures.reasons.get(fault, 0) - others, figures.prototypes or ()
        yield describe_patterns(patterns, total=total, known=known)


def _may_have_another_key(figures: ContractFigures, patterns: Sequence[Pattern]) -> bool:
    """Whether another key of personal data would explain the faults.

    Another key makes every hash wrong that the log touches; a few wrong cells have another cause.
    """
    faults = sum(figures.reasons.get(fault, 0) for fault in FAULTS)
    hashed = all(pattern.columns and set(pattern.columns) <= set(figures.hashed) for pattern in patterns)
    return (
        hashed
        and faults >= LEAST_OF_ANOTHER_KEY
        and faults > sum(figures.reasons.get(reason, 0) for reason in EXPLANATIONS)
    )
