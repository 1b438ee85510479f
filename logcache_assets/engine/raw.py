"""The two raw datasets of an instance: written as Parquet, and described from their data for the export notebook.

A description holds figures and digests, never a value of the log. Whether the figures are sound is a rule of
domain/soundness.py; the layout of the files is docs/formats.md.
"""

from collections.abc import Sequence

import polars as pl

from logcache_assets.domain.documents import FileProof, RawDataset, RawLogs
from logcache_assets.engine.facts import KEY
from logcache_assets.engine.layout import FACTS_ORDER, FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_assets.engine.parquet import list_folder, parquet_uris, read_parquet_files, write_parquet
from logcache_assets.engine.schema import VALUE_TYPE
from logcache_assets.ports import ObjectStore, StoredObject

FINGERPRINT = f"polars-{pl.__version__}-row-hash-sum-1"
"""Name of the digest; polars promises equal hashes within one version only, so the version is part of it."""

BYTES_TYPE = "27"
""":db.type/bytes as the value of a :db/valueType datom; two equal byte arrays of one tx are a sound log."""

_SEED = 0x6C6F67
_HALF = 2**32


def write_raw_log(log: pl.DataFrame, folder_uri: str, store: ObjectStore) -> StoredObject:
    """Put a log into its folder, in log order."""
    return write_parquet(log.select(LOG_SCHEMA.names()).sort("t", maintain_order=True), folder_uri, store)


def write_materialized_entities(facts: pl.DataFrame, folder_uri: str, store: ObjectStore) -> StoredObject:
    """Put facts, open and closed, into their folder, sorted by FACTS_ORDER."""
    return write_parquet(facts.select(FACTS_SCHEMA.names()).sort(FACTS_ORDER), folder_uri, store)


def describe_raw_datasets(instance: str, *, log_uri: str, entities_uri: str, store: ObjectStore) -> RawLogs:
    """What lies in both folders, computed from the data.

    Raises:
        ParquetError: a file is unreadable, or one folder holds files of different columns.
        ObjectStoreError: a folder could not be listed.
    """
    log, datoms = _describe(log_uri, store, last_t_in=("t",))
    entities, facts = _describe(entities_uri, store, last_t_in=("t_from", "t_to"))
    return RawLogs(
        instance=instance,
        log=log,
        materialized_entities=entities,
        duplicate_datoms=count_duplicates(datoms) if datoms.schema == LOG_SCHEMA else 0,
        current_facts=facts["t_to"].null_count() if facts.schema == FACTS_SCHEMA else 0,
    )


def _describe(uri: str, store: ObjectStore, *, last_t_in: Sequence[str]) -> tuple[RawDataset, pl.DataFrame]:
    """Columns that are not there leave last_t at 0: the columns themselves then tell why."""
    objects = list_folder(uri, store)
    frame = read_parquet_files(parquet_uris(objects), store)
    names = [name for name in last_t_in if frame.schema.get(name) == pl.Int64]
    last_t = frame.select(pl.max_horizontal(pl.col(names).max())).item() if names else None
    folder = uri.rstrip("/") + "/"
    proofs = (FileProof(name=o.uri.removeprefix(folder), size_bytes=o.size_bytes, etag=o.etag) for o in objects)
    return RawDataset(
        uri=uri,
        files=tuple(proofs),
        columns=column_types(frame.schema),
        rows=len(frame),
        last_t=last_t or 0,
        fingerprint=fingerprint_rows(frame),
    ), frame


def fingerprint_rows(frame: pl.DataFrame) -> str:
    """A digest of the rows as a multiset: equal for every order and every split into files.

    The 64-bit hashes of all rows are added up, so a doubled row changes it too.
    """
    total = 0
    for part in frame.iter_slices(1_000_000) if frame.width else ():
        hashes = part.hash_rows(_SEED)
        total += int((hashes // _HALF).sum()) * _HALF + int((hashes % _HALF).sum())  # a sum of whole hashes overflows
    return f"{FINGERPRINT}:{total % 2**64:016x}"


def count_duplicates(log: pl.DataFrame) -> int:
    """Rows above the distinct datoms, attributes of byte arrays left out."""
    of_bytes = log.filter(pl.col("a") == VALUE_TYPE, pl.col("v") == BYTES_TYPE, "added")["e"].unique()
    datoms = log.filter(~pl.col("a").is_in(of_bytes.implode())).select(*KEY, "t", "added")
    return len(datoms) - datoms.n_unique()
