"""Describes the two raw datasets of an instance from their data, for the export notebook.

A description holds figures and digests, never a value of the log. domain/soundness.py judges the figures;
docs/formats.md has the layout of the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.documents import FileProof, RawDataset, RawLogs
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.datomic_schema import VALUE_TYPE
from logcache_assets.engine.storage.parquet import list_folder, parquet_uris, read_each
from logcache_assets.engine.storage.schemas import DATOM_COLUMNS, FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_assets.ports import ObjectStore, ObjectStoreWrongData

FINGERPRINT = f"polars-{pl.__version__}-row-hash-sum-1"
"""The name of the digest. polars promises equal hashes only within one version, so the name holds the version."""

BYTES_TYPE = "27"
"""The entity id of :db.type/bytes, as a :db/valueType datom holds it.

Two equal byte arrays that are asserted in one tx are two equal datoms of a sound log.
"""

_SEED = 0x6C6F67
_HALF = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTask:
    """A driver's task: describe both raw datasets of one instance."""

    instance: str
    log: str
    """The URI of a folder of Parquet files; so is materialized_entities."""
    materialized_entities: str
    store: ObjectStore

    def run(self) -> RawLogs:
        """Return the description; an error names the instance."""
        try:
            return describe_raw_datasets(
                self.instance, log_uri=self.log, entities_uri=self.materialized_entities, store=self.store
            )
        except (EngineError, ObjectStoreWrongData) as error:
            raise EngineError(f"{self.instance}: {error}") from error


def describe_raw_datasets(instance: str, *, log_uri: str, entities_uri: str, store: ObjectStore) -> RawLogs:
    """Describe what lies in both folders, from the data of one file after the other.

    Raises:
        ParquetError: a file is unreadable, or one folder holds files of different columns.
        ObjectStoreError: a folder could not be listed.
    """
    log = _describe(log_uri, store, last_t_in=("t",))
    entities = _describe(entities_uri, store, last_t_in=("t_from", "t_to"))
    log_files, facts_files = (_uris(dataset) for dataset in (log, entities))
    return RawLogs(
        instance=instance,
        log=log,
        materialized_entities=entities,
        duplicate_datoms=count_duplicates(log_files, store) if log.columns == column_types(LOG_SCHEMA) else 0,
        current_facts=_count_open(facts_files, store) if entities.columns == column_types(FACTS_SCHEMA) else 0,
    )


def _uris(dataset: RawDataset) -> tuple[str, ...]:
    names = (file.name for file in dataset.files if file.name.endswith(".parquet"))
    return tuple(f"{dataset.uri.rstrip('/')}/{name}" for name in names)


def _describe(uri: str, store: ObjectStore, *, last_t_in: Sequence[str]) -> RawDataset:
    """Describe one folder; last_t is the greatest value of the named columns.

    Without these columns last_t is 0; the description's columns then show why.
    """
    objects = tuple(list_folder(uri, store))
    rows = last_t = hashes = 0
    schema = pl.Schema()
    for frame in read_each(tuple(parquet_uris(objects)), store):
        schema = frame.schema
        names = [name for name in last_t_in if schema.get(name) == pl.Int64]
        rows += len(frame)
        last_t = max(last_t, frame.select(pl.max_horizontal(pl.col(names).max())).item() or 0) if names else last_t
        hashes += sum_hashes(frame)
    folder = uri.rstrip("/") + "/"
    proofs = (FileProof(name=o.uri.removeprefix(folder), size_bytes=o.size_bytes, etag=o.etag) for o in objects)
    return RawDataset(
        uri=uri,
        files=tuple(proofs),
        columns=column_types(schema),
        rows=rows,
        last_t=last_t,
        fingerprint=f"{FINGERPRINT}:{hashes % 2**64:016x}",
    )


def sum_hashes(frame: pl.DataFrame) -> int:
    """Add up the 64-bit hashes of all rows; modulo 2^64 the sum is the fingerprint.

    The sum is the same for every order of rows and every split into files; a doubled row changes it.
    """
    total = 0
    for part in frame.iter_slices(1_000_000) if frame.width else ():
        hashes = part.hash_rows(_SEED)
        total += int((hashes // _HALF).sum()) * _HALF + int((hashes % _HALF).sum())  # a sum of whole hashes overflows
    return total


def count_duplicates(uris: Sequence[str], store: ObjectStore) -> int:
    """Count the rows of a log that repeat another row, except datoms of byte array attributes.

    Only the hashes of all datoms are in memory at once, 8 bytes each. Rows whose hashes repeat are compared in full.
    """
    hashes = pl.concat([_hashes(frame) for frame in read_each(uris, store)] or [pl.Series(dtype=pl.UInt64)]).sort()
    repeated = hashes.filter(hashes == hashes.shift(1)).unique()
    if repeated.is_empty():
        return 0
    of_bytes: set[int] = set()
    suspects = []
    for frame in read_each(uris, store):
        is_type = (pl.col("a") == VALUE_TYPE) & (pl.col("v") == BYTES_TYPE) & pl.col("added")
        of_bytes |= set(frame.filter(is_type)["e"])
        suspects.append(frame.select(DATOM_COLUMNS).filter(_hashes(frame).is_in(repeated.implode())))
    datoms = pl.concat(suspects).filter(~pl.col("a").is_in(list(of_bytes)))
    return len(datoms) - datoms.n_unique()


def _hashes(log: pl.DataFrame) -> pl.Series:
    return log.select(DATOM_COLUMNS).hash_rows(_SEED)


def _count_open(uris: Sequence[str], store: ObjectStore) -> int:
    return sum(frame["t_to"].null_count() for frame in read_each(uris, store))
