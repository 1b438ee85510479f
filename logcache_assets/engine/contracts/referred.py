"""What the entities show that a bucket refers to, as files that referral_tasks.py wrote: refs cross buckets."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.contracts.column_timelines import Shown
from logcache_assets.engine.contracts.gathering import FilesOf
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.parquet import collect_parquet, scan_parquet
from logcache_assets.ports import ObjectStore

Behind = tuple[str, bool]
"""What stands behind a ref: the attribute to show of the referred entity, and whether it is personal data."""
BY = "by"
"""Column of the files: the number of the bucket that refers to the entity."""


Kind = tuple[Behind, bool]
"""What a file holds: what stands behind a ref, and whether it is the wrong values of that."""


@dataclass(frozen=True, slots=True)
class Referred:
    """What the refs of one instance lead to."""

    files: Mapping[Kind, FilesOf]
    """For each bucket that refers, files of what entities of any bucket show, ascending by BY; the other columns are
    those of Shown."""
    store: ObjectStore

    def read(self, behind: Behind, bucket: Bucket, nothing: Shown) -> Shown:
        """What a bucket's refs lead to, by entity and t; `nothing` has the columns."""
        return Shown(
            self._read((behind, False), bucket, nothing.timeline), self._read((behind, True), bucket, nothing.wrong)
        )

    def _read(self, kind: Kind, bucket: Bucket, nothing: pl.DataFrame) -> pl.DataFrame:
        uris = self.files.get(kind, {}).get(bucket.number, ())
        if not uris:
            return nothing
        scan = scan_parquet(uris, self.store).filter(pl.col(BY) == bucket.number).select(nothing.columns)
        found = pl.concat([nothing, collect_parquet(scan, f"what refs lead to, {uris[0]}")])
        # All of an entity is in one file, ascending by t.
        return found.sort("e", maintain_order=True)
