"""The documents that describe raw logs: the export notebook's request and answer, the export, and the manifest.

Like all documents (documents.py) they hold figures and digests, never a value of a log.
"""

from datetime import datetime
from typing import Literal

from logcache_assets.domain.documents import Document
from logcache_assets.domain.log_ranges import ComparedRange, ProvenRange, RequestedSegment

Origin = Literal["night", "segments", "adopted"]


class FileProof(Document, frozen=True, kw_only=True):
    """One Parquet file of an export or a manifest, identified by its ETag and proven by its checksum."""

    name: str
    """Relative to its folder."""
    size_bytes: int
    etag: str
    """The object's ETag as listings show it; a copy of the object has a different one."""
    checksum: str | None = None
    """`crc64nvme:<16 hex digits>` of the bytes, in every manifest; None in an export, which only lists its files."""


class RawDataset(Document, frozen=True, kw_only=True):
    """One raw dataset of an instance, as the notebook described it."""

    uri: str
    files: tuple[FileProof, ...]
    columns: dict[str, str]
    """Column → type, in order."""
    rows: int
    last_t: int
    """Computed from the data; 0 when empty."""
    fingerprint: str
    """The algorithm and the sum of the datoms' hashes; a log and the materialized entities beside it have the same."""

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size_bytes for file in self.files)


class InstanceRequest(Document, frozen=True, kw_only=True):
    """What the export notebook describes of one instance, and the segments that it compares the log with."""

    instance: str
    log: str
    """The URI of a folder of Parquet files; so is materialized_entities."""
    materialized_entities: str
    segments: tuple[RequestedSegment, ...]
    """Of the whole index, ascending by last_t."""


class ExportRequest(Document, frozen=True, kw_only=True):
    """The work of one run of the export notebook."""

    transaction: str
    instances: tuple[InstanceRequest, ...]


class DifferingAttribute(Document, frozen=True, kw_only=True):
    """An attribute whose facts in the materialized entities are not those of the log beside them."""

    attribute: int
    """Its entity id; names are values of the log."""
    missing: int
    """Datoms of the log that no fact tells."""
    extra: int
    """Datoms that the facts tell and the log does not have."""


class RawLogs(Document, frozen=True, kw_only=True):
    """Both raw datasets of one instance."""

    instance: str
    log: RawDataset
    materialized_entities: RawDataset
    duplicate_datoms: int
    """Rows of the log that repeat a datom; byte arrays are not counted, because equal ones may occur in one tx."""
    current_facts: int
    ranges: tuple[ComparedRange, ...]
    """The log beside the segments of the index, ascending by last_t."""
    outside_datoms: int
    """Datoms of the log whose t lies in no segment's range."""
    wrong_txes: int
    """t whose tx or tx_instant is not what its datoms say."""
    misplaced_facts: int
    """Facts that lie in a file, or at a place of it, where no reader looks for them."""
    wrong_integers: int
    """Facts whose `n` is not the integer that `v` names."""
    differing_attributes: tuple[DifferingAttribute, ...]
    """Attributes whose facts are not those of the log."""


class ExportAnswer(Document, frozen=True, kw_only=True):
    """What one run of the export notebook found."""

    transaction: str
    instances: tuple[RawLogs, ...]
    unread: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """Instance → why its files or segments cannot be read."""


class ExportAnswerPlace(Document, frozen=True, kw_only=True):
    """Where a run of the export notebook wrote its answer: the text that it ends with."""

    uri: str
    sha256: str


class LogExport(Document, frozen=True, kw_only=True):
    """What the export notebook found for one database."""

    transaction: str
    database: str
    source_read_at: datetime
    instances: tuple[RawLogs, ...]


class Manifest(Document, frozen=True, kw_only=True):
    """Describes every file of one cached log; it is written into the folder last."""

    instance: str
    last_t: int
    transaction: str
    source_read_at: datetime
    log: RawDataset
    materialized_entities: RawDataset
    ranges: tuple[ProvenRange, ...] = ()
    """The ranges of t in which the log was found to equal the segments of the index."""
    origin: Origin = "night"
    """`night`: copied from a nightly run; `segments`: computed from the segments; `adopted`: found in place, compared
    with the segments and described by `logcache adopt`, so its transaction is an id of its own."""
