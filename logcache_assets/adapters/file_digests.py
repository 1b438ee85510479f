"""MD5 and CRC64NVME of files, computed in one pass and cached until a file changes."""

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Size, MD5 and checksum of a file's bytes."""

    size_bytes: int
    md5: str
    checksum: str
    """`crc64nvme:<16 hex digits>`."""


class DigestCache:
    """Caches the digests of files by path and reads a changed file again. A pickled copy starts empty."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], Digests]] = {}

    def digests_of(self, path: Path, file: io.BufferedReader) -> Digests:
        """Return the digests of an open file, which is read only if it changed since the last time."""
        status = os.fstat(file.fileno())
        # The change time is the computer's: the world's clock may stand still between two writes.
        version = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._known.get(path)
        if known is None or known[0] != version:
            known = self._known[path] = (version, read_through(file))
        return known[1]

    @override
    def __reduce__(self) -> tuple[type["DigestCache"], tuple[()]]:
        return DigestCache, ()


def read_through(source: io.BufferedReader, sink: Callable[[bytes], object] = len) -> Digests:
    """Read all bytes in pieces, hand each piece to the sink, and return their digests."""
    from awscrt.checksums import crc64nvme  # noqa: PLC0415 - 30 ms, and most commands never need it

    size, md5, checksum = 0, hashlib.md5(usedforsecurity=False), 0
    while piece := source.read(_CHUNK_BYTES):
        sink(piece)
        size += len(piece)
        md5.update(piece)
        checksum = crc64nvme(piece, checksum)
    return Digests(size_bytes=size, md5=md5.hexdigest(), checksum=f"crc64nvme:{checksum:016x}")
