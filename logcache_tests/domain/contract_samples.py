"""What validation counted of a made-up contract: sound until a test gives it a fault."""

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from logcache_assets.domain.contract_definitions import parse_definition
from logcache_assets.domain.figures import (
    CellFigures,
    ContractFigures,
    Fault,
    Pattern,
    PrototypeFigures,
    SameT,
    TableFigures,
)
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules.differences_explained import DIFFERENCES_EXPLAINED
from logcache_assets.domain.rules.nothing_missed import NOTHING_MISSED
from logcache_assets.domain.rules.results import RuleName, RuleResult
from logcache_assets.domain.rules.rule import Rule
from logcache_assets.domain.rules.strictness import Allowance, RuleEntry, Strictness

ACCOUNTS = "contract-feed/accounts"
FEED = parse_definition(
    """\
database: feed
prototypes: [s0, s1, s2]
entities:
  - name: accounts
    primary_key: account/id
    attributes: [{attribute: account/status, history: true}]
""",
    where="contracts/feed.yaml",
)


def contract_figures(entity: str = "account", *, s1_rows: int = 100) -> ContractFigures:
    """Two days of a contract: new transactions gave s0 10 rows above its 140 and changed 20; s1 is as it was."""
    status, amount = f"{entity}__status", f"{entity}__amount"
    columns = {f"{entity}__id": "string", "prototype": "string", status: "string", amount: "int64"}
    return ContractFigures(
        today=TableFigures(rows=150 + s1_rows, null_keys=0, duplicate_keys=0, columns=columns),
        yesterday=TableFigures(rows=140 + s1_rows, null_keys=0, duplicate_keys=0, columns=columns),
        prototypes={
            "s0": PrototypeFigures(
                rows=150,
                yesterday_rows=140,
                added=10,
                changed=20,
                reasons={"new-transaction": 30},
                columns={status: CellFigures(equal=120, changed=20), amount: CellFigures(equal=140)},
            ),
            "s1": PrototypeFigures(
                rows=s1_rows,
                yesterday_rows=s1_rows,
                columns={status: CellFigures(equal=s1_rows), amount: CellFigures(equal=s1_rows)},
            ),
        },
        explained=True,
        patterns=(
            pattern(20, columns=(status,), first_t=4840, last_t=4899),
            pattern(10, change="row added", first_t=4850, last_t=4850),
        ),
        same_t=SameT(prototypes=("s0", "s1"), rows=140 + s1_rows, differing=0),
    )


def faulty(fault: Fault, *, rows: int = 0, **cells: int) -> ContractFigures:
    """Accounts with a fault on s0: some of the new rows, and cells of some of the changed ones.

    Args:
        fault: of which kind.
        rows: whole rows.
        cells: column → cells, which all lie in the rows of the column that has the most.
    """
    found = contract_figures()
    s0, s1 = (found.prototypes or {}).values()
    count = rows + max(cells.values(), default=0)
    explained = 30 - count if fault == "unexplained" else 30
    spoilt = replace(
        s0,
        columns={name: replace(counts, **{fault: cells.get(name, 0)}) for name, counts in s0.columns.items()},
        faulty_rows={fault: rows} if rows else {},
        reasons={"new-transaction": explained, fault: count},
    )
    return replace(found, prototypes={"s0": spoilt, "s1": s1})


def unsound(found: ContractFigures) -> ContractFigures:
    """The same with keys that today's table has more than once, so that rows were not compared."""
    return replace(found, today=replace(found.today, duplicate_keys=3), prototypes=None)


def pattern(rows: int, **fields: object) -> Pattern:
    """Rows of s0 that new transactions changed, except for what is given."""
    by_transactions = Pattern(reason="new-transaction", change="value changed", prototype="s0", columns=(), rows=rows)
    return replace(by_transactions, **fields)


def allowance(finding: str, *, contract: str = ACCOUNTS, column: str | None = None) -> Allowance:
    """One that holds."""
    return Allowance(
        contract=contract,
        column=column,
        finding=finding,
        owner="team-cards",
        reason="two states are written late",
        expires=date(2018, 12, 31),
    )


def judge_fault(
    fault: Fault, found: ContractFigures, *entries: RuleEntry, allow: tuple[Allowance, ...] = ()
) -> RuleResult:
    """What the rule about this fault says."""
    strictness = Strictness(entries=entries, allow=allow)
    rule: Rule = DIFFERENCES_EXPLAINED if fault == "unexplained" else NOTHING_MISSED
    return rule.judge(ACCOUNTS, found, strictness)


def told(problems: Iterable[Problem]) -> tuple[str, ...]:
    """As a person reads them."""
    return tuple(map(str, problems))


def reason(*found: str, contract: str = ACCOUNTS, rule: RuleName | None = None) -> Problem:
    """A problem of one contract."""
    return Problem(subjects=(contract,), rule=rule, found=found)


def rule_result(rule: RuleName, *, passed: bool = True) -> RuleResult:
    """What one rule said."""
    return RuleResult(
        rule=rule,
        passed=passed,
        expected="as yesterday",
        actual=("as yesterday" if passed else "all gone",),
        figures={},
    )
