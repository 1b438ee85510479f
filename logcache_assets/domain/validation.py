"""The rules a contract must pass before its cache is published, and the verdict over all of them.

Rules judge figures; the tables are compared in engine/comparison.py. A rule that gave no result is a refusal (C29).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

RuleName = Literal["sound_table", "values_found_yesterday"]
MANDATORY_RULES: tuple[RuleName, ...] = ("sound_table", "values_found_yesterday")


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of yesterday must be found again, as shares from 0 to 1."""

    keys_found: float = 0.95
    """Of yesterday's keys."""
    values_equal: float = 0.5
    """Of the cells outside the key, over the keys of both days. One column may differ widely by right: a renamed ident
    renames all history."""


class ColumnFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One column over the keys that both days have."""

    compared: int
    equal: int

    @property
    def share_equal(self) -> float:
        """From 0 to 1; 1 when nothing was compared."""
        return self.equal / self.compared if self.compared else 1.0


class TableFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one contract table looks like by itself."""

    rows: int
    null_keys: int
    """Rows with a null in the key."""
    duplicate_keys: int
    """Rows above one per key."""
    columns: dict[str, str]
    """Column → type, in order."""
    null_columns: tuple[str, ...] = ()
    """Columns without any value."""


class ComparisonFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Two days of one contract; `columns` and key counts are None where a key is not sound."""

    today: TableFigures
    yesterday: TableFigures
    keys_found: int | None
    """Yesterday's keys that today has."""
    keys_added: int | None
    columns: dict[str, ColumnFigures]


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one rule says of one contract."""

    rule: RuleName
    passed: bool
    expected: str
    actual: str
    figures: dict[str, float]
    """Under names that stay the same over refreshes."""


def judge_unusable(reason: str) -> tuple[RuleResult, ...]:
    """Every rule fails for a contract that has no table to look at."""
    return tuple(
        RuleResult(rule=rule, passed=False, expected="a committed table", actual=reason, figures={})
        for rule in MANDATORY_RULES
    )


def judge_contract(figures: ComparisonFigures, thresholds: Thresholds) -> tuple[RuleResult, ...]:
    """Every mandatory rule, cheapest first."""
    return judge_sound_table(figures), judge_values_found(figures, thresholds)


def judge_sound_table(figures: ComparisonFigures) -> RuleResult:
    """Schema unchanged, key unique and not null, not empty where yesterday was not (C17, C21, C22)."""
    today, yesterday = figures.today, figures.yesterday
    problems = [*_schema_problems(today, yesterday), *_key_problems(today, yesterday)]
    return RuleResult(
        rule="sound_table",
        passed=not problems,
        expected="yesterday's schema, a key that is unique and never null, rows where yesterday had rows",
        actual="; ".join(problems) if problems else f"{today.rows} rows, all sound",
        figures={
            "rows": today.rows,
            "yesterday_rows": yesterday.rows,
            "null_keys": today.null_keys,
            "duplicate_keys": today.duplicate_keys,
        },
    )


def _key_problems(today: TableFigures, yesterday: TableFigures) -> Iterator[str]:
    if yesterday.rows and not today.rows:
        yield f"it is empty, yesterday it had {yesterday.rows} rows"
    if today.null_keys:
        yield f"{today.null_keys} rows have a null key"
    if today.duplicate_keys:
        yield f"{today.duplicate_keys} rows repeat a key, yesterday {yesterday.duplicate_keys} did"


def _schema_problems(today: TableFigures, yesterday: TableFigures) -> Iterator[str]:
    for name in sorted(yesterday.columns.keys() - today.columns.keys()):
        yield f"column {name} is gone"
    for name in sorted(today.columns.keys() - yesterday.columns.keys()):
        yield f"column {name} is added"
    for name in sorted(today.columns.keys() & yesterday.columns.keys()):
        was, is_now = yesterday.columns[name], today.columns[name]
        # A column that no instance had is typed string; its real type appears with the attribute.
        untyped = was == "string" and name in yesterday.null_columns
        if was != is_now and not untyped:
            yield f"column {name} was {was} and is {is_now}"


def judge_values_found(figures: ComparisonFigures, thresholds: Thresholds) -> RuleResult:
    """Yesterday's keys are still there and show mostly the same values: the runbook's own check (C21)."""
    rows, columns = figures.yesterday.rows, figures.columns
    found = 0.0 if figures.keys_found is None else (figures.keys_found / rows if rows else 1.0)
    cells = ColumnFigures(
        compared=sum(column.compared for column in columns.values()),
        equal=sum(column.equal for column in columns.values()),
    )
    problems = list(_found_problems(figures, found, cells, thresholds))
    return RuleResult(
        rule="values_found_yesterday",
        passed=not problems,
        expected=(
            f"at least {thresholds.keys_found:.0%} of yesterday's keys, "
            f"and over these at least {thresholds.values_equal:.0%} equal values"
        ),
        actual="; ".join(problems) or _found_summary(rows, found, cells, columns),
        figures={"share_keys_found": found, "share_equal": cells.share_equal}
        | {f"share_equal/{name}": column.share_equal for name, column in columns.items()},
    )


def _found_problems(
    figures: ComparisonFigures, found: float, cells: ColumnFigures, thresholds: Thresholds
) -> Iterator[str]:
    if figures.keys_found is None:
        yield "the tables could not be compared: their keys are not sound"
        return
    if found < thresholds.keys_found:
        yield f"only {found:.2%} of yesterday's {figures.yesterday.rows} keys are there"
    if cells.share_equal < thresholds.values_equal:
        yield f"only {cells.share_equal:.2%} of the values are equal"


def _found_summary(rows: int, found: float, cells: ColumnFigures, columns: Mapping[str, ColumnFigures]) -> str:
    summary = f"{found:.2%} of yesterday's {rows} keys, {cells.share_equal:.2%} of their values are equal"
    lowest = min(columns.items(), key=lambda item: item[1].share_equal, default=None)
    if lowest is None or lowest[1].share_equal == 1:
        return summary
    return f"{summary}; fewest in {lowest[0]}, {lowest[1].share_equal:.2%}"


def find_refusals(
    results: Mapping[str, Sequence[RuleResult]], *, mandatory_contracts: Sequence[str]
) -> tuple[str, ...]:
    """Why the contracts must not be published: failed rules, and rules that never ran (C29).

    Contracts that fail for one and the same reason share a sentence.
    """
    if not mandatory_contracts:
        return ("no contract was to be checked (C29)",)
    by_reason: dict[str, list[str]] = {}
    for contract in mandatory_contracts:
        for reason in dict.fromkeys(_refusals(results.get(contract, ()))):
            by_reason.setdefault(reason, []).append(contract)
    return tuple(f"{_named(contracts)}: {reason}" for reason, contracts in by_reason.items())


def _refusals(results: Sequence[RuleResult]) -> Iterator[str]:
    by_rule = {result.rule: result for result in results}
    for rule in MANDATORY_RULES:
        if rule not in by_rule:
            yield f"the check {rule} did not run (C29)"
        elif not by_rule[rule].passed:
            # A table that is not there fails every rule for one reason, which then stands alone.
            alone = len({result.actual for result in results}) == 1
            yield by_rule[rule].actual if alone else f"{rule} failed: {by_rule[rule].actual}"


def _named(contracts: Sequence[str]) -> str:
    return contracts[0] if len(contracts) == 1 else f"{contracts[0]} and {len(contracts) - 1} more"
