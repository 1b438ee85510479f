"""Sums over contracts, databases and refreshes, counted by hand."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from logcache_assets.domain.documents import InstanceSpan
from logcache_assets.report.formatting import show_clauses, show_moment, show_range, show_share
from logcache_assets.report.summary import count_rows, sort_outcomes, summarize_databases, word_of
from logcache_assets.report.trend import find_points, find_row_counts
from logcache_tests.report import samples


def test_rows_of_contracts_are_summed() -> None:
    """62 of 749 differing rows are unexplained, and 3 of another contract's 14 are missed."""
    counts = count_rows(samples.refused().contracts)

    assert (counts.contracts, counts.failed, counts.uncompared) == (3, 2, 1)
    assert (counts.rows, counts.compared, counts.differing) == (1_204 + 3_302, 1_204 + 3_302, 749 + 11)
    assert counts.reasons == {
        "unexplained": 62,
        "missed": 3,
        "new-transaction": 642,
        "referred-entity": 33,
        "renamed-ident": 12,
        "excised": 7,
        "definition-changed": 4,
    }
    assert counts.share_explained == pytest.approx(698 / 763)


def test_what_was_not_compared_has_no_share() -> None:
    """Shares of contracts that were not compared are unknown, not 100 %."""
    counts = count_rows([samples.absent()])

    assert (counts.share_explained, counts.share_found) == (None, None)


def test_a_contract_without_differences_is_explained() -> None:
    """Without differences, the explained share is 100 %."""
    assert count_rows([samples.outcome("contract-feed/x", {"s0": samples.prototype(5, {})})]).share_explained == 1


def test_a_database_whose_name_begins_like_another_keeps_its_own_rows() -> None:
    """`double-entry` and `double-entry-t5b` are separate databases."""
    names = ("double-entry", "double-entry-t5b")
    contracts = [samples.outcome(f"contract-{name}/x", {"s0": samples.prototype(7, {})}) for name in names]
    spans = [InstanceSpan(instance=f"{name}-s0", yesterday_t=0, today_t=9) for name in names]

    found = summarize_databases(
        replace(samples.approved(), databases=names, contracts=tuple(contracts), spans=tuple(spans))
    )

    assert [(d.database, d.counts.rows, len(d.spans)) for d in found] == [(name, 7, 1) for name in names]


def test_failed_contracts_come_first() -> None:
    """Failed contracts come first, then those with warnings; otherwise the order is kept."""
    contracts = (*samples.approved().contracts, *samples.refused().contracts)

    ordered = sort_outcomes(contracts)

    assert [word_of(outcome) for outcome in ordered] == ["failed"] * 2 + ["passed with warnings"] + ["passed"] * 2
    assert [o.dataset for o in ordered if word_of(o) == "passed"] == [o.dataset for o in contracts[:2]]


def test_the_trend_ends_with_the_reported_refresh() -> None:
    """Points are oldest first; a contract that a refresh lacked has a gap."""
    verdict, past = samples.approved(), samples.past(2)

    assert [(p.decided_at, p.approved) for p in find_points(verdict, past)] == [
        (samples.NOW - timedelta(days=120), True),
        (samples.NOW - timedelta(days=60), False),
        (samples.NOW, True),
    ]
    assert find_row_counts(verdict, past) == {
        "contract-customers/phones": (88, None, 88),
        "contract-feed/transactions": (3_302, 3_302, 3_302),
    }


def test_the_trend_of_some_databases_counts_those_alone() -> None:
    """Only refreshes that had all these databases count, and only with these."""
    whole = samples.approved()
    feed, customers = (replace(whole, databases=(name,)) for name in ("feed", "customers"))
    own = replace(feed, contracts=tuple(o for o in whole.contracts if o.dataset.startswith("contract-feed/")))

    rows = [point.counts.rows for point in find_points(own, [whole, customers, own])]

    assert rows == [3_302, 3_302, 3_302]
    assert len(find_points(whole, [own, customers])) == 1


@pytest.mark.parametrize(
    ("share", "text"),
    [
        pytest.param(None, "–", id="unknown"),  # noqa: RUF001
        pytest.param(1.0, "100.00%", id="all"),
        pytest.param(0.99999, "< 100%", id="nearly all"),
        pytest.param(0.0, "0.00%", id="none"),
        pytest.param(0.00001, "> 0%", id="nearly none"),
        pytest.param(0.9172, "91.72%", id="most"),
    ],
)
def test_a_share_never_rounds_a_difference_away(share: float | None, text: str) -> None:
    """100 % is shown only if it is exact."""
    assert show_share(share) == text


def test_a_finding_begins_with_its_cause() -> None:
    """The cause comes first, and the details after it are limited."""
    finding = show_clauses(("cause", *map(str, range(20))))

    assert (finding.lead, finding.clauses, finding.more) == ("cause", ("0", "1", "2", "3", "4", "5"), 14)
    assert finding.left_out(2) == 18


def test_moments_are_shown_in_utc() -> None:
    """Times in other zones are shown in UTC."""
    moment = datetime(2018, 5, 28, 23, 0, tzinfo=timezone(timedelta(hours=-3)))

    assert show_moment(moment) == show_moment(moment.astimezone(UTC)) == "2018-05-29 02:00 UTC"


def test_a_range_of_one_t_is_that_t() -> None:
    """A range of one t is that t; without one it is unknown."""
    assert (show_range(1_000, 1_000), show_range(1_000, 2_000)) == ("1,000", "1,000 to 2,000")
    assert show_range(None, None) == "–"  # noqa: RUF001
