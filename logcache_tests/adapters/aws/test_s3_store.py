"""What S3 alone has: objects copied in parts, how objects are written to a bucket, wrong accounts and credentials."""

import os
from typing import Any

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import CopyTerms
from logcache_assets.adapters.aws.s3_buckets import BucketTerms, parse_tags
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.ports import (
    CopyRequest,
    ObjectChangedError,
    ObjectStoreDenied,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
    StoredObject,
)
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import Server, free_port

MIB = 1 << 20
SERVERS = (pytest.param("moto_server", id="moto"), pytest.param("versitygw_server", marks=pytest.mark.servers))
IN_PARTS = CopyTerms(multipart_bytes=6 * MIB, part_bytes=5 * MIB)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """A server with the empty buckets `source` and `target`."""
    server: Server = request.getfixturevalue(request.param)
    empty_buckets(server, "source", "target")
    return server


def store_on(server: Server, **parts: Any) -> S3ObjectStore:  # noqa: ANN401 - of S3ObjectStore
    """A store on a server."""
    return S3ObjectStore(AwsAccess(endpoint_url=server.endpoint_url), **parts)


def put(server: Server, key: str, content: bytes) -> None:
    """An object with everything that a copy keeps."""
    server.client("s3").put_object(
        Bucket="source",
        Key=key,
        Body=content,
        ContentType="application/x-parquet",
        Metadata={"owner": "itaipu"},
        Tagging="clearance=restricted",
    )


@pytest.mark.parametrize("size_bytes", [pytest.param(6 * MIB - 1, id="at once"), pytest.param(11 * MIB, id="in parts")])
def test_a_copy_keeps_what_its_source_has(server: Server, size_bytes: int) -> None:
    """Bytes, content type, metadata and tags; its checksum is that of all bytes, however it was copied."""
    put(server, "a", os.urandom(size_bytes))
    store, s3 = store_on(server, copies=IN_PARTS), server.client("s3")
    source = store.head("s3://source/a")

    (copied,) = store.copy_all([CopyRequest(source=source, destination_uri="s3://target/a")])

    assert isinstance(copied, StoredObject)
    assert store.read("s3://target/a") == store.read("s3://source/a")
    assert copied == store.head("s3://target/a")
    assert copied.etag.endswith("-3") is (size_bytes > 6 * MIB)
    about = s3.head_object(Bucket="target", Key="a")
    assert (about["ContentType"], about["Metadata"]) == ("application/x-parquet", {"owner": "itaipu"})
    assert s3.get_object_tagging(Bucket="target", Key="a")["TagSet"] == [{"Key": "clearance", "Value": "restricted"}]


@pytest.mark.servers
def test_a_source_that_changes_is_not_copied_in_parts(versitygw_server: Server) -> None:
    """Every part is pinned; nothing is left over, not even an unfinished upload."""
    empty_buckets(versitygw_server, "source", "target")
    store, s3 = store_on(versitygw_server, copies=IN_PARTS), versitygw_server.client("s3")
    source = store.write("s3://source/a", os.urandom(11 * MIB))
    store.write("s3://source/a", os.urandom(11 * MIB))

    with pytest.raises(ObjectChangedError, match="s3://source/a"):
        store.copy(source, "s3://target/a")

    assert list(store.list_objects("s3://target/")) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="target")


@pytest.mark.parametrize("size_bytes", [pytest.param(10, id="at once"), pytest.param(11 * MIB, id="in parts")])
def test_objects_are_written_by_the_terms_of_their_bucket(moto_server: Server, size_bytes: int) -> None:
    """Key, class and tags, of writes and of both kinds of copies; other buckets have none of it."""
    empty_buckets(moto_server, "source", "target")
    put(moto_server, "a", os.urandom(size_bytes))
    terms = BucketTerms(kms_key="alias/cache", storage_class="STANDARD_IA", tags={"clearance": "top secret", "a": "b"})
    store, s3 = store_on(moto_server, terms={"target": terms}, copies=IN_PARTS), moto_server.client("s3")

    written = store.write("s3://target/written", b"x")
    copied = store.copy(store.head("s3://source/a"), "s3://target/copied")

    assert written.storage_class == copied.storage_class == "STANDARD_IA"
    for key in ("written", "copied"):
        about = s3.head_object(Bucket="target", Key=key)
        assert (about["ServerSideEncryption"], about["SSEKMSKeyId"]) == ("aws:kms", "alias/cache")
        tags = s3.get_object_tagging(Bucket="target", Key=key)["TagSet"]
        assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("a", "b"), ("clearance", "top secret")]
    assert store.head("s3://source/a").storage_class == "STANDARD"


