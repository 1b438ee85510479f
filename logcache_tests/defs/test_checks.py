"""The one check of a contract: its sentence, colour and table."""

from typing import Any

import dagster as dg
import pytest

from logcache_assets.defs.checks import contract_check_result
from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.rules.results import RuleResult

KEY = dg.AssetKey(["contract", "feed", "accounts"])
REPORT = dg.MetadataValue.url("https://reports.invalid/all.html")


def result_of(
    rule: str, *, found: str = "", severity: str = "block", figures: dict[str, int | float] | None = None
) -> RuleResult:
    """A result that passes unless something was found."""
    return RuleResult(
        rule=rule,
        passed=not found,
        expected="as yesterday",
        actual=(found or "as yesterday",),
        figures=figures or {},
        severity="warn" if severity == "warn" else "block",
    )


GOOD, BLOCKS = result_of("sound_table", figures={"rows": 12}), result_of("nothing_missed", found="1 cell missed")
WARNS = result_of("rows_within_band", found="10 rows more", severity="warn")


def check_of(*results: RuleResult) -> dg.AssetCheckResult:
    """The check of a contract with these results."""
    outcome = ContractOutcome(
        dataset="contract-feed/accounts", state="committed", uri=None, rows=12, yesterday_rows=12, results=results
    )
    return contract_check_result(KEY, outcome, report=REPORT)


@pytest.mark.parametrize(
    ("results", "passed", "severity", "sentence"),
    [
        pytest.param((GOOD,), True, "WARN", "1 rule passed", id="good"),
        pytest.param((GOOD, WARNS), False, "WARN", "rows_within_band: 10 rows more", id="a warning"),
        pytest.param(
            (GOOD, WARNS, BLOCKS),
            False,
            "ERROR",
            "nothing_missed: 1 cell missed; rows_within_band: 10 rows more",
            id="what blocks comes first",
        ),
        pytest.param(
            (result_of("sound_table", found="it is aborted"), result_of("nothing_missed", found="it is aborted")),
            False,
            "ERROR",
            "it is aborted",
            id="one reason, told once",
        ),
        pytest.param((), False, "ERROR", "no rule has a result", id="nothing was judged"),
    ],
)
def test_the_check_says_the_first_cause(
    results: tuple[RuleResult, ...], *, passed: bool, severity: str, sentence: str
) -> None:
    """Red where something stops the publication, yellow where somebody should look."""
    check = check_of(*results)

    assert (check.passed, check.severity.value, check.description) == (passed, severity, sentence)


def test_every_rule_is_a_row() -> None:
    """Those that block first, each with what to do."""
    table: Any = check_of(GOOD, BLOCKS).metadata["rules"].value

    rows = [row.data for row in table.records]

    assert [(row["rule"], row["result"], row["found"]) for row in rows] == [
        ("nothing_missed", "blocks", "1 cell missed"),
        ("sound_table", "passed", "as yesterday"),
    ]
    assert [bool(row["what to do"]) for row in rows] == [True, False]


def test_figures_of_the_whole_contract_are_plotted_and_rounded() -> None:
    """A share that a page shows has no digits that say nothing; a plot per column would hide the others."""
    figures: dict[str, int | float] = {"share_equal": 0.9972826086956522, "share_equal/account__status": 0.5}

    metadata = check_of(GOOD, result_of("values_found_yesterday", figures=figures)).metadata

    assert {name: metadata[name].value for name in ("rows", "share_equal")} == {"rows": 12, "share_equal": 0.997283}
    assert "share_equal/account__status" not in metadata
