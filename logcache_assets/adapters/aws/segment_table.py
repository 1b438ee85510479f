"""The DynamoDB table that holds the segment index: its name, its keys, and requests to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.aws_faults import code_of, find_fault, is_expired, sdk_errors, words_of
from logcache_assets.ports import SegmentIndexUnavailable, SegmentIndexWrongData

SERVICE = "dynamodb"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTable:
    """Where the segment index is; a value that can be pickled."""

    access: AwsAccess
    name: str
    index: str | None = None
    """An index of the table to ask instead of it."""
    partition_key: str = "db_prototype"
    """Name of the partition key, a string: `feed-s0`."""
    sort_key: str = "last_t"
    """Name of the sort key, a number."""

    @property
    def names(self) -> Mapping[str, str]:
        """Field of an index item → the table's name of it, where it is configured."""
        return {"db_prototype": self.partition_key, "last_t": self.sort_key}

    @property
    def place(self) -> str:
        """What messages call the table."""
        return f"DynamoDB table {self.name}" + (f", index {self.index}" if self.index else "")

    def where(self, partition: object, sort: object) -> str:
        """What messages call an item."""
        return f"{self.place}, item {partition} / {self.sort_key} {sort!r}"

    def ask(self, method: str, request: Mapping[str, object]) -> Mapping[str, Any]:
        """Send one request about the table; the SDK repeats it, with growing pauses, while the service is too busy.

        Args:
            method: of the SDK's client, `query`.
            request: its arguments.

        Raises:
            SegmentIndexUnavailable: no answer came.
            SegmentIndexWrongData: the service refuses the request.
        """
        try:
            answer: Mapping[str, Any] = getattr(self.access.client(SERVICE), method)(**request)
        except sdk_errors() as error:
            if is_expired(error):
                self.access.forget_credentials()
            # Not `from error`: its words may repeat the request's headers, and causes are printed.
            raise self._refusal(error) from None
        return answer

    def is_refused(self, method: str, request: Mapping[str, object], *, code: str) -> bool:
        """Send one request; True if the service refuses it with this code, and every other refusal is raised."""
        try:
            getattr(self.access.client(SERVICE), method)(**request)
        except sdk_errors() as error:
            if code_of(error) != code:
                raise self._refusal(error) from None
            return True
        return False

    def _refusal(self, error: Exception) -> SegmentIndexUnavailable | SegmentIndexWrongData:
        """The port's error for an error of the SDK."""
        words = words_of(error, endpoint_url=self.access.endpoint_url)
        if code_of(error) == "ResourceNotFoundException":
            return SegmentIndexWrongData(
                f"{self.place}: there is none in {self._region}; correct LOGCACHE_SEGMENT_TABLE, LOGCACHE_AWS_REGION "
                "or the account of the credentials"
            )
        if code_of(error) == "ValidationException":
            return SegmentIndexWrongData(
                f"{self.place} refuses the request ({words}); its partition key must be the string "
                f"{self.partition_key} and its sort key the number {self.sort_key}: correct "
                "LOGCACHE_SEGMENT_PARTITION_KEY, LOGCACHE_SEGMENT_SORT_KEY, LOGCACHE_SEGMENT_TABLE_INDEX or the table"
            )
        fault = find_fault(error, service=SERVICE, endpoint_url=self.access.endpoint_url)
        kind = SegmentIndexUnavailable if fault.is_outage else SegmentIndexWrongData
        return kind(f"{self.place}: {fault.found}; {fault.remedy}")

    @property
    def _region(self) -> str:
        return str(self.access.client(SERVICE).meta.region_name)
