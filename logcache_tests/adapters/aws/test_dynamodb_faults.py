"""The segment index on DynamoDB through faults: the same answer, or none."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.ports import SegmentIndexUnavailable
from logcache_tests.adapters.dynamodb_tables import access_to, filled_table
from logcache_tests.adapters.test_segment_index import FEED, FIRST, LONG_AGO, SECOND, THIRD
from logcache_tests.servers.fault_proxy.faults import Fault, Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy, fault_proxy
from logcache_tests.servers.server import Server

pytestmark = pytest.mark.servers

ASKED = 8
SEGMENTS = (FIRST, SECOND, THIRD)


@pytest.fixture
def proxy(dynamodb_server: Server) -> Iterator[FaultProxy]:
    """A proxy before DynamoDB Local."""
    with fault_proxy(dynamodb_server) as running:
        yield running


def index_behind(proxy: FaultProxy, *, max_attempts: int = 10) -> DynamoDbSegmentIndex:
    """An index that holds the segments, asked through the proxy."""
    table = filled_table(proxy.upstream, SEGMENTS)
    return DynamoDbSegmentIndex(
        replace(table, access=access_to(proxy.server, max_attempts=max_attempts)),
        reads=RepeatedReads(attempts=4, first_pause_seconds=0.01),
    )


@pytest.mark.parametrize(
    ("faults", "injected"),
    [
        pytest.param(Faults(slow_down=0.3), Fault.SLOW_DOWN, id="throttled"),
        pytest.param(Faults(dropped_reply=0.3), Fault.DROPPED_REPLY, id="replies lost"),
        pytest.param(Faults(truncated=0.3), Fault.TRUNCATED, id="answers cut short"),
        pytest.param(Faults(corrupted=0.3), Fault.CORRUPTED, id="one bit is another"),
    ],
)
def test_every_answer_is_right(proxy: FaultProxy, faults: Faults, injected: Fault) -> None:
    """What was damaged or refused for the moment is asked for again."""
    index = index_behind(proxy)

    with proxy.injecting(faults):
        found = [index.segments(FEED) for _ in range(ASKED)]
        newest = index.newest_t(FEED)
        extracted = index.extracted_since(FEED, before_t=THIRD.last_t, since=LONG_AGO)
        assert set(proxy.injected) == {injected}

    assert found == [SEGMENTS] * ASKED
    assert newest == THIRD.last_t
    assert [item.last_t for item in extracted] == [segment.last_t for segment in SEGMENTS]


def test_a_table_that_stays_busy_is_told(proxy: FaultProxy) -> None:
    """Nothing is known then; an empty answer would be a shorter log."""
    index = index_behind(proxy, max_attempts=2)

    with proxy.injecting(Faults(slow_down=1)), pytest.raises(SegmentIndexUnavailable):
        index.segments(FEED)


def test_expired_credentials_are_told(proxy: FaultProxy) -> None:
    """With what to do; nothing is known of the segments."""
    index = index_behind(proxy)

    with proxy.injecting(Faults(expire_after=0)), pytest.raises(SegmentIndexUnavailable, match="expired"):
        index.segments(FEED)
