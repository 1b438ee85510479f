"""The local world's extractor writes into DynamoDB: only into a table that `logcache local reset` made."""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.errors import Refused
from logcache_assets.local_platform.dynamodb_items import DynamoDbSegmentItems
from logcache_assets.ports import SegmentIndexWrongData
from logcache_tests.adapters.dynamodb_tables import access_to, filled_table, make_table
from logcache_tests.adapters.test_segment_index import FEED, FIRST, SECOND
from logcache_tests.servers.server import Server

CHAIN = [replace(FIRST, path="s3://logs/x.avro", initial_t=t, last_batch_t=t - 1, last_t=t) for t in range(1, 61)]


@pytest.fixture(params=["moto_server", pytest.param("dynamodb_server", marks=pytest.mark.servers)])
def server(request: pytest.FixtureRequest) -> Server:
    """A server of DynamoDB."""
    found: Server = request.getfixturevalue(request.param)
    return found


def content(server: Server, table: SegmentTable) -> list[dict[str, Any]]:
    """All that lies in a table."""
    found: list[dict[str, Any]] = server.client("dynamodb").scan(TableName=table.name)["Items"]
    return sorted(found, key=str)


def test_a_reset_makes_the_table_with_the_configured_keys(server: Server) -> None:
    """And a second reset empties it."""
    table = SegmentTable(
        access=access_to(server), name=f"made-{time.monotonic_ns()}", partition_key="where", sort_key="until"
    )
    items, index = DynamoDbSegmentItems(table), DynamoDbSegmentIndex(table)

    items.make_empty()
    items.put(CHAIN)
    assert index.segments(FEED) == tuple(CHAIN)
    items.make_empty()

    assert index.segments(FEED) == ()
    items.put([FIRST])
    assert index.segments(FEED) == (FIRST,)


def test_an_empty_table_that_somebody_made_is_taken(server: Server) -> None:
    """Not everybody may create tables."""
    table = make_table(server)

    DynamoDbSegmentItems(table).make_empty()
    DynamoDbSegmentItems(table).put([FIRST])

    assert DynamoDbSegmentIndex(table).segments(FEED) == (FIRST,)


def test_an_item_of_the_same_key_is_replaced(server: Server) -> None:
    """As by a re-extraction."""
    table = made(server, [FIRST, SECOND])
    again = replace(FIRST, path="s3://logs/again.avro", timestamp_ms=FIRST.timestamp_ms + 1)

    DynamoDbSegmentItems(table).put([again])

    assert DynamoDbSegmentIndex(table).segments(FEED) == (again, SECOND)


def test_a_removed_item_is_gone(server: Server) -> None:
    """The others stay; what is not there is refused."""
    table = made(server, [FIRST, SECOND])
    items = DynamoDbSegmentItems(table)

    items.remove(FEED, FIRST.last_t)

    for instance, last_t in ((FEED, FIRST.last_t), (Instance(database="feed", prototype="s1"), SECOND.last_t)):
        with pytest.raises(SegmentIndexWrongData, match=rf"{instance.name} ends at t {last_t}, so none was removed"):
            items.remove(instance, last_t)
    assert DynamoDbSegmentIndex(table).segments(FEED) == (SECOND,)


def test_a_table_of_others_is_never_changed(server: Server) -> None:
    """It may be the extractor's own; nothing is added to it, and nothing is taken out."""
    table = filled_table(server, [FIRST, SECOND])
    before, items = content(server, table), DynamoDbSegmentItems(table)

    for act in (items.make_empty, lambda: items.put([FIRST]), lambda: items.remove(FEED, FIRST.last_t)):
        with pytest.raises(Refused, match=rf"{table.name} .* no `logcache local reset` made.*LOGCACHE_SEGMENT_TABLE"):
            act()

    assert content(server, table) == before


def made(server: Server, segments: Iterable[Segment]) -> SegmentTable:
    """A table of a local world that holds these segments."""
    table = make_table(server)
    items = DynamoDbSegmentItems(table)
    items.make_empty()
    items.put(segments)
    return table
