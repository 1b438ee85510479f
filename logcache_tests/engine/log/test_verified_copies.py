"""Copies of verified files are whole, private, and gone when nobody uses them."""

import gc
import stat
from pathlib import Path

from logcache_assets.engine.log.verified_copies import VerifiedCopies


def test_a_copy_has_the_bytes_that_were_kept() -> None:
    """By bytes, and by the path that polars opens."""
    copies = VerifiedCopies()
    copies.keep("s3://a/1.parquet", b"one")
    copies.keep("s3://a/2.parquet", b"two")

    assert copies.read("s3://a/1.parquet") == b"one"
    assert Path(copies.polars_source("s3://a/2.parquet").location).read_bytes() == b"two"


def test_only_this_user_can_read_copies() -> None:
    """Raw logs are personal data."""
    copies = VerifiedCopies()
    copies.keep("s3://a/1.parquet", b"one")

    folder = Path(copies.polars_source("s3://a/1.parquet").location).parent

    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IRWXU


def test_copies_that_nobody_uses_are_removed() -> None:
    """Nothing is left on the disk."""
    copies = VerifiedCopies()
    copies.keep("s3://a/1.parquet", b"one")
    folder = Path(copies.polars_source("s3://a/1.parquet").location).parent

    del copies
    gc.collect()

    assert not folder.exists()
