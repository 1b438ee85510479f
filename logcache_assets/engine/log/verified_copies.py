"""Copies of verified files on this computer: behind a network, what was verified is not what comes the next time."""

import shutil
import tempfile
import weakref
from functools import cached_property
from pathlib import Path

from logcache_assets.ports import PolarsSource


class VerifiedCopies:
    """Files whose bytes were verified, in a folder of this process that only this user can read.

    The folder is removed when nobody uses the copies any more, at the latest when the process ends.
    """

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}

    @cached_property
    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="logcache-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def keep(self, uri: str, content: bytes) -> None:
        """Keep a file's verified bytes."""
        path = self._folder / f"{len(self._paths)}.parquet"
        path.write_bytes(content)
        self._paths[uri] = path

    def polars_source(self, uri: str) -> PolarsSource:
        """The copy, as polars opens it."""
        return PolarsSource(location=str(self._paths[uri]))

    def read(self, uri: str) -> bytes:
        """The copy's bytes."""
        return self._paths[uri].read_bytes()
