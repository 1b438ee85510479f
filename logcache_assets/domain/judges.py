"""One judge per rule: figures of a contract in, a result with sentences for people out.

What a rule is, and what a verdict makes of the results, is validation.py.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from logcache_assets.domain.figures import (
    EXPLANATIONS,
    FAULTS,
    CellFigures,
    ContractFigures,
    Fault,
    Pattern,
)
from logcache_assets.domain.patterns import describe_patterns
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules import Allowance, Finding, Rules, Severity
from logcache_assets.domain.table_problems import describe_schema_problem, describe_unsound_keys, find_key_problems
from logcache_assets.domain.validation import Excuse, RuleName, RuleResult
from logcache_assets.domain.wording import count_of


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Problems found, sorted by what they do."""

    blocking: tuple[str, ...] = ()
    warning: tuple[str, ...] = ()
    excused: tuple[Excuse, ...] = ()


def judge_contract(
    contract: str, figures: ContractFigures, rules: Rules, *, required: Sequence[RuleName]
) -> tuple[RuleResult, ...]:
    """Every required rule, cheapest first."""
    judges: Mapping[RuleName, Callable[[str, ContractFigures, Rules], RuleResult]] = {
        "sound_table": judge_sound_table,
        "values_found_yesterday": judge_values_found,
        "differences_explained": judge_explained,
        "nothing_missed": judge_missed,
        "same_t_same_table": judge_same_t,
    }
    return tuple(judges[rule](contract, figures, rules) for rule in required)


def judge_sound_table(contract: str, figures: ContractFigures, rules: Rules) -> RuleResult:
    """The schema that is due, a key that is unique and not null, not empty where yesterday was not (C17, C21, C22)."""
    today, yesterday = figures.today, figures.yesterday
    blocking, excused = list(find_key_problems(today)), []
    excusable: list[tuple[str, Finding, str | None]] = [
        (describe_schema_problem(change), "schema", change.column) for change in figures.schema if not change.explained
    ]
    if yesterday.rows and not today.rows:
        excusable.append((f"it is empty, yesterday it had {count_of(yesterday.rows, 'row')}", "empty", None))
    for text, finding, column in excusable:
        allowance = find_allowance(contract, rules, finding, column)
        if allowance:
            excused.append(Excuse(what=text, allowance=allowance))
        else:
            blocking.append(text)
    return _result(
        "sound_table",
        Judgement(blocking=tuple(blocking), excused=tuple(excused)),
        expected="the schema that definition and log give, a key that is unique and never null, rows where yesterday "
        "had rows",
        good=f"{count_of(today.rows, 'row')}, all sound",
        figures={
            "rows": today.rows,
            "yesterday_rows": yesterday.rows,
            "null_keys": today.null_keys,
            "duplicate_keys": today.duplicate_keys,
        },
    )


def find_allowance(contract: str, rules: Rules, finding: Finding, column: str | None = None) -> Allowance | None:
    """The entry that excuses a finding."""
    return next((a for a in rules.allow if a.covers(contract=contract, finding=finding, column=column)), None)


def judge_values_found(contract: str, figures: ContractFigures, rules: Rules) -> RuleResult:
    """Yesterday's keys are still there and show mostly the same values: the runbook's own check (C20, C21).

    Where every difference is explained by the log, or excused, low shares are a warning only.
    """
    settings, rows = rules.settings_of(contract), figures.yesterday.rows
    found = 0.0 if figures.prototypes is None else (figures.found / rows if rows else 1.0)
    cells = CellFigures(
        equal=sum(c.equal for c in figures.columns.values()),
        changed=sum(c.compared - c.equal for c in figures.columns.values()),
    )
    problems = []
    if figures.prototypes is None:
        problems.append(describe_unsound_keys(figures))
    elif found < settings.keys_found:
        problems.append(f"only {found:.2%} of yesterday's {rows:,} keys are there")
    if figures.prototypes is not None and cells.share_equal < settings.values_equal:
        problems.append(f"only {cells.share_equal:.2%} of the values are equal")
    return _result(
        "values_found_yesterday",
        _judge_shares(
            problems,
            lenient=_nothing_blocks(contract, figures, rules),
            allowance=_may_be_empty(contract, figures, rules),
        ),
        expected=f"at least {settings.keys_found * 100:g}% of yesterday's keys, and over these at least "
        f"{settings.values_equal * 100:g}% equal values",
        good=_found_summary(rows, found, cells, figures.columns),
        figures={"share_keys_found": found, "share_equal": cells.share_equal}
        | {f"share_equal/{name}": column.share_equal for name, column in figures.columns.items()},
    )


