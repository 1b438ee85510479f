"""Segment tables of tests: made on a server, filled item by item as the extractor does."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.domain.index_items import item_of_segment
from logcache_assets.domain.segments import Segment
from logcache_tests.servers.server import Server

_NUMBERS = itertools.count()
"""Each table has a name of its own: a server serves all tests of a worker."""


def access_to(server: Server, *, max_attempts: int = 1) -> AwsAccess:
    """How our adapters reach a server."""
    return AwsAccess(region=server.region, endpoint_url=server.endpoint_url, max_attempts=max_attempts)


def make_table(server: Server, *, sort_type: str = "N", **names: str) -> SegmentTable:
    """A new table; `names` are those of its keys."""
    table = SegmentTable(access=access_to(server), name=f"segments-{next(_NUMBERS)}", **names)
    server.client("dynamodb").create_table(
        TableName=table.name,
        KeySchema=[
            {"AttributeName": table.partition_key, "KeyType": "HASH"},
            {"AttributeName": table.sort_key, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": table.partition_key, "AttributeType": "S"},
            {"AttributeName": table.sort_key, "AttributeType": sort_type},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return table


def written(value: object) -> Mapping[str, object]:
    """A value as DynamoDB writes it."""
    if value is None:
        return {"NULL": True}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def stored(segment: Segment, **changes: object) -> dict[str, Any]:
    """A segment's item as the table of the default names holds it; `...` takes a field out."""
    fields = {**msgspec.to_builtins(item_of_segment(segment)), **changes}
    return {name: written(value) for name, value in fields.items() if value is not ...}


def put(server: Server, table: SegmentTable, items: Iterable[Mapping[str, Any]]) -> None:
    """Write items, one by one."""
    client = server.client("dynamodb")
    for item in items:
        client.put_item(TableName=table.name, Item={table.names.get(name, name): value for name, value in item.items()})


def filled_table(server: Server, segments: Iterable[Segment], **names: str) -> SegmentTable:
    """A new table that holds these segments."""
    table = make_table(server, **names)
    put(server, table, map(stored, segments))
    return table
