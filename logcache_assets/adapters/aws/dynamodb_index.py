"""The segment index in DynamoDB: the extractor's table, one item per segment.

A question is one query: the instance is the partition, and the sort key leaves out what is not asked for. A page of an
answer ends at 1 MB of items, also of items that a filter then drops, so a page may be empty and yet have a successor.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from typing_extensions import override

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.index_items import (
    LEAST_MILLISECONDS,
    IndexItem,
    IndexRange,
    Item,
    extraction_of_range,
    read_stored_item,
    segment_of_item,
)
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.errors import BadInput
from logcache_assets.ports import SegmentIndex, SegmentIndexUnavailable, SegmentIndexWrongData

Stored = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB writes it: name → {type: value}, numbers as text."""

_INSTANCE = "#db_prototype = :instance"
_AFTER = f"{_INSTANCE} AND #last_t > :after"
_EXTRACTED_SINCE = (
    "NOT attribute_type(#last_batch_t, :number) OR NOT attribute_type(#timestamp, :number)"
    " OR #timestamp < :least OR (#last_batch_t < :before AND #timestamp > :since)"
)
"""Also what cannot be compared, so that it is refused here and never taken for old."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class DynamoDbSegmentIndex(SegmentIndex):
    """The index items of a DynamoDB table; attributes beyond those of an item are ignored.

    The table, and a local index of it, are read consistently: what was written before a question is in its answer. A
    global index cannot be read so: what was written in the last seconds may be missing, which a refresh then takes for
    not yet extracted.

    Args:
        table: the table, its keys, and how it is reached.
        reads: how often a page without an answer is asked for again, beyond the SDK's own repetitions.
    """

    table: SegmentTable
    reads: RepeatedReads = field(default_factory=RepeatedReads)

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        found = self._query(instance, IndexItem, after_t=after_t or None)
        return tuple(self._segment(stored, instance) for stored in found)

    @override
    def newest_t(self, instance: Instance) -> int:
        found = self._query(instance, IndexRange, asked={"ScanIndexForward": False, "Limit": 1})
        return next((self._read(stored, IndexRange, instance).last_t for stored in found), 0)

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        # Timestamps are whole milliseconds, so one is newer than an instant if it is newer than its rounding down.
        since_ms = (since - _EPOCH) // timedelta(milliseconds=1)
        values = {":before": _number(before_t), ":since": _number(since_ms), ":least": _number(LEAST_MILLISECONDS)}
        asked = {"FilterExpression": _EXTRACTED_SINCE}
        # After 0 are all; the condition has a table refused whose sort key is text, as no filter may name a key.
        found = self._query(instance, IndexRange, after_t=0, asked=asked, values={**values, ":number": {"S": "N"}})
        return tuple(extraction_of_range(self._read(stored, IndexRange, instance)) for stored in found)

    def _query(
        self,
        instance: Instance,
        kind: type[IndexItem] | type[IndexRange],
        *,
        after_t: int | None = None,
        asked: Mapping[str, object] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Iterator[Stored]:
        """The items of an instance, of all pages, ascending unless asked otherwise.

        Args:
            instance: whose items.
            kind: the fields that are read.
            after_t: only items with last_t > after_t; None for all.
            asked: more arguments of the query.
            values: of what a filter names.
        """
        own = {name: self.table.names.get(name, name) for name in (*kind.__struct_fields__, "db_prototype")}
        limits = {} if after_t is None else {":after": _number(after_t)}
        request = {
            "TableName": self.table.name,
            **({"IndexName": self.table.index} if self.table.index else {"ConsistentRead": True}),
            "KeyConditionExpression": _AFTER if limits else _INSTANCE,
            "ProjectionExpression": ", ".join(f"#{name}" for name in kind.__struct_fields__),
            "ExpressionAttributeNames": {f"#{name}": called for name, called in own.items()},
            "ExpressionAttributeValues": {":instance": {"S": instance.name}, **limits, **(values or {})},
            **(asked or {}),
        }
        try:
            yield from self._pages(request, instance)
        except SegmentIndexWrongData:
            if limits:
                self._refuse_keys(instance)
            raise

    def _refuse_keys(self, instance: Instance) -> None:
        """Refuse an item by its name if its key is no number: the table refuses a range of such keys without one."""
        for stored in self._query(instance, IndexRange, asked={"Limit": 1}):
            self._read(stored, IndexRange, instance)
            return

    def _pages(self, request: Mapping[str, object], instance: Instance) -> Iterator[Stored]:
        next_key: Mapping[str, object] = {}
        while True:
            page = self._page({**request, **({"ExclusiveStartKey": next_key} if next_key else {})})
            yield from page["Items"]
            last_key = page.get("LastEvaluatedKey")
            if not last_key:
                return
            if last_key == next_key:
                raise SegmentIndexWrongData(f"{self.table.place}: its pages of {instance.name} do not end; run again")
            next_key = last_key

    @repeated
    def _page(self, request: Mapping[str, object]) -> Mapping[str, Any]:
        page = self.table.ask("query", request)
        if "Items" not in page:
            raise SegmentIndexUnavailable(
                f"{self.table.place}: an answer has no list of items, so it is not DynamoDB's; check the endpoint, and "
                "whether a gateway answers in its place"
            )
        return page

    def _segment(self, stored: Stored, instance: Instance) -> Segment:
        try:
            return segment_of_item(self._read(stored, IndexItem, instance), where=self._where(stored, instance))
        except BadInput as error:
            raise SegmentIndexWrongData(str(error)) from error

    def _read(self, stored: Stored, kind: type[Item], instance: Instance) -> Item:
        plain = {name: _plain(value) for name, value in stored.items()}
        try:
            return read_stored_item(plain, kind, where=self._where(stored, instance), names=self.table.names)
        except BadInput as error:
            raise SegmentIndexWrongData(str(error)) from error

    def _where(self, stored: Stored, instance: Instance) -> str:
        return self.table.where(instance.name, _plain(stored.get(self.table.sort_key, {})))


def _number(value: int) -> Mapping[str, str]:
    return {"N": str(value)}


def _plain(value: Mapping[str, Any]) -> object:
    """The plain value of an attribute; a number with a fraction is a float, which no field accepts."""
    kind, content = next(iter(value.items()), ("NULL", True))
    if kind == "N":
        return _whole(str(content))
    return None if kind == "NULL" else content


def _whole(text: str) -> object:
    """A number's text as an int if it is whole (`1E3` is), otherwise as a float."""
    if _NUMBER.fullmatch(text):
        return int(text)
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)
