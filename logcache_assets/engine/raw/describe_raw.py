"""Describes the two raw datasets of an instance from their data, for the export notebook.

A description holds figures and sums, never a value of the log. domain/soundness.py judges the figures; docs/formats.md
has the layout of the files. prove_logs.py reads the segments that a log is compared with.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from typing_extensions import override

from logcache_assets.domain.log_documents import FileProof, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import DatomSum, RequestedSegment
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.datomic_schema import VALUE_TYPE
from logcache_assets.engine.facts.facts_files import parse_files
from logcache_assets.engine.facts.facts_layout import count_misplaced
from logcache_assets.engine.raw.compare_facts import (
    count_wrong_integers,
    find_differing_attributes,
    naming_facts,
    sum_facts,
)
from logcache_assets.engine.raw.datom_hash import SUM_NAME, datom_hash, sum_of
from logcache_assets.engine.raw.sum_ranges import RangeSums
from logcache_assets.engine.raw.tx_check import TxCheck
from logcache_assets.engine.storage.parquet import parquet_uris, read_each
from logcache_assets.engine.storage.schemas import DATOM_COLUMNS, FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_assets.ports import ObjectStore, ObjectStoreWrongData

BYTES_TYPE = "27"
"""The entity id of :db.type/bytes, as a :db/valueType datom holds it.

Two equal byte arrays that are asserted in one tx are two equal datoms of a sound log.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedLogs:
    """Both raw datasets of one instance, before the log is compared with segments."""

    logs: RawLogs
    log_sums: tuple[DatomSum, ...]
    """The log's datoms in the range of each segment that was given."""
    log_files: tuple[str, ...]
    """URIs of the log's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTask:
    """A driver's task: describe both raw datasets of one instance."""

    instance: str
    log: str
    """The URI of a folder of Parquet files; so is materialized_entities."""
    materialized_entities: str
    store: ObjectStore
    segments: tuple[RequestedSegment, ...] = ()
    """The ranges whose datoms are added up, ascending by last_t."""

    def run(self) -> DescribedLogs:
        """Return the description; an error names the instance."""
        try:
            return self._describe()
        except (EngineError, ObjectStoreWrongData) as error:
            raise EngineError(f"{self.instance}: {error}") from error

    def _describe(self) -> DescribedLogs:
        log_files, facts_files = _Files(self.log, self.store), _Files(self.materialized_entities, self.store)
        log, facts = _LogFigures(self.segments), _FactsFigures(facts_files.uris)
        log_dataset = log_files.describe(log, last_t_in=("t",))
        facts_dataset = facts_files.describe(facts, last_t_in=("t_from", "t_to"))
        both = bool(log_files.uris and facts_files.uris) and not (log.is_other or facts.is_other)
        logs = RawLogs(
            instance=self.instance,
            log=log_dataset,
            materialized_entities=facts_dataset,
            duplicate_datoms=count_duplicates(log.hashes, log_files.uris, self.store),
            current_facts=facts.current,
            ranges=(),
            outside_datoms=log.ranges.outside,
            wrong_txes=log.txes.count_wrong(),
            misplaced_facts=facts.misplaced,
            wrong_integers=count_wrong_integers(facts_files.uris, self.store, naming=pl.concat(facts.naming))
            if both
            else 0,
            differing_attributes=find_differing_attributes(log_files.uris, facts_files.uris, self.store)
            if both and log.total != facts.total
            else (),
        )
        return DescribedLogs(logs=logs, log_sums=tuple(log.ranges.sums), log_files=log_files.uris)


class _Figures(ABC):
    """What is counted in the files of a raw dataset."""

    def __init__(self) -> None:
        self.total, self.is_other = DatomSum(), False

    @abstractmethod
    def add(self, uri: str, frame: pl.DataFrame) -> None:
        """Count the rows of one file; nothing in one with other columns, which makes the dataset another one."""