def _judge_shares(problems: Sequence[str], *, lenient: bool, allowance: Allowance | None) -> Judgement:
    if allowance:
        return Judgement(excused=tuple(Excuse(what=problem, allowance=allowance) for problem in problems))
    return Judgement(warning=tuple(problems)) if lenient else Judgement(blocking=tuple(problems))


def _may_be_empty(contract: str, figures: ContractFigures, rules: Rules) -> Allowance | None:
    """The entry that lets a contract have no rows any more, whatever the log says of them."""
    emptied = figures.yesterday.rows and not figures.today.rows
    return find_allowance(contract, rules, "empty") if emptied else None


def _nothing_blocks(contract: str, figures: ContractFigures, rules: Rules) -> bool:
    """Whether every difference is explained by the log, or excused."""
    return figures.explained and not any(_judge_fault(contract, figures, rules, fault).blocking for fault in FAULTS)


def _found_summary(rows: int, found: float, cells: CellFigures, columns: Mapping[str, CellFigures]) -> str:
    summary = f"{found:.2%} of yesterday's {rows:,} keys, {cells.share_equal:.2%} of their values are equal"
    lowest = min(columns.items(), key=lambda item: item[1].share_equal, default=None)
    if lowest is None or lowest[1].share_equal == 1:
        return summary
    return f"{summary}; fewest in {lowest[0]}, {lowest[1].share_equal:.2%}"


def judge_explained(contract: str, figures: ContractFigures, rules: Rules) -> RuleResult:
    """Every row that differs from yesterday's differs because of something that happened since (C21)."""
    reasons, differing = figures.reasons, figures.differing
    unexplained = reasons.get("unexplained", 0)
    share = 1 - unexplained / differing if differing else 1.0
    return _result(
        "differences_explained",
        _judge_fault(contract, figures, rules, "unexplained"),
        expected="a cause in the log, or in the definition, for every row that differs from yesterday's",
        good=_explained_summary(differing, reasons.get("missed", 0)),
        figures={"differing_rows": differing, "unexplained_rows": unexplained, "share_explained": share}
        | {f"rows/{explanation}": reasons.get(explanation, 0) for explanation in EXPLANATIONS},
    )


def _explained_summary(differing: int, missed: int) -> str:
    if not differing:
        return "no row differs"
    rest = f", but for {missed:,} missed" if missed else ""
    return f"{count_of(differing, 'row')} not as yesterday, all explained{rest}"


def judge_missed(contract: str, figures: ContractFigures, rules: Rules) -> RuleResult:
    """Everything that happened since yesterday shows in today's table (C1, C21)."""
    missed = figures.reasons.get("missed", 0)
    unknown = Judgement(blocking=(coded("no log was given, so nothing tells what today's table must show", "C29"),))
    return _result(
        "nothing_missed",
        _judge_fault(contract, figures, rules, "missed") if figures.explained else unknown,
        expected="every change in the newer segments shows in today's table",
        good="every change in the newer segments shows",
        figures={"missed_rows": missed},
    )


