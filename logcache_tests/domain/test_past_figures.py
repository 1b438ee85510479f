"""The history of a contract: what earlier refreshes counted of it."""

from datetime import timedelta

from logcache_assets.domain.documents import ContractOutcome, Verdict
from logcache_assets.domain.outcomes import judged_outcome, unusable_outcome
from logcache_assets.domain.past_figures import find_past_figures
from logcache_tests.domain.contract_samples import ACCOUNTS, contract_figures, rule_result
from logcache_tests.domain.samples import BINDING, NOW, changed, verdict

NIGHT = BINDING.yesterday_transaction


def counted(rows: int, *, passed: bool = True, dataset: str = ACCOUNTS) -> ContractOutcome:
    """A contract of so many rows on the quiet prototype."""
    results = [rule_result("sound_table", passed=passed)]
    return judged_outcome(dataset, uri="s3://b/c", figures=contract_figures(s1_rows=rows), results=results)


def refresh(night: str, *outcomes: ContractOutcome, days: int = 0, approved: bool = True) -> Verdict:
    """The verdict of a refresh, so many days after the first."""
    return changed(
        verdict(),
        approved=approved,
        binding=changed(BINDING, yesterday_transaction=night),
        decided_at=NOW + timedelta(days=days),
        contracts=outcomes,
    )


def rows_of(*verdicts: Verdict, dataset: str = ACCOUNTS) -> list[int]:
    """The rows in the history of one contract."""
    found = find_past_figures(verdicts, night=NIGHT)
    return [(figures.prototypes or {})["s1"].rows for figures in found.get(dataset, ())]


def test_figures_come_in_the_order_of_time() -> None:
    """Whatever the order in which verdicts are read."""
    later, first = refresh("b", counted(20), days=2), refresh("a", counted(10), days=1)

    assert rows_of(later, first) == [10, 20]


def test_what_a_rule_blocked_is_no_history() -> None:
    """Though another contract of a refused refresh is."""
    cards = "contract-feed/cards"
    refused = refresh("a", counted(10, passed=False), counted(30, dataset=cards), approved=False)

    assert rows_of(refused, refresh("b", counted(20), days=1)) == [20]
    assert rows_of(refused, dataset=cards) == [30]


def test_a_contract_without_a_table_is_no_history() -> None:
    """It was not counted."""
    assert rows_of(refresh("a", unusable_outcome(ACCOUNTS, "it is aborted", rules=("sound_table",)))) == []


def test_the_last_verdict_over_a_night_counts() -> None:
    """One refresh per night, however often it was judged; what was refused at last is forgotten."""
    twice = refresh("a", counted(10)), refresh("a", counted(11), days=3), refresh("b", counted(20), days=1)
    refused_at_last = refresh("a", counted(10)), refresh("a", counted(11, passed=False), days=1)

    assert rows_of(*twice) == [11, 20]
    assert rows_of(*refused_at_last) == []


def test_the_present_night_is_no_history_of_its_own() -> None:
    """A refresh that is judged again must not be held against its first try."""
    assert rows_of(refresh(NIGHT, counted(10)), refresh("a", counted(20))) == [20]


def test_a_verdict_outside_a_refresh_is_no_history() -> None:
    """It is of folders that anybody chose."""
    assert rows_of(changed(refresh("a", counted(10)), binding=None)) == []
