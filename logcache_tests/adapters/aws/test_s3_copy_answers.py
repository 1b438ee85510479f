"""Answers to CopyObject; the bodies are those of S3's API reference."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_copy_answers import read_reply
from logcache_assets.adapters.aws.s3_errors import Reply
from logcache_assets.ports import (
    CopyRequest,
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStoreDenied,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
    StoredObject,
)

WRITTEN = datetime(2018, 5, 24, tzinfo=UTC)
SOURCE = StoredObject(
    uri="s3://ephemeral/a", size_bytes=9, etag="25f9e794323b453885f5181f1b624d0b", modified_at=WRITTEN
)
REQUEST = CopyRequest(source=SOURCE, destination_uri="s3://permanent/a")
COPIED = b"""<?xml version="1.0" encoding="UTF-8"?>
<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2009-10-28T22:32:00.000Z</LastModified>
<ETag>"9b2cf535f27731c974343645a3985328"</ETag><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></CopyObjectResult>"""


def reply(body: bytes, status: int = 200, **headers: str) -> Reply:
    """An answer."""
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


def refused(code: str, more: str = "") -> bytes:
    """The body of a refusal."""
    return f"<Error><Code>{code}</Code><Message>m</Message>{more}</Error>".encode()


def test_a_copy_is_described_by_its_answer() -> None:
    """Its own etag and time, S3's checksum in our form, the size of its pinned source."""
    assert read_reply(REQUEST, reply(COPIED), BucketTerms()) == StoredObject(
        uri="s3://permanent/a",
        size_bytes=9,
        etag="9b2cf535f27731c974343645a3985328",
        modified_at=datetime(2009, 10, 28, 22, 32, tzinfo=UTC),
        checksum="crc64nvme:ae8b14860a799888",
    )


@pytest.mark.parametrize(
    ("answered", "kind"),
    [
        pytest.param(reply(refused("InternalError")), ObjectStoreUnavailable, id="a failure after status 200"),
        pytest.param(reply(COPIED[:80]), ObjectStoreUnavailable, id="half an answer"),
        pytest.param(reply(b""), ObjectStoreUnavailable, id="no body"),
        pytest.param(reply(refused("SlowDown"), 503), ObjectStoreUnavailable, id="throttled"),
        pytest.param(reply(b"<html>", 502), ObjectStoreUnavailable, id="an answer of somebody between"),
        pytest.param(
            Reply(status=None, headers={}, body=b"", failure="AWS_IO_SOCKET_CLOSED"), ObjectStoreUnavailable, id="none"
        ),
        pytest.param(
            reply(refused("PreconditionFailed", "<Condition>If-None-Match</Condition>"), 412),
            ObjectExistsError,
            id="something lies there",
        ),
        pytest.param(
            reply(refused("PreconditionFailed", "<Condition>x-amz-copy-source-If-Match</Condition>"), 412),
            ObjectChangedError,
            id="another source",
        ),
        pytest.param(reply(refused("NoSuchKey"), 404), ObjectNotFoundError, id="the source vanished"),
        pytest.param(reply(refused("AccessDenied"), 403), ObjectStoreDenied, id="no permission"),
    ],
)
def test_what_is_no_copy_is_an_error_of_its_kind(answered: Reply, kind: type[ObjectStoreError]) -> None:
    """Exactly of that kind: only what may be answered later is sent again."""
    assert type(read_reply(REQUEST, answered, BucketTerms())) is kind


@pytest.mark.parametrize(
    ("code", "more", "named"),
    [
        pytest.param("NoSuchBucket", "<BucketName>ephemeral</BucketName>", "ephemeral", id="of the source"),
        pytest.param("NoSuchBucket", "<BucketName>permanent</BucketName>", "permanent", id="of the destination"),
        pytest.param("InvalidObjectState", "", "s3://ephemeral/a", id="an archived source"),
    ],
)
def test_the_side_that_is_wrong_is_named(code: str, more: str, named: str) -> None:
    """S3 answers for both sides of a copy."""
    with pytest.raises(ObjectStoreWrongData, match=named):
        raise read_reply(REQUEST, reply(refused(code, more), 404), BucketTerms())  # type: ignore[misc]  # an error here


@pytest.mark.parametrize(
    ("wanted", "told", "fits"),
    [
        ("arn:aws:kms:sa-east-1:123456789012:key/1234", "arn:aws:kms:sa-east-1:123456789012:key/1234", True),
        ("1234", "arn:aws:kms:sa-east-1:123456789012:key/1234", True),
        ("alias/cache", "arn:aws:kms:sa-east-1:123456789012:key/1234", True),
        ("1234", "arn:aws:kms:sa-east-1:123456789012:key/5678", False),
        ("1234", "", False),
        ("alias/cache", "", False),
    ],
)
def test_a_copy_must_be_encrypted_as_was_asked(wanted: str, told: str, *, fits: bool) -> None:
    """S3 tells the key's ARN; an alias cannot be compared, but some key there must be."""
    answered = replace(reply(COPIED), headers={"x-amz-server-side-encryption-aws-kms-key-id": told} if told else {})

    outcome = read_reply(REQUEST, answered, BucketTerms(kms_key=wanted))

    assert isinstance(outcome, StoredObject) is fits