def _judge_fault(contract: str, figures: ContractFigures, rules: Rules, fault: Fault) -> Judgement:
    """Whole rows by the contract's settings, cells by their column's."""
    if figures.prototypes is None:
        return Judgement(blocking=(describe_unsound_keys(figures),))
    keys = figures.yesterday.rows + figures.added
    counts: list[tuple[str | None, int, int]] = [(None, figures.faulty_rows.get(fault, 0), keys)]
    counts += [(name, getattr(cells, fault), cells.compared) for name, cells in figures.columns.items()]
    problems: dict[Severity, list[str]] = {"block": [], "warn": []}
    excused, blocked = [], set[str | None]()
    for column, count, compared in counts:
        what = (
            f"{column}: {count:,} of {compared:,} cells {fault}"
            if column
            else f"{count_of(count, 'whole row')} {fault}"
        )
        settings = rules.settings_of(contract, column)
        excuse = _excuse(what, count / max(compared, 1), getattr(settings, fault))
        allowance = find_allowance(contract, rules, fault, column) or _may_be_empty(contract, figures, rules)
        if count and allowance:
            excused.append(Excuse(what=what, allowance=allowance))
        elif count and excuse:
            excused.append(excuse)
        elif count:
            problems[settings.severity].append(what)
            blocked |= {column} if settings.severity == "block" else set()
    blocking = [*_causes(figures, fault, blocked), *problems["block"]] if blocked else []
    return Judgement(blocking=tuple(blocking), warning=tuple(problems["warn"]), excused=tuple(excused))


def _excuse(what: str, share: float, threshold: float) -> Excuse | None:
    return Excuse(what=what, threshold=threshold) if share <= threshold else None


def _concerned(pattern: Pattern) -> set[str | None]:
    """The columns that a pattern is about; None is whole rows."""
    whole: set[str | None] = {None} if pattern.change in {"row added", "row missing"} else set()
    return whole | set(pattern.columns or (None,))


def _causes(figures: ContractFigures, fault: Fault, blocked: Collection[str | None]) -> Iterator[str]:
    """The likely cause, from the patterns of those columns (None is whole rows) that block."""
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
    """Another key makes every hash wrong that the log touches; a single wrong cell has another cause."""
    faults = sum(figures.reasons.get(fault, 0) for fault in FAULTS)
    hashed = all(pattern.columns and set(pattern.columns) <= set(figures.hashed) for pattern in patterns)
    return hashed and faults > sum(figures.reasons.get(reason, 0) for reason in EXPLANATIONS)


def judge_same_t(contract: str, figures: ContractFigures, rules: Rules) -> RuleResult:
    """Recomputed at yesterday's t from the candidate's caches, the contract is exactly yesterday's (C18, C21)."""
    same_t = figures.same_t
    rows = same_t.rows if same_t else 0
    return _result(
        "same_t_same_table",
        _judge_same_t(figures, find_allowance(contract, rules, "same-t")),
        expected="recomputed at yesterday's t from the candidate's caches, exactly yesterday's rows",
        good=f"{count_of(rows, 'row')} recomputed, all equal",
        figures={"same_t_rows": rows, "same_t_differing": same_t.differing if same_t else 0},
    )


def _judge_same_t(figures: ContractFigures, allowance: Allowance | None) -> Judgement:
    same_t = figures.same_t
    if same_t is None:
        cause = f": {figures.same_t_failure}" if figures.same_t_failure else ""
        return Judgement(blocking=(coded(f"it was not recomputed{cause}", "C29"),))
    if not same_t.differing:
        return Judgement()
    where = f", in {', '.join(same_t.columns[:3])}" if same_t.columns else ""
    text = f"{same_t.differing:,} of {same_t.rows:,} rows are not yesterday's{where}: the caches are not sound"
    if allowance:
        return Judgement(excused=(Excuse(what=text, allowance=allowance),))
    return Judgement(blocking=(text,))


def _result(
    rule: RuleName, judgement: Judgement, *, expected: str, good: str, figures: dict[str, int | float]
) -> RuleResult:
    problems = (*judgement.blocking, *judgement.warning)
    passing = tuple(f"excused: {excuse}" for excuse in judgement.excused) or (good,)
    return RuleResult(
        rule=rule,
        passed=not problems,
        severity="block" if judgement.blocking or not problems else "warn",
        expected=expected,
        actual=problems or passing,
        figures=figures,
        excused=judgement.excused,
    )
