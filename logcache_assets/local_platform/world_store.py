"""The object store of a local world on S3: objects have the world's dates, and accidents happen to copies."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import CopyTerms
from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.local_platform.faults import TRUNCATED_COPY, Faults
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.local_platform.world_times import WorldTimes
from logcache_assets.ports import CopyRequest, FailedCopy, StoredObject


class CutShortS3Store(S3ObjectStore):
    """The object store on S3 for a local world; `truncated-copy` halves copies as in CutShortObjectStore."""

    def __init__(self, access: AwsAccess, *, permanent_bucket: str, faults: Faults, **parts: Any) -> None:  # noqa: ANN401 - of S3ObjectStore
        super().__init__(access, **parts)
        self._permanent = f"s3://{permanent_bucket}/"
        self._faults = faults

    @override
    def copy_all(self, requests: Iterable[CopyRequest]) -> Iterator[StoredObject | FailedCopy]:
        for outcome in super().copy_all(requests):
            if isinstance(outcome, StoredObject) and self._is_cut_short(outcome.uri):
                self.write(outcome.uri, self.read(outcome.uri)[: outcome.size_bytes // 2])
            yield outcome

    def _is_cut_short(self, uri: str) -> bool:
        return uri.startswith(self._permanent) and self._faults.armed(TRUNCATED_COPY) is not None


def world_store_on_s3(
    access: AwsAccess,
    files: WorldFiles,
    *,
    permanent_bucket: str,
    terms: Mapping[str, BucketTerms],
    copies: CopyTerms,
) -> CutShortS3Store:
    """The store of the local world with these files."""
    return CutShortS3Store(
        access,
        terms=terms,
        copies=copies,
        time_of=WorldTimes(files.clock_history),
        permanent_bucket=permanent_bucket,
        faults=Faults(files.faults),
    )
