"""What a bucket on S3 says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_buckets import NO_TERMS, BucketTerms
from logcache_assets.adapters.aws.s3_errors import answered, asking
from logcache_assets.domain.health import NOT_SAID
from logcache_assets.domain.locations import PROBE_FOLDER
from logcache_assets.ports import ObjectNotFoundError, ObjectStoreDenied, ObjectStoreWrongData
from logcache_assets.ports.bucket_facts import BucketFacts

_PROBE = f"{PROBE_FOLDER}probe"
_CONTENT = b"written by `logcache doctor --write`\n"
_NOT_IMPLEMENTED = "NotImplemented"
"""Code of a server that has no such question."""


@dataclass(frozen=True, slots=True)
class S3BucketFacts(BucketFacts):
    """Facts of buckets on S3.

    Args:
        access: how S3 is reached.
        terms: bucket → its owner, and how objects are written there.
    """

    access: AwsAccess
    terms: Mapping[str, BucketTerms] = field(default_factory=dict)

    @override
    def reach(self, bucket: str) -> datetime | None:
        try:
            answer = self._ask("HeadBucket", "head_bucket", bucket)
        except ObjectNotFoundError as error:
            raise ObjectStoreWrongData(f"there is no bucket {bucket}; correct its name, or create it") from error
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return parsedate_to_datetime(date) if date else None

    @override
    def versioning(self, bucket: str) -> str:
        answer = self._ask(
            "GetBucketVersioning", "get_bucket_versioning", bucket, unless={_NOT_IMPLEMENTED: {"Status": NOT_SAID}}
        )
        return str(answer.get("Status", "off"))

    @override
    def encryption(self, bucket: str) -> str:
        said = {
            _NOT_IMPLEMENTED: _encrypted(NOT_SAID),
            "ServerSideEncryptionConfigurationNotFoundError": _encrypted("none"),
        }
        answer = self._ask("GetBucketEncryption", "get_bucket_encryption", bucket, unless=said)
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
        by_default: Mapping[str, str] = next((rule["ApplyServerSideEncryptionByDefault"] for rule in rules), {})
        key = by_default.get("KMSMasterKeyID")
        return f"{by_default.get('SSEAlgorithm', 'none')}{f' with key {key}' if key else ''}"

    @override
    def try_writing(self, bucket: str) -> bool:
        terms, uri = self.terms.get(bucket, NO_TERMS), f"s3://{bucket}/{_PROBE}"
        place = {"Bucket": bucket, "Key": _PROBE}
        with asking("PutObject", uri):
            written = self._client.put_object(**place, Body=_CONTENT, **terms.for_writes)
        with asking("GetObject", uri):
            read = self._client.get_object(**place, **terms.for_requests)["Body"].read()
        if read != _CONTENT:
            raise ObjectStoreWrongData(f"{uri} is read as other bytes than were written; use another object store")
        version = {"VersionId": written["VersionId"]} if "VersionId" in written else {}
        try:
            with asking("DeleteObject", uri):
                self._client.delete_object(**place, **version, **terms.for_requests)
        except (ObjectStoreDenied, ObjectStoreWrongData):
            return False
        return True

    @property
    def _client(self) -> Any:  # noqa: ANN401 - the SDK has no types
        return self.access.client("s3")

    def _ask(
        self, operation: str, method: str, bucket: str, *, unless: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Mapping[str, Any]:
        """The answer to a question about a bucket; `unless` has what refusals of these codes mean."""
        terms = self.terms.get(bucket, NO_TERMS)
        with asking(operation, f"s3://{bucket}/"):
            ask = getattr(self._client, method)
            return answered(lambda: ask(Bucket=bucket, **terms.for_requests), unless=unless or {})


def _encrypted(algorithm: str) -> Mapping[str, Any]:
    """An answer about encryption."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
