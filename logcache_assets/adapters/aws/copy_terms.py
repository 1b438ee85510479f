"""How copies inside S3 are sent."""

from dataclasses import dataclass

from logcache_assets.domain.copying import PART_BYTES

MOST_AT_ONCE_BYTES = 5 << 30
"""S3 copies no larger object in one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTerms:
    """How copies are sent."""

    at_once: int = 256
    """How many are under way at once."""
    multipart_bytes: int = MOST_AT_ONCE_BYTES
    """Size from which an object is copied in parts."""
    part_bytes: int = PART_BYTES
    """Size of its parts."""
    attempts: int = 5
    """How often a copy is sent at most, after the client's own attempts."""