@pytest.mark.servers
def test_a_copy_that_was_not_encrypted_as_asked_is_an_error(versitygw_server: Server) -> None:
    """This server ignores keys; the copy is not believed."""
    empty_buckets(versitygw_server, "source", "target")
    store = store_on(versitygw_server, terms={"target": BucketTerms(kms_key="1234")})
    source = store.write("s3://source/a", b"x")

    with pytest.raises(ObjectStoreWrongData, match="s3://target/a was encrypted with no key of KMS, not with 1234"):
        store.copy(source, "s3://target/a")


@pytest.mark.parametrize(
    ("text", "tags"),
    [("", {}), ("a=b", {"a": "b"}), (" a = b , c=, ", {"a": "b", "c": ""}), ("a=b=c", {"a": "b=c"})],
)
def test_tags_are_read_from_a_line(text: str, tags: dict[str, str]) -> None:
    """Spaces around them do not count; a value may be empty or have an equals sign."""
    assert parse_tags(text) == tags


@pytest.mark.parametrize("text", ["a", "=b", "a=b,c"])
def test_a_line_that_is_no_tags_is_refused(text: str) -> None:
    """A key needs a value."""
    with pytest.raises(ValueError, match=r"^(a|=b|c)$"):
        parse_tags(text)


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    """Reads, writes and copies; after a bounded time."""
    access = AwsAccess(endpoint_url=f"http://127.0.0.1:{free_port()}", max_attempts=1)
    store = S3ObjectStore(access, copies=CopyTerms(attempts=1), reads=RepeatedReads(attempts=1))

    with pytest.raises(ObjectStoreUnavailable, match="s3://source/a"):
        store.read("s3://source/a")
    with pytest.raises(ObjectStoreUnavailable, match="s3://source/a"):
        store.write("s3://source/a", b"")


@pytest.mark.servers
def test_wrong_credentials_are_told(versitygw_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """By reads and by copies, without the secret."""
    empty_buckets(versitygw_server, "source", "target")
    source = store_on(versitygw_server).write("s3://source/a", b"x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    store = S3ObjectStore(AwsAccess(endpoint_url=versitygw_server.endpoint_url, max_attempts=2))

    for ask in (lambda: store.read("s3://source/a"), lambda: next(iter(store.copy_all([_copy_of(source)]))).error):  # type: ignore[union-attr]  # a failed copy
        text = _told(ask)
        assert "AWS does not accept the credentials" in text
        assert "planted-secret" not in text


def _copy_of(source: StoredObject) -> CopyRequest:
    return CopyRequest(source=source, destination_uri="s3://target/a")


def _told(ask: Any) -> str:  # noqa: ANN401 - any question
    try:
        return str(ask())
    except ObjectStoreDenied as error:
        return str(error)


def test_without_credentials_one_is_told_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    store = S3ObjectStore(AwsAccess(endpoint_url="http://127.0.0.1:9", region="sa-east-1"))

    for ask in (store.read, store.head):
        with pytest.raises(ObjectStoreDenied, match=r"there are no AWS credentials .* sign in"):
            ask("s3://source/a")
    with pytest.raises(ObjectStoreDenied, match="there are no AWS credentials"):
        list(store.copy_all([]))


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        (
            "s3://logs/a b/r.html",
            "https://sa-east-1.console.aws.amazon.com/s3/object/logs?region=sa-east-1&prefix=a%20b/r.html",
        ),
        ("s3://logs/a/", "https://sa-east-1.console.aws.amazon.com/s3/buckets/logs?region=sa-east-1&prefix=a/"),
    ],
)
def test_a_person_looks_at_objects_in_the_console(uri: str, url: str) -> None:
    """The link holds no signature, so it may stand in a pull request."""
    assert S3ObjectStore(AwsAccess(region="sa-east-1")).browse_url(uri) == url
