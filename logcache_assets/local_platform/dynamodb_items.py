"""Writes the local world's index items into a DynamoDB table, which `logcache local reset` makes.

A table that it did not make is never written: it may be the extractor's own. What tells them apart is one item of the
table, whose partition no database instance can have.
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from typing_extensions import override

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.domain.index_items import item_of_segment
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.errors import Refused
from logcache_assets.local_platform.segment_items import SegmentItems
from logcache_assets.ports import SegmentIndexUnavailable, SegmentIndexWrongData

MARK = "a local world of logcache"
"""Partition of the item that marks a table; an instance's name ends with its prototype."""
AT_ONCE = 25
"""DynamoDB's limit of one request of writes."""
PATIENCE_SECONDS = 60.0
"""How long a new table may take to exist, and writes to be accepted."""
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class DynamoDbSegmentItems(SegmentItems):
    """The items of a DynamoDB table that holds nothing but a local world's."""

    table: SegmentTable

    @override
    def make_empty(self) -> None:
        if not self._exists():
            self._create()
        found = [self._key(item) for item in self._scan()]
        if found and self._mark not in found:
            raise Refused(self._not_ours("holds items that"))
        self._write({"DeleteRequest": {"Key": key}} for key in found if key != self._mark)
        self._write([{"PutRequest": {"Item": self._mark}}])

    @override
    def put(self, segments: Iterable[Segment]) -> None:
        self._require_mark()
        self._write({"PutRequest": {"Item": self._item(segment)}} for segment in segments)

    @override
    def remove(self, instance: Instance, last_t: int) -> None:
        self._require_mark()
        sort = self.table.sort_key
        request = {
            **self._named,
            "Key": {self.table.partition_key: {"S": instance.name}, sort: {"N": str(last_t)}},
            "ConditionExpression": "attribute_exists(#sort)",
            "ExpressionAttributeNames": {"#sort": sort},
        }
        if self.table.is_refused("delete_item", request, code="ConditionalCheckFailedException"):
            raise SegmentIndexWrongData(
                f"{self.table.place}: no item of {instance.name} ends at t {last_t}, so none was removed; "
                "name the last_t of an item that exists"
            )

    @property
    def _named(self) -> dict[str, Any]:
        return {"TableName": self.table.name}

    @property
    def _mark(self) -> Mapping[str, Any]:
        return {self.table.partition_key: {"S": MARK}, self.table.sort_key: {"N": "0"}}

    def _key(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: item[name] for name in (self.table.partition_key, self.table.sort_key)}

    def _item(self, segment: Segment) -> Mapping[str, Any]:
        fields = msgspec.to_builtins(item_of_segment(segment))
        return {
            self.table.names.get(name, name): {"N" if isinstance(value, int) else "S": str(value)}
            for name, value in fields.items()
        }

    def _require_mark(self) -> None:
        request = {**self._named, "Key": self._mark, "ConsistentRead": True}
        if "Item" not in self.table.ask("get_item", request):
            raise Refused(self._not_ours("is a table that"))

    def _not_ours(self, why: str) -> str:
        return (
            f"{self.table.place} {why} no `logcache local reset` made, so it is not changed; "
            "name a table of the local world's own in LOGCACHE_SEGMENT_TABLE"
        )

    def _exists(self) -> bool:
        return not self.table.is_refused("describe_table", self._named, code="ResourceNotFoundException")

    def _create(self) -> None:
        keys = {self.table.partition_key: ("HASH", "S"), self.table.sort_key: ("RANGE", "N")}
        request = {
            **self._named,
            "KeySchema": [{"AttributeName": name, "KeyType": role} for name, (role, _) in keys.items()],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": value} for name, (_, value) in keys.items()
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }
        self.table.ask("create_table", request)
        for _ in self._patiently("is not there yet"):
            if self.table.ask("describe_table", self._named)["Table"]["TableStatus"] == "ACTIVE":
                return

    def _scan(self) -> Iterator[Mapping[str, Any]]:
        names = {"#partition": self.table.partition_key, "#sort": self.table.sort_key}
        request = {
            **self._named,
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
        }
        while True:
            page = self.table.ask("scan", request)
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, writes: Iterable[Mapping[str, Any]]) -> None:
        waiting = iter(writes)
        while chunk := list(itertools.islice(waiting, AT_ONCE)):
            for _ in self._patiently("accepts no more writes"):
                answer = self.table.ask("batch_write_item", {"RequestItems": {self.table.name: chunk}})
                chunk = answer.get("UnprocessedItems", {}).get(self.table.name, [])
                if not chunk:
                    break

    def _patiently(self, trouble: str) -> Iterator[None]:
        """Go on, with pauses, for as long as the caller does not leave the loop.

        Raises:
            SegmentIndexUnavailable: it took too long.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            yield
            time.sleep(_PAUSE_SECONDS)
        raise SegmentIndexUnavailable(f"{self.table.place} {trouble}; run again later")
