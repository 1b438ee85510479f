"""Every request has its operation's name."""

import pytest

from logcache_tests.servers.fault_proxy.requests import Asked, Request


@pytest.mark.parametrize(
    ("line", "headers", "operation"),
    [
        ("GET /", {}, "ListBuckets"),
        ("GET /source?list-type=2&prefix=a%2Fb&uploads-of=x", {}, "ListObjectsV2"),
        ("GET /source?prefix=a", {}, "ListObjects"),
        ("GET /source/?versions", {}, "ListObjectVersions"),
        ("GET /source?lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("GET /source?location", {}, "GetBucketLocation"),
        ("HEAD /source", {}, "HeadBucket"),
        ("POST /source?delete", {}, "DeleteObjects"),
        ("GET /source/a/b?versionId=1", {}, "GetObject"),
        ("GET /source/a/b?tagging", {}, "GetObjectTagging"),
        ("HEAD /source/a", {}, "HeadObject"),
        ("PUT /target/a?x-id=PutObject", {}, "PutObject"),
        ("PUT /target/a", {"x-amz-copy-source": "source/a"}, "CopyObject"),
        ("PUT /target/a?partNumber=2&uploadId=x", {}, "UploadPart"),
        ("PUT /target/a?partNumber=2&uploadId=x", {"x-amz-copy-source": "/source/a"}, "UploadPartCopy"),
        ("POST /target/a?uploads", {}, "CreateMultipartUpload"),
        ("POST /target/a?uploadId=x", {}, "CompleteMultipartUpload"),
        ("DELETE /target/a?uploadId=x", {}, "AbortMultipartUpload"),
        ("DELETE /target/a", {}, "DeleteObject"),
        ("POST /", {"x-amz-target": "DynamoDB_20120810.Query"}, "Query"),
        ("PATCH /source/a?unheard-of", {}, "PATCH /source/a?unheard-of"),
    ],
)
def test_an_operation_is_named_as_in_the_api(line: str, headers: dict[str, str], operation: str) -> None:
    """Method, query and headers decide; the names are those of the documentation."""
    method, target = line.split(" ")

    assert Request(method, target, headers).operation == operation


def test_where_and_whence() -> None:
    """Bucket and key are as the client means them, not as they are sent."""
    request = Request("PUT", "/target/a%20b/c%2Bd", {"x-amz-copy-source": "/source/e%25f?versionId=3"})

    assert request.path == ("target", "a b/c+d")
    assert request.source == ("source", "e%f")


def test_what_is_counted_of_a_request() -> None:
    """Operation, bucket and the headers that change what is permitted or proven."""
    headers = {"host": "h", "if-none-match": "*", "x-amz-copy-source": "source/a", "x-amz-copy-source-if-match": '"1"'}

    asked = Request("PUT", "/target/a", headers).asked

    assert asked == Asked("CopyObject", "target", ("if-none-match", "x-amz-copy-source-if-match"))


def test_whose_request_it_is() -> None:
    """Another session of the same user has other credentials."""
    signed = {
        "authorization": "AWS4-HMAC-SHA256 Credential=user/20261129/us-east-1/s3/aws4_request, SignedHeaders=host"
    }

    assert Request("GET", "/", signed).credential == "user "
    assert Request("GET", "/", signed | {"x-amz-security-token": "one"}).credential == "user one"


def test_the_same_request_is_known_again() -> None:
    """In another run the server gives an upload another id; another part is another request."""
    one, again, other = (
        Request("PUT", f"/target/a?partNumber={part}&uploadId={upload}", {}).identity
        for part, upload in (("1", "x"), ("1", "y"), ("2", "x"))
    )

    assert one == again != other
