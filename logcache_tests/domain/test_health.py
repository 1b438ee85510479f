"""What `logcache doctor` makes of what systems report."""

from datetime import UTC, datetime, timedelta

import pytest

from logcache_assets.domain.health import (
    Finding,
    Mark,
    judge_clock,
    judge_encryption,
    judge_expiry_of_caches,
    judge_expiry_of_runs,
    judge_listing,
    judge_newest_items,
    judge_nights,
    judge_owner,
    judge_versioning,
)
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction

NOW = datetime(2018, 5, 24, 12, tzinfo=UTC)


def night(path: str | None, *, type_: str = "DAILY") -> Transaction:
    """A night with one committed dataset."""
    log = Dataset(name="log", state=DatasetState.COMMITTED, path=path, committed_at=NOW, aborted_at=None)
    return Transaction(
        id="an-id",
        name="daily",
        type=type_,
        started_at=NOW,
        target_date=None,
        reference_date=None,
        datasets={"log": log},
    )


WEEK = ExpiryRule(days=7)


def lifecycle(*rules: ExpiryRule) -> Lifecycle:
    """The rules of a bucket."""
    return Lifecycle(rules)


JUDGED = {
    "runs expire": (judge_expiry_of_runs(lifecycle(WEEK)), Mark.OK, "objects expire after 7 days"),
    "runs never expire": (judge_expiry_of_runs(lifecycle()), Mark.FAILED, "nothing expires"),
    "no rule where caches lie": (judge_expiry_of_caches(lifecycle()), Mark.OK, "no rule deletes"),
    "a rule for other keys": (judge_expiry_of_caches(lifecycle(ExpiryRule(days=1, prefix="tmp/"))), Mark.OK, "no rule"),
    "a rule for all keys": (judge_expiry_of_caches(lifecycle(WEEK)), Mark.FAILED, "objects expire after 7 days"),
    "a rule for a part of the prefix": (
        judge_expiry_of_caches(lifecycle(ExpiryRule(days=1, prefix="ca"))),
        Mark.FAILED,
        "objects below ca expire after 1 days",
    ),
    "a rule for some caches": (
        judge_expiry_of_caches(lifecycle(ExpiryRule(days=1, prefix="cache/feed-s0/"))),
        Mark.FAILED,
        "objects below cache/feed-s0/ expire",
    ),
    "versions": (judge_versioning("Enabled"), Mark.OK, "versions are kept"),
    "versions suspended": (judge_versioning("Suspended"), Mark.WARNING, "Suspended"),
    "no versions": (judge_versioning("off"), Mark.WARNING, "off"),
    "encrypted": (judge_encryption("aws:kms with key a", wanted_key=None), Mark.OK, "aws:kms with key a"),
    "encrypted by a key of ours": (judge_encryption("AES256", wanted_key="b"), Mark.OK, "AES256, and writes name b"),
    "not encrypted": (judge_encryption("none", wanted_key=None), Mark.FAILED, "encrypts nothing"),
    "nobody says whether encrypted": (
        judge_encryption("the server does not say", wanted_key=None),
        Mark.WARNING,
        "the server does not say",
    ),
    "an owner": (judge_owner("123456789012", "X"), Mark.OK, "owned by account 123456789012"),
    "no owner": (judge_owner(None, "X"), Mark.WARNING, "nobody says"),
    "the same time": (judge_clock(NOW, NOW + timedelta(seconds=59)), Mark.OK, "59 s apart"),
    "a clock ahead": (judge_clock(NOW, NOW + timedelta(minutes=5)), Mark.FAILED, "300 s ahead of"),
    "a clock behind": (judge_clock(NOW, NOW - timedelta(minutes=5)), Mark.FAILED, "300 s behind"),
    "no clock outside": (judge_clock(None, NOW), Mark.OK, "nothing outside shows the time"),
    "fresh items": (
        judge_newest_items({"feed-s0": NOW - timedelta(days=30), "feed-s1": NOW - timedelta(hours=5)}, now=NOW),
        Mark.OK,
        "the newest of 2 instances is 5.0 hours old, of feed-s1",
    ),
    "old items": (judge_newest_items({"feed-s0": NOW - timedelta(days=8)}, now=NOW), Mark.FAILED, "8.0 days old"),
    "items of the future": (
        judge_newest_items({"feed-s0": NOW + timedelta(hours=2)}, now=NOW),
        Mark.FAILED,
        "from the future, 2018-05-24 14:00 UTC",
    ),
    "an instance without items": (
        judge_newest_items({"feed-s0": NOW, "feed-s9": None}, now=NOW),
        Mark.FAILED,
        "1 instance without an item, first feed-s9",
    ),
    "no instance": (judge_newest_items({}, now=NOW), Mark.FAILED, "no instance is declared"),
    "nights": (judge_nights(2, days=14), Mark.OK, "2 nightly runs in 14 days"),
    "a run as listed": (judge_listing(night("s3://b/log"), night("s3://b/log")), Mark.OK, "1 dataset, as in the"),
    "a run of another type": (
        judge_listing(night("s3://b/log", type_="CUSTOM"), night("s3://b/log")),
        Mark.FAILED,
        "the listing shows another type of run an-id",
    ),
    "other datasets": (judge_listing(night("s3://b/x"), night("s3://b/log")), Mark.FAILED, "another datasets of run"),
    "no path": (
        judge_listing(night(None), night(None)),
        Mark.FAILED,
        "1 committed dataset of run an-id without an s3:// path, first log",
    ),
    "no night": (judge_nights(0, days=14), Mark.FAILED, "no nightly run in 14 days"),
}


@pytest.mark.parametrize(("finding", "mark", "found"), JUDGED.values(), ids=JUDGED)
def test_an_answer_is_judged(finding: Finding, mark: Mark, found: str) -> None:
    """What must be remedied says how; what is well asks for nothing."""
    assert finding.mark is mark
    assert found in finding.found
    assert bool(finding.remedy) == (mark is not Mark.OK)