class _Files:
    """The files of one raw dataset."""

    def __init__(self, uri: str, store: ObjectStore) -> None:
        self._uri, self._store = uri, store
        self._objects = tuple(store.list_data(uri))
        self.uris = tuple(parquet_uris(self._objects))

    def describe(self, figures: _Figures, *, last_t_in: Sequence[str]) -> RawDataset:
        """Read every file once, add its rows to the figures, and describe the dataset.

        Without the columns `last_t_in`, last_t is 0; the description's columns then show why.
        """
        rows = last_t = 0
        schema = pl.Schema()
        for uri, frame in zip(self.uris, read_each(self.uris, self._store), strict=True):
            schema = frame.schema
            names = [name for name in last_t_in if schema.get(name) == pl.Int64]
            rows += len(frame)
            last_t = max(last_t, frame.select(pl.max_horizontal(pl.col(names).max())).item() or 0) if names else last_t
            figures.add(uri, frame)
        folder = self._uri.rstrip("/") + "/"
        proofs = (
            FileProof(name=o.uri.removeprefix(folder), size_bytes=o.size_bytes, etag=o.etag) for o in self._objects
        )
        return RawDataset(
            uri=self._uri,
            files=tuple(proofs),
            columns=column_types(schema),
            rows=rows,
            last_t=last_t,
            fingerprint=f"{SUM_NAME}:{figures.total.hashes}",
        )


class _LogFigures(_Figures):
    """Of a log."""

    def __init__(self, segments: Sequence[RequestedSegment]) -> None:
        super().__init__()
        self.ranges, self.txes = RangeSums(segments), TxCheck()
        self.hashes: list[pl.Series] = []
        """The low half of every datom's hash, to find duplicates by."""

    @override
    def add(self, uri: str, frame: pl.DataFrame) -> None:
        if frame.schema != LOG_SCHEMA:
            self.is_other = True
            return
        hashes = frame.select(datom_hash()).to_series()
        self.total += sum_of(hashes)
        self.ranges.add(frame["t"], hashes)
        self.txes.add(frame)
        self.hashes.append(low_half(hashes))


class _FactsFigures(_Figures):
    """Of materialized entities."""

    def __init__(self, uris: Sequence[str]) -> None:
        super().__init__()
        self.current, self.misplaced = 0, 0
        self.naming: list[pl.DataFrame] = []
        """The facts that tell names and types of attributes."""
        self._files = {file.uri: file for file in parse_files(uris)}

    @override
    def add(self, uri: str, frame: pl.DataFrame) -> None:
        if frame.schema != FACTS_SCHEMA:
            self.is_other = True
            return
        self.total += sum_facts(frame)
        self.current += frame["t_to"].null_count()
        self.misplaced += count_misplaced(frame, self._files[uri])
        self.naming.append(naming_facts(frame))


def low_half(hashes: pl.Series) -> pl.Series:
    """The low 64 bits of each hash."""
    return hashes.to_frame("hash").select((pl.col("hash") % pl.lit(2**64, pl.UInt128)).cast(pl.UInt64)).to_series()


def count_duplicates(hashes: Sequence[pl.Series], uris: Sequence[str], store: ObjectStore) -> int:
    """Count the rows of a log that repeat another row, except datoms of byte array attributes.

    Args:
        hashes: the low half of every datom's hash, 8 bytes each; only rows whose hashes repeat are read again and
            compared in full.
        uris: the log's files.
        store: where they lie.
    """
    every = pl.concat(hashes or [pl.Series(dtype=pl.UInt64)]).sort()
    repeated = every.filter(every == every.shift(1)).unique()
    if repeated.is_empty():
        return 0
    of_bytes: set[int] = set()
    suspects = []
    for frame in read_each(uris, store):
        is_type = (pl.col("a") == VALUE_TYPE) & (pl.col("v") == BYTES_TYPE) & pl.col("added")
        of_bytes |= set(frame.filter(is_type)["e"])
        own = low_half(frame.select(datom_hash()).to_series())
        suspects.append(frame.select(DATOM_COLUMNS).filter(own.is_in(repeated.implode())))
    datoms = pl.concat(suspects).filter(~pl.col("a").is_in(list(of_bytes)))
    return len(datoms) - datoms.n_unique()
