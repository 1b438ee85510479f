"""Bytes that came are those of the object, or they are asked for again; checksums are those of S3's documentation."""

import pytest

from logcache_assets.adapters.aws.s3_errors import Reply
from logcache_assets.adapters.aws.s3_reads import content_of
from logcache_assets.ports import (
    ObjectNotFoundError,
    ObjectStoreDenied,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
)

URI = "s3://logs/a"
CONTENT = b"123456789"
"""The text for which every algorithm's definition gives its check value."""
CHECKS = {"crc64nvme": "rosUhgp5mIg=", "crc32": "y/Q5Jg==", "crc32c": "4waSgw=="}


def reply(body: bytes = CONTENT, status: int = 200, *, length: int | None = None, **checksums: str) -> Reply:
    """An answer to GetObject."""
    headers = {f"x-amz-checksum-{name}": value for name, value in checksums.items()}
    headers["content-length"] = str(len(body) if length is None else length)
    return Reply(status=status, headers=headers, body=body)


def with_checksum(body: bytes, algorithm: str) -> Reply:
    """An answer with the checksum of CONTENT."""
    return Reply(status=200, headers={f"x-amz-checksum-{algorithm}": CHECKS[algorithm]}, body=body)


@pytest.mark.parametrize("algorithm", CHECKS)
def test_bytes_that_have_their_checksum_are_given(algorithm: str) -> None:
    """Whichever of its checksums S3 keeps."""
    assert content_of(URI, with_checksum(CONTENT, algorithm)) == CONTENT


def test_bytes_without_a_checksum_are_given() -> None:
    """Of an older object, or one whose checksum is that of its parts."""
    assert content_of(URI, reply()) == CONTENT
    assert content_of(URI, reply(crc32="AAAAAA==", type="COMPOSITE")) == CONTENT
    assert content_of(URI, reply(crc32="AAAAAA==-2")) == CONTENT


@pytest.mark.parametrize("algorithm", CHECKS)
def test_damaged_bytes_are_asked_for_again(algorithm: str) -> None:
    """One bit is enough."""
    with pytest.raises(ObjectStoreUnavailable, match=r"s3://logs/a .*are not those of the object"):
        content_of(URI, with_checksum(b"123456788", algorithm))


MD5 = "25f9e794323b453885f5181f1b624d0b"


@pytest.mark.parametrize("about", [{}, {"x-amz-server-side-encryption": "AES256"}])
def test_damage_of_an_older_object_shows_by_its_etag(about: dict[str, str]) -> None:
    """S3 kept no checksum of it, but its etag is the MD5."""
    older = {"content-length": "9", "etag": f'"{MD5}"', **about}

    assert content_of(URI, Reply(status=200, headers=older, body=CONTENT)) == CONTENT
    with pytest.raises(ObjectStoreUnavailable, match="are not those of the object"):
        content_of(URI, Reply(status=200, headers=older, body=b"123456788"))


@pytest.mark.parametrize(
    "about",
    [
        {"etag": f'"{MD5}-2"'},
        {"etag": '"0123456789abcdef0123456789abcdef"', "x-amz-server-side-encryption": "aws:kms"},
        {"etag": '"0123456789abcdef0123456789abcdef"', "x-amz-server-side-encryption-customer-key-md5": "x"},
    ],
)
def test_an_etag_that_is_no_md5_proves_nothing(about: dict[str, str]) -> None:
    """Of an object in parts, or encrypted with a key of its own."""
    assert content_of(URI, Reply(status=200, headers={"content-length": "9", **about}, body=CONTENT)) == CONTENT


def test_half_of_an_object_is_asked_for_again() -> None:
    """Also without a checksum, and what does not come at all."""
    with pytest.raises(ObjectStoreUnavailable):
        content_of(URI, reply(CONTENT[:5], length=9))
    with pytest.raises(ObjectStoreUnavailable, match="AWS_IO_SOCKET_CLOSED"):
        content_of(URI, Reply(status=None, headers={}, body=b"", failure="AWS_IO_SOCKET_CLOSED"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NoSuchKey", ObjectNotFoundError),
        (404, "NoSuchBucket", ObjectStoreWrongData),
        (403, "AccessDenied", ObjectStoreDenied),
        (503, "SlowDown", ObjectStoreUnavailable),
    ],
)
def test_a_refusal_is_an_error_of_its_kind(status: int, code: str, kind: type[ObjectStoreError]) -> None:
    """By the code in its body."""
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()

    with pytest.raises(ObjectStoreError, match="s3://logs/a") as error:
        content_of(URI, reply(body, status))

    assert type(error.value) is kind


def test_an_answer_of_somebody_between_is_no_object() -> None:
    """A gateway's page has no code of S3."""
    with pytest.raises(ObjectStoreUnavailable):
        content_of(URI, reply(b"<html>", 502))
