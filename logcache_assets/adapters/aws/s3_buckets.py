"""What a bucket must be, and how objects are written to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketTerms:
    """The owner of a bucket, and encryption, class and tags of what is written there."""

    account: str | None = None
    """AWS account that must own it; S3 refuses every request otherwise."""
    kms_key: str | None = None
    """Key that encrypts what is written; None for the bucket's own encryption."""
    storage_class: str = "STANDARD"
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of everything written. Without tags copies keep those of their sources."""

    @property
    def for_requests(self) -> dict[str, str]:
        """Arguments of every request to the bucket."""
        return {"ExpectedBucketOwner": self.account} if self.account else {}

    @property
    def for_writes(self) -> dict[str, str]:
        """Arguments of every request that writes an object."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}
        storage = {"StorageClass": self.storage_class} if self.storage_class != "STANDARD" else {}
        tagging = {"Tagging": self.tagging} if self.tags else {}
        return self.for_requests | encryption | storage | tagging

    @property
    def tagging(self) -> str:
        """The tags as a request has them; empty without tags."""
        return urlencode(self.tags)


NO_TERMS = BucketTerms()
"""Of a bucket of which nothing is known."""


def parse_tags(text: str) -> dict[str, str]:
    """Tags from `clearance=restricted,team=data`; raises ValueError for a part without key or equals sign."""
    tags = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not key.strip() or not equals:
            raise ValueError(part)
        tags[key.strip()] = value.strip()
    return tags
