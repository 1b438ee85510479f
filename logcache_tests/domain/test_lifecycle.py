"""When lifecycle rules delete an object; the cases are those of S3's documentation of lifecycle configurations."""

from datetime import UTC, datetime

import pytest

from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle

WRITTEN = datetime(2018, 5, 24, 2, 30, tzinfo=UTC)
WEEK = datetime(2018, 5, 31, 2, 30, tzinfo=UTC)
FORTNIGHT = datetime(2018, 6, 7, 2, 30, tzinfo=UTC)
DATE = datetime(2018, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "expires_at"),
    [
        pytest.param([], None, id="no rule"),
        pytest.param([ExpiryRule(days=7)], WEEK, id="days"),
        pytest.param([ExpiryRule(date=DATE)], DATE, id="a date"),
        pytest.param([ExpiryRule(days=14), ExpiryRule(days=7)], WEEK, id="the first of several"),
        pytest.param([ExpiryRule(days=14), ExpiryRule(date=DATE)], DATE, id="a date before the days"),
        pytest.param([ExpiryRule(days=7, prefix="raw/")], WEEK, id="its prefix"),
        pytest.param([ExpiryRule(days=7, prefix="contract/")], None, id="another prefix"),
        pytest.param([ExpiryRule(days=7, prefix="contract/"), ExpiryRule(days=14)], FORTNIGHT, id="the one that fits"),
        pytest.param([ExpiryRule(days=7, above_bytes=100)], None, id="larger objects only"),
        pytest.param([ExpiryRule(days=7, above_bytes=99)], WEEK, id="larger than 99 bytes"),
        pytest.param([ExpiryRule(days=7, below_bytes=100)], None, id="smaller objects only"),
        pytest.param([ExpiryRule(days=7, below_bytes=101)], WEEK, id="smaller than 101 bytes"),
    ],
)
def test_the_rule_that_deletes_first_counts(rules: list[ExpiryRule], expires_at: datetime | None) -> None:
    """An object of 100 bytes at raw/1.parquet."""
    lifecycle = Lifecycle(tuple(rules))

    assert lifecycle.expires_at("s3://bucket/raw/1.parquet", size_bytes=100, modified_at=WRITTEN) == expires_at


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([], "nothing expires"),
        ([ExpiryRule(days=7)], "objects expire after 7 days"),
        (
            [ExpiryRule(days=7, prefix="raw/"), ExpiryRule(date=DATE)],
            "objects below raw/ expire after 7 days; objects expire on 2018-06-01",
        ),
    ],
)
def test_a_lifecycle_reads_as_a_sentence(rules: list[ExpiryRule], sentence: str) -> None:
    """For a person, in one line."""
    assert str(Lifecycle(tuple(rules))) == sentence
