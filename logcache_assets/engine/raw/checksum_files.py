"""Computes the CRC64NVME of files whose store keeps none, as it keeps none of what old clients wrote."""

from dataclasses import dataclass, replace

from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.storage.checksums import checksum_of
from logcache_assets.ports import ObjectStore, StoredObject


@dataclass(frozen=True, slots=True)
class ChecksumTask:
    """A driver's task: read one file and compute its checksum, which is the file's in the store if that knows it."""

    uri: str
    store: ObjectStore

    def run(self) -> StoredObject:
        """Describe the file, with its checksum.

        Raises:
            EngineError: the file was written while it was read.
        """
        found = self.store.head(self.uri)
        if found.checksum is not None:
            return found
        return self._read(found)

    def _read(self, found: StoredObject) -> StoredObject:
        content = self.store.read(self.uri)
        if len(content) != found.size_bytes or self.store.head(self.uri).etag != found.etag:
            raise EngineError(f"{self.uri} was written while it was read; find out who writes there")
        return replace(found, checksum=checksum_of(content))
