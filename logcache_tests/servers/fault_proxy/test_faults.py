"""Faults are chosen by seed, in the shares that were asked for."""

from collections import Counter

import pytest

from logcache_tests.servers.fault_proxy.faults import NO_FAULTS, Fault, Faults, choose_fault
from logcache_tests.servers.fault_proxy.requests import Request

COPIES = [Request("PUT", f"/target/{n}", {"x-amz-copy-source": f"source/{n}"}) for n in range(5000)]
GETS = [Request("GET", f"/source/{n}", {}) for n in range(5000)]
LISTING = Request("GET", "/source?list-type=2", {})


def chosen(faults: Faults, requests: list[Request], *, attempt: int = 0) -> list[Fault | None]:
    """The fault of each."""
    return [choose_fault(faults, request, attempt=attempt, with_credential=0) for request in requests]


@pytest.mark.parametrize(
    ("faults", "requests", "fault"),
    [
        (Faults(slow_down=0.3), COPIES, Fault.SLOW_DOWN),
        (Faults(dropped_reply=0.3), GETS, Fault.DROPPED_REPLY),
        (Faults(error_in_200=0.3), COPIES, Fault.ERROR_IN_200),
        (Faults(vanished=0.3), COPIES, Fault.VANISHED),
        (Faults(truncated=0.3), GETS, Fault.TRUNCATED),
        (Faults(corrupted=0.3), GETS, Fault.CORRUPTED),
    ],
)
def test_the_share_is_kept(faults: Faults, requests: list[Request], fault: Fault) -> None:
    """Three of ten, give or take five standard deviations."""
    counts = Counter(chosen(faults, requests))

    assert set(counts) == {None, fault}
    assert counts[fault] == pytest.approx(1500, abs=5 * 32.4)


def test_the_same_seed_chooses_the_same() -> None:
    """A failure can be repeated, whatever the order of the requests; another seed chooses others."""
    ahead, back = chosen(Faults(slow_down=0.3), COPIES), chosen(Faults(slow_down=0.3), COPIES[::-1])

    assert ahead == back[::-1]
    assert ahead != chosen(Faults(slow_down=0.3, seed=1), COPIES)


def test_a_repetition_has_another_fate() -> None:
    """What is refused once is not refused for ever, but a source that vanished stays away."""
    assert chosen(Faults(slow_down=0.3), COPIES) != chosen(Faults(slow_down=0.3), COPIES, attempt=1)
    assert chosen(Faults(vanished=0.3), COPIES) == chosen(Faults(vanished=0.3), COPIES, attempt=1)


def test_only_what_can_meet_a_fault_meets_it() -> None:
    """S3 answers 200 with an error to copies alone; only what has a source can lose it; only reads have bodies."""
    assert set(chosen(Faults(error_in_200=1, vanished=1), [*GETS, LISTING])) == {None}
    assert set(chosen(Faults(corrupted=1, truncated=1), COPIES)) == {None}
    assert chosen(Faults(corrupted=1), [LISTING]) == [None]
    assert chosen(Faults(truncated=1), [LISTING]) == [Fault.TRUNCATED]


def test_only_the_named_operations_meet_faults() -> None:
    """A test may disturb one operation."""
    faults = Faults(slow_down=1, operations=frozenset({"ListObjectsV2"}))

    assert chosen(faults, [LISTING, COPIES[0]]) == [Fault.SLOW_DOWN, None]


def test_credentials_are_good_for_so_many_requests() -> None:
    """Then every request with them is refused."""
    faults = Faults(expire_after=2)

    found = [choose_fault(faults, LISTING, attempt=0, with_credential=before) for before in range(4)]

    assert found == [None, None, Fault.EXPIRED, Fault.EXPIRED]


def test_without_faults_nothing_happens() -> None:
    """Every request passes."""
    assert set(chosen(NO_FAULTS, [*COPIES, *GETS, LISTING])) == {None}
