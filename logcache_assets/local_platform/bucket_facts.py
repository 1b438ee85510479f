"""What a bucket of the local world says of itself: it is a folder."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from typing_extensions import override

from logcache_assets.domain.locations import PROBE_FOLDER
from logcache_assets.ports import ObjectStoreUnavailable, ObjectStoreWrongData
from logcache_assets.ports.bucket_facts import BucketFacts


@dataclass(frozen=True, slots=True)
class FolderFacts(BucketFacts):
    """Facts of buckets that are folders.

    Args:
        root: the folder of the bucket folders.
    """

    root: Path

    @override
    def reach(self, bucket: str) -> datetime | None:
        if not os.access(self.root / bucket, os.R_OK | os.X_OK):
            raise ObjectStoreWrongData(
                f"{self.root / bucket} is no folder that may be read; make a world with `logcache local reset`"
            )
        return None

    @override
    def versioning(self, bucket: str) -> str:
        return "off"

    @override
    def encryption(self, bucket: str) -> str:
        return "none"

    @override
    def try_writing(self, bucket: str) -> bool:
        folder = self.root / bucket / PROBE_FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder) as probe:
                probe.write(b"probe")
        except OSError as error:
            raise ObjectStoreUnavailable(
                f"{folder} cannot be written ({error.strerror}); make room, or correct its permissions"
            ) from error
        with suppress(OSError):
            folder.rmdir()  # unless another doctor's probe is in it
        return True
