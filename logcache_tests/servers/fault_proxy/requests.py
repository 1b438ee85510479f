"""What a request asks for: from its bytes to the operation's name in the API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote

TARGET = "x-amz-target"
COPY_SOURCE = "x-amz-copy-source"
COUNTED_HEADERS = (
    "if-match",
    "if-none-match",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-copy-source-if-match",
    "x-amz-expected-bucket-owner",
    "x-amz-request-payer",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-source-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-tagging",
)
"""Headers that change what is permitted or proven."""
_UPLOAD = re.compile(r"uploadId=[^&]*|continuation-token=[^&]*")
"""What the server draws at random."""
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)")

_SERVICE = {"GET": "ListBuckets"}
_BUCKET = {
    "GET": "ListObjects",
    "GET list-type": "ListObjectsV2",
    "GET versions": "ListObjectVersions",
    "GET uploads": "ListMultipartUploads",
    "GET location": "GetBucketLocation",
    "GET versioning": "GetBucketVersioning",
    "GET lifecycle": "GetBucketLifecycleConfiguration",
    "GET encryption": "GetBucketEncryption",
    "GET policy": "GetBucketPolicy",
    "GET tagging": "GetBucketTagging",
    "GET acl": "GetBucketAcl",
    "GET object-lock": "GetObjectLockConfiguration",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "PUT versioning": "PutBucketVersioning",
    "PUT lifecycle": "PutBucketLifecycleConfiguration",
    "PUT encryption": "PutBucketEncryption",
    "PUT policy": "PutBucketPolicy",
    "POST delete": "DeleteObjects",
    "DELETE": "DeleteBucket",
    "DELETE lifecycle": "DeleteBucketLifecycle",
    "DELETE policy": "DeleteBucketPolicy",
}
_OBJECT = {
    "GET": "GetObject",
    "GET tagging": "GetObjectTagging",
    "GET attributes": "GetObjectAttributes",
    "GET acl": "GetObjectAcl",
    "GET uploadId": "ListParts",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "PUT tagging": "PutObjectTagging",
    "PUT uploadId": "UploadPart",
    "POST uploads": "CreateMultipartUpload",
    "POST uploadId": "CompleteMultipartUpload",
    "DELETE": "DeleteObject",
    "DELETE tagging": "DeleteObjectTagging",
    "DELETE uploadId": "AbortMultipartUpload",
}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


@dataclass(frozen=True)
class Request:
    """The head of a request; its headers' names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @cached_property
    def path(self) -> tuple[str, str]:
        """Bucket and key, as addressed in the path; empty where there is none."""
        bucket, _, key = self.target.partition("?")[0].lstrip("/").partition("/")
        return unquote(bucket), unquote(key)

    @cached_property
    def source(self) -> tuple[str, str]:
        """Bucket and key of a copy's source; empty if it is no copy."""
        bucket, _, key = unquote(self.headers.get(COPY_SOURCE, "").partition("?")[0]).lstrip("/").partition("/")
        return bucket, key

    @cached_property
    def operation(self) -> str:
        """The operation's name in the API, or the method and the query of one that is not in the tables."""
        if TARGET in self.headers:
            return self.headers[TARGET].rpartition(".")[2]
        bucket, key = self.path
        names = _OBJECT if key else _BUCKET if bucket else _SERVICE
        query = [name for name, _ in parse_qsl(self.target.partition("?")[2], keep_blank_values=True)]
        found = next((names[f"{self.method} {name}"] for name in query if f"{self.method} {name}" in names), None)
        name = found or names.get(self.method, f"{self.method} {self.target}")
        return _COPIES.get(name, name) if COPY_SOURCE in self.headers else name

    @property
    def is_dynamodb(self) -> bool:
        """True for an operation of DynamoDB."""
        return TARGET in self.headers

    @property
    def identity(self) -> str:
        """Equal for the same request when it is sent again, in this run and in others."""
        what = f"{self.headers.get('range', '')} {self.headers.get(TARGET, '')}"
        return f"{self.method} {_UPLOAD.sub('', self.target)} {what}"

    @property
    def credential(self) -> str:
        """The access key and session token that it was signed with."""
        key = _CREDENTIAL.search(self.headers.get("authorization", ""))
        return f"{key[1] if key else ''} {self.headers.get('x-amz-security-token', '')}"

    @property
    def asked(self) -> "Asked":
        """What is counted of it."""
        return Asked(self.operation, self.path[0], tuple(name for name in COUNTED_HEADERS if name in self.headers))


@dataclass(frozen=True, order=True)
class Asked:
    """What requests are counted by."""

    operation: str
    bucket: str
    """Empty for DynamoDB, whose table is in the body."""
    headers: tuple[str, ...]
    """Those of COUNTED_HEADERS that it had."""
