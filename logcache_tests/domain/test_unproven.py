"""What is not proven of an exported log, in words."""

from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from logcache_assets.domain.log_documents import DifferingAttribute, RawLogs
from logcache_assets.domain.log_ranges import ComparedRange, datom_sum
from logcache_assets.domain.unproven import find_unproven
from logcache_tests.domain.samples import READ_AT, compared_range, raw_logs

PATH = "s3://logs/feed-s0-0-4836.avro"


def problems_of(logs: RawLogs) -> list[str]:
    """What is found, as texts."""
    return [str(problem) for problem in find_unproven(logs, source_read_at=READ_AT)]


def differing(last_batch_t: int = 0, last_t: int = 4836, *, missing: int = 0, extra: int = 0) -> ComparedRange:
    """A range in which the log is not its segment."""
    return replace(compared_range(last_batch_t, last_t), log=datom_sum(24_309, 8), missing=missing, extra=extra)


def test_a_proven_log_has_no_problem() -> None:
    """The samples are sound."""
    assert problems_of(raw_logs()) == []


@pytest.mark.parametrize(
    ("logs", "found"),
    [
        pytest.param(
            replace(raw_logs(), ranges=(differing(missing=1),)),
            f"feed-s0: the log is not its segments: in t (0, 4836], of segment {PATH}, 1 datom is missing (C31); ",
            id="a lost datom",
        ),
        pytest.param(
            replace(raw_logs(), ranges=(differing(missing=1200, extra=2),)),
            "1,200 datoms are missing and 2 datoms are extra (C31)",
            id="both",
        ),
        pytest.param(
            replace(raw_logs(), ranges=(differing(),)),
            "the log has 24309 datoms, the segment 24310, and they differ (C31)",
            id="not counted",
        ),
        pytest.param(
            replace(raw_logs(), ranges=()),
            "feed-s0: the segment index has a gap, nothing covers t in (0, 4836] (C2); ",
            id="never compared",
        ),
        pytest.param(
            replace(raw_logs(), outside_datoms=3),
            "feed-s0: datoms of the log that lie in no segment's range of t: 3 (C31); ",
            id="outside",
        ),
        pytest.param(
            replace(raw_logs(), wrong_txes=1),
            "feed-s0: t of the log whose tx or instant is not that of its datoms: 1 (C31); ",
            id="another tx",
        ),
        pytest.param(
            replace(raw_logs(), differing_attributes=(DifferingAttribute(attribute=73, missing=2, extra=0),)),
            "the materialized entities are not the facts of the log: of attribute 73, 2 datoms are missing (C31); ",
            id="other facts",
        ),
        pytest.param(
            replace(raw_logs(), log=replace(raw_logs().log, fingerprint="sum:2")),
            "the materialized entities are not the facts of the log: their sums differ (C31); ",
            id="other sums",
        ),
        pytest.param(
            replace(raw_logs(), misplaced_facts=1),
            "feed-s0: facts of the materialized entities that lie where no reader looks for them: 1 (C17); ",
            id="another file",
        ),
        pytest.param(
            replace(raw_logs(), wrong_integers=2),
            "facts of the materialized entities whose number is not that of their text: 2 (C31); ",
            id="other numbers",
        ),
    ],
)
def test_each_fault_is_one_sentence(logs: RawLogs, found: str) -> None:
    """It names the instance, the place, and how much."""
    (problem,) = problems_of(logs)

    assert found in problem


def test_a_later_extraction_is_no_evidence_of_what_the_night_read() -> None:
    """The log is refused as stale, and not accused of a difference that the extraction explains."""
    later = replace(differing(extra=7), timestamp_ms=int((READ_AT + timedelta(seconds=1)).timestamp() * 1000))

    (problem,) = problems_of(replace(raw_logs(), ranges=(later,)))

    assert "may still hold deleted personal data (C7)" in problem


def test_many_ranges_are_named_by_the_first() -> None:
    """A log that is wrong everywhere gives a short sentence."""
    ends = [*range(0, 4836, 10), 4836]
    ranges = tuple(differing(after_t, until_t, missing=1) for after_t, until_t in pairwise(ends))

    (problem,) = problems_of(replace(raw_logs(), ranges=ranges))

    assert "; and 481 more (C31); " in problem
    assert problem.count("1 datom is missing") == 3
