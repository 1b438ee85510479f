"""Verdicts made by hand: approved, refused, outside a refresh, and big."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from logcache_assets.domain.documents import (
    Binding,
    Candidate,
    ChangedEntry,
    ContractOutcome,
    CopiedLog,
    InstanceSpan,
    Verdict,
)
from logcache_assets.domain.figures import (
    CellFigures,
    ContractFigures,
    Pattern,
    PrototypeFigures,
    Reason,
    SameT,
    SchemaChange,
    TableFigures,
)
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules import MANDATORY_RULES
from logcache_assets.domain.rules.results import AppliedAllowance, Excuse, RuleName, RuleResult
from logcache_assets.domain.rules.strictness import Allowance

NOW = datetime(2018, 5, 28, 14, 0, tzinfo=UTC)
SHA = "33a485bc" + "0" * 32
MAP_SHA256 = "02" * 32
RULES_SHA256 = "5e" * 32
TEST_RUN = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
NIGHT = "1c7be4a9-5f1e-4c39-9a54-0d6d1f3b2a10"
CAUSE = (
    "all 62 unexplained rows are on s1 (value changed in transaction__amount), in t 4,102-4,188: one segment, "
    "8f2e-4101-4200.avro"
)
CELLS = ("62 rows unexplained", "transaction__amount: 62 of 2,821 cells unexplained")
REASONS = (
    Problem(subjects=("contract-feed/transactions",), rule="differences_explained", found=(CAUSE, *CELLS)),
    Problem(subjects=("contract-feed/accounts",), found=("it is not there today",)),
)
LATE = "3 rows missed (allowed by team-customers until 2018-06-30: known late writer)"
WARNINGS = (
    Problem(
        subjects=("contract-customers/customers",),
        rule="values_found_yesterday",
        found=("only 48.20% of the values are equal",),
    ),
    Problem(subjects=("contract-customers/customers",), rule="nothing_missed", found=(LATE,)),
)
ALLOWANCE = AppliedAllowance(
    allowance=Allowance(
        contract="contract-customers/customers",
        finding="missed",
        owner="team-customers",
        reason="known late writer",
        expires=date(2018, 6, 30),
    ),
    used=True,
)
UNUSED = AppliedAllowance(
    allowance=Allowance(
        contract="contract-feed/transactions",
        column="transaction__memo",
        finding="unexplained",
        owner="team-feed",
        reason="the memo is trimmed by a job",
        expires=date(2018, 7, 31),
    ),
    used=False,
)


def table(rows: int, columns: int = 8) -> TableFigures:
    """A sound table."""
    names = ["transaction__id", "prototype", *(f"transaction__column_{n}" for n in range(columns - 2))]
    return TableFigures(rows=rows, null_keys=0, duplicate_keys=0, columns=dict.fromkeys(names, "string"))


def prototype(
    rows: int, reasons: Mapping[Reason, int], *, columns: Mapping[str, CellFigures] | None = None, added: int = 0
) -> PrototypeFigures:
    """One prototype whose differing rows have these reasons; `added` of them are new rows."""
    differing = sum(rows for reason, rows in reasons.items() if reason != "missed")
    return PrototypeFigures(
        rows=rows,
        yesterday_rows=rows - added,
        added=added,
        changed=differing - added,
        reasons=dict(reasons),
        columns=dict(columns or {}),
    )


def result(*actual: str, rule: RuleName = "differences_explained", passed: bool = True) -> RuleResult:
    """The result of a rule."""
    clauses = actual or ("all sound",)
    expected = "a cause for every row that differs"
    return RuleResult(rule=rule, passed=passed, expected=expected, actual=clauses, figures={})


def outcome(
    dataset: str, prototypes: Mapping[str, PrototypeFigures], *, results: tuple[RuleResult, ...] = (result(),)
) -> ContractOutcome:
    """The outcome of a compared contract."""
    rows = sum(part.rows for part in prototypes.values())
    yesterday_rows = sum(part.yesterday_rows for part in prototypes.values())
    figures = ContractFigures(
        today=table(rows), yesterday=table(yesterday_rows), prototypes=dict(prototypes), explained=True
    )
    return ContractOutcome(
        dataset=dataset,
        state="committed",
        uri=f"s3://ephemeral/{dataset}/2",
        rows=rows,
        yesterday_rows=yesterday_rows,
        results=results,
        figures=figures,
    )


def absent(dataset: str = "contract-feed/accounts") -> ContractOutcome:
    """The outcome of a contract without a table."""
    return ContractOutcome(
        dataset=dataset,
        state="absent",
        uri=None,
        rows=None,
        yesterday_rows=None,
        results=(result("it is not there today", rule="sound_table", passed=False),),
    )


def transactions(unexplained: int = 0) -> ContractOutcome:
    """A contract on two prototypes; unexplained rows are on s1."""
    columns = {
        "transaction__amount": CellFigures(equal=2_700, changed=121, unexplained=unexplained),
        "transaction__status": CellFigures(equal=2_820, to_null=1),
        "transaction__currency": CellFigures(equal=2_821),
    }
    s1: dict[Reason, int] = {"new-transaction": 240, "renamed-ident": 12, "unexplained": unexplained}
    found = outcome(
        "contract-feed/transactions",
        {
            "s0": prototype(1_984, {"new-transaction": 402, "referred-entity": 33}, columns=columns, added=310),
            "s1": prototype(1_318, {reason: rows for reason, rows in s1.items() if rows}, added=171),
        },
        results=(
            result("3,302 rows, all sound", rule="sound_table"),
            result(CAUSE, "62 rows unexplained", passed=False) if unexplained else result("all explained"),
        ),
    )
    assert found.figures is not None
    patterns = (fault_pattern(unexplained),) if unexplained else ()
    return replace(found, figures=replace(found.figures, patterns=(*patterns, NEW_ROWS), same_t=SAME_T))


NEW_ROWS = Pattern(
    reason="new-transaction",
    change="row added",
    prototype="s0",
    columns=(),
    rows=310,
    first_t=3_186,
    last_t=4_836,
    segments=("a1-3185-4000.avro", "a2-4000-4500.avro", "a3-4500-4836.avro"),
    segment_count=5,
    examples=("00ff0000000000a1", "00ff0000000000a2"),
)
SAME_T = SameT(prototypes=("s0", "s1"), rows=2_821, differing=0)


def fault_pattern(rows: int) -> Pattern:
    """Unexplained values of one column, in one segment."""
    return Pattern(
        reason="unexplained",
        change="value changed",
        prototype="s1",
        columns=("transaction__amount",),
        rows=rows,
        first_t=4_102,
        last_t=4_188,
        segments=("8f2e-4101-4200.avro",),
        segment_count=1,
        examples=("3ec58288495adcc6", "5d41402abc4b2a76"),
    )


def customers() -> ContractOutcome:
    """A contract that passes with an excused finding and a schema change."""
    excuse = Excuse(what="3 rows missed", allowance=ALLOWANCE.allowance)
    found = outcome(
        "contract-customers/customers",
        {"global": prototype(1_204, {"excised": 7, "definition-changed": 4, "missed": 3})},
        results=(replace(result(rule="nothing_missed"), excused=(excuse,)),),
    )
    assert found.figures is not None
    change = SchemaChange(column="customer__mail", was=None, is_now="string", expected="string")
    return replace(found, figures=replace(found.figures, schema=(change,)))


def approved() -> Verdict:
    """The verdict that approves the candidate."""
    return Verdict(
        approved=True,
        reasons=(),
        binding=Binding(
            candidate_sha=SHA, map_sha256=MAP_SHA256, test_transaction=TEST_RUN, yesterday_transaction=NIGHT
        ),
        databases=("customers", "feed"),
        spans=(
            InstanceSpan(instance="customers-global", yesterday_t=2_011, today_t=2_240),
            InstanceSpan(instance="feed-s0", yesterday_t=3_185, today_t=4_836),
            InstanceSpan(instance="feed-s1", yesterday_t=0, today_t=4_770),
        ),
        decided_at=NOW,
        contracts=(outcome("contract-customers/phones", {"global": prototype(88, {})}), transactions()),
        rules_sha256=RULES_SHA256,
    )


def refused() -> Verdict:
    """The verdict that refuses the candidate: one contract unexplained, one without a table, one excused."""
    return replace(
        approved(),
        approved=False,
        reasons=REASONS,
        warnings=WARNINGS,
        contracts=(customers(), transactions(unexplained=62), absent()),
        allowances=(ALLOWANCE, UNUSED),
    )


def alone() -> Verdict:
    """A verdict outside a refresh."""
    return replace(approved(), binding=None, spans=(), rules_sha256="")


def past(number: int = 4) -> tuple[Verdict, ...]:
    """Verdicts of earlier refreshes, 60 days apart; the second one is refused."""
    days = [NOW - timedelta(days=60 * n) for n in range(number, 0, -1)]
    return tuple(replace(refused() if n == 1 else approved(), decided_at=day) for n, day in enumerate(days))


def candidate() -> Candidate:
    """A candidate that moves two caches and adds a first one."""
    changes = (("customers-global", 1_500, 2_240), ("feed-s0", 3_185, 4_836), ("feed-s1", None, 4_770))
    return Candidate(
        transaction=NIGHT,
        selection="all",
        databases=("customers", "feed"),
        branch="log-cache/2018-05-24-1c7be4a9-all",
        sha=SHA,
        base_sha="7f00aa11" + "0" * 32,
        base_map_sha256="01" * 32,
        map_sha256=MAP_SHA256,
        changes=tuple(changed_entry(instance, active_t, last_t) for instance, active_t, last_t in changes),
    )


def changed_entry(instance: str, active_t: int | None, last_t: int) -> ChangedEntry:
    """A changed entry of the map."""
    log = CopiedLog(
        instance=instance,
        last_t=last_t,
        manifest=f"s3://permanent/cache/{instance}/manifest.json",
        manifest_sha256="ab" * 32,
        rows=24_310,
        files=2,
        size_bytes=1_234_567,
    )
    return ChangedEntry(
        instance=instance, last_t=last_t, active_t=active_t, active_read_at=NOW if active_t else None, log=log
    )


def big(*, contracts: int = 300, columns: int = 60, differing: int = 6, faulty: bool = False) -> Verdict:
    """Many contracts with many columns, some of which differ; if faulty, no difference is explained."""
    reasons: dict[Reason, int] = {"unexplained": 900} if faulty else {"new-transaction": 880, "referred-entity": 20}
    names = [f"database-{n}" for n in range(contracts // 10)]
    cells = {
        f"transaction__rather_long_name_{n}": CellFigures(
            equal=1_233_667 if n < differing else 1_234_567,
            changed=900 if n < differing else 0,
            unexplained=900 if faulty and n < differing else 0,
        )
        for n in range(columns)
    }
    found = outcome("", {f"s{n}": prototype(1_234_567, reasons, columns=cells) for n in range(8)})
    assert found.figures is not None
    clauses = [f"{name}: 900 of 1,234,567 cells unexplained" for name in cells]
    found_wrong = (CAUSE, "7,200 rows unexplained", *clauses)
    actual = found_wrong if faulty else ("7,200 rows not as yesterday, all explained",)
    results = tuple(result(*actual, rule=rule, passed=not faulty) for rule in MANDATORY_RULES)
    patterns = tuple(replace(fault_pattern(900 - n), prototype=f"s{n % 8}", columns=tuple(cells)) for n in range(40))
    figures = replace(found.figures, patterns=patterns if faulty else (NEW_ROWS,))
    datasets = [f"contract-{names[n % len(names)]}/entities-{n}" for n in range(contracts)]
    return replace(
        approved(),
        approved=not faulty,
        reasons=tuple(Problem(subjects=(d,), rule="differences_explained", found=actual) for d in datasets)
        if faulty
        else (),
        warnings=tuple(Problem(subjects=(d,), rule="sound_table", found=actual) for d in datasets) if faulty else (),
        databases=tuple(names),
        spans=tuple(
            InstanceSpan(instance=f"{name}-s{n}", yesterday_t=95_599, today_t=99_871)
            for name in names
            for n in range(8)
        ),
        contracts=tuple(replace(found, dataset=d, results=results, figures=figures) for d in datasets),
        allowances=(ALLOWANCE,) * (200 if faulty else 1),
    )
