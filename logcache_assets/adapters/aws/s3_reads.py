"""Reads whole objects through Amazon's client in C, and checks what came against the checksum that S3 keeps."""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_crt import Request, crt_client
from logcache_assets.adapters.aws.s3_errors import Question, Reply, asking, error_of, no_answer, refusal_in, texts_in

_OK = 200
_NOT_OF_THE_WHOLE = "COMPOSITE"
"""Type of a checksum that S3 made of those of an object's parts."""
_MD5 = re.compile(r"[0-9a-f]{32}")
_ENCRYPTION = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-key-md5")
"""Headers of an answer whose etag may be no MD5; with S3's own key, AES256, it is."""


def read_object(uri: str, access: AwsAccess, *, terms: BucketTerms, at_once: int) -> bytes:
    """All bytes of an object.

    Raises:
        ObjectStoreError: it is not there, may not be read, or did not arrive whole.
    """
    with asking("GetObject", uri):
        access.require_credentials()
    headers = [("x-amz-checksum-mode", "ENABLED")]
    if terms.account:
        headers.append(("x-amz-expected-bucket-owner", terms.account))
    replied: Future[Reply] = Future()
    asked = Request(operation="GetObject", method="GET", uri=uri, headers=headers)
    crt_client(access, at_once).send(asked, replied.set_result)
    return content_of(uri, replied.result())


def content_of(uri: str, reply: Reply) -> bytes:
    """The bytes in an answer to GetObject; raises ObjectStoreError if it is a refusal, or not whole."""
    question = Question("GetObject", uri)
    if reply.status is None:
        raise no_answer(question, reply.failure)
    if reply.status != _OK:
        texts = texts_in(reply.body)
        raise error_of(question, refusal_in(reply, texts, code=texts.get("Code", str(reply.status))))
    size = reply.headers.get("content-length")
    if (size is not None and int(size) != len(reply.body)) or is_damaged(reply.headers, reply.body):
        raise no_answer(question, "the bytes that came are not those of the object")
    return reply.body


def is_damaged(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether bytes differ from what their answer tells of all of them: a checksum, or of older objects the MD5."""
    told = {name: headers[header] for name, header in _HEADERS.items() if header in headers}
    whole = {name: value for name, value in told.items() if "-" not in value}
    if headers.get("x-amz-checksum-type") == _NOT_OF_THE_WHOLE or not whole:
        return _differs_from_etag(headers, body)
    return any(_CHECKSUMS[name](body) != value for name, value in whole.items())


def _differs_from_etag(headers: Mapping[str, str], body: bytes) -> bool:
    """An etag is the MD5 unless the object was uploaded in parts, or encrypted with a key of its own."""
    etag = headers.get("etag", "").strip('"')
    if not _MD5.fullmatch(etag) or any(headers.get(name, "AES256") != "AES256" for name in _ENCRYPTION):
        return False
    return hashlib.md5(body, usedforsecurity=False).hexdigest() != etag


def _crc64nvme(body: bytes) -> str:
    from awscrt.checksums import crc64nvme  # noqa: PLC0415 - 30 ms, and most commands never need it

    return base64.b64encode(crc64nvme(body).to_bytes(8, "big")).decode()


def _crc32c(body: bytes) -> str:
    from awscrt.checksums import crc32c  # noqa: PLC0415 - as above

    return base64.b64encode(crc32c(body).to_bytes(4, "big")).decode()


_CHECKSUMS: Mapping[str, Callable[[bytes], str]] = {
    "crc64nvme": _crc64nvme,
    "crc32c": _crc32c,
    "crc32": lambda body: base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
}
_HEADERS = {name: f"x-amz-checksum-{name}" for name in _CHECKSUMS}
