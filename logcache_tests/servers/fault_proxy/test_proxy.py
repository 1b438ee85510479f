"""Through the proxy a client meets exactly the faults that were asked for, and otherwise the server itself."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, FlexibleChecksumError, ResponseStreamingError

from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.fault_proxy.faults import Fault, Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy, fault_proxy
from logcache_tests.servers.fault_proxy.requests import Asked
from logcache_tests.servers.server import Credentials, Server

CONTENT = bytes(range(256)) * 500
SERVERS = ["moto_server", pytest.param("versitygw_server", marks=pytest.mark.servers)]


@pytest.fixture(params=SERVERS)
def proxy(request: pytest.FixtureRequest) -> Iterator[FaultProxy]:
    """A proxy before each S3 server, which keeps the promise; the bucket `source` has the object `a b/c`."""
    server = request.getfixturevalue(request.param)
    empty_buckets(server, "source", "target")
    server.client("s3").put_object(Bucket="source", Key="a b/c", Body=CONTENT)
    with fault_proxy(server, honours_if_none_match=True) as running:
        yield running


@pytest.fixture
def s3(proxy: FaultProxy) -> Any:  # noqa: ANN401 - as Server.client
    """A client that goes through the proxy and asks once."""
    return proxy.server.client("s3", request_checksum_calculation="when_required")


@pytest.fixture
def behind(proxy: FaultProxy) -> Any:  # noqa: ANN401 - as Server.client
    """A client that goes to the server itself."""
    return proxy.upstream.client("s3")


def copy(s3: Any, key: str = "copy", **more: str) -> Any:  # noqa: ANN401 - as Server.client
    """Copy the object."""
    return s3.copy_object(Bucket="target", Key=key, CopySource={"Bucket": "source", "Key": "a b/c"}, **more)


def keys_in(s3: Any, bucket: str) -> list[str]:  # noqa: ANN401 - as Server.client
    """Every key."""
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_without_faults_the_server_answers(proxy: FaultProxy, s3: Any) -> None:  # noqa: ANN401 - as Server.client
    """Signatures hold, bodies of any kind pass both ways, errors are the server's."""
    s3.put_object(Bucket="target", Key="é +", Body=CONTENT, Metadata={"a": "b"})
    copy(s3)

    assert s3.get_object(Bucket="target", Key="é +")["Body"].read() == CONTENT
    assert s3.get_object(Bucket="target", Key="copy", Range="bytes=5-9")["Body"].read() == CONTENT[5:10]
    assert s3.head_object(Bucket="target", Key="é +")["Metadata"] == {"a": "b"}
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="target", Key="none")
    s3.delete_object(Bucket="target", Key="copy")
    assert keys_in(s3, "target") == ["é +"]
    assert proxy.operations == {
        "PutObject": 1,
        "CopyObject": 1,
        "GetObject": 2,
        "HeadObject": 2,
        "DeleteObject": 1,
        "ListObjectsV2": 1,
    }
    assert not proxy.injected


def test_requests_are_counted_by_what_they_ask(proxy: FaultProxy, s3: Any) -> None:  # noqa: ANN401 - as Server.client
    """The bucket and the conditions are told; the proxy's own requests are not counted."""
    etag = s3.head_object(Bucket="source", Key="a b/c")["ETag"]
    for number in range(2):
        copy(s3, f"{number}", CopySourceIfMatch=etag, IfNoneMatch="*")

    assert proxy.seen == {
        Asked("HeadObject", "source", ()): 1,
        Asked("CopyObject", "target", ("if-none-match", "x-amz-copy-source-if-match")): 2,
    }


def test_a_copy_does_not_overwrite(s3: Any, behind: Any) -> None:  # noqa: ANN401 - as Server.client
    """The promise of S3 that no server of tests keeps."""
    behind.put_object(Bucket="target", Key="copy", Body=b"precious")

    with pytest.raises(ClientError, match="PreconditionFailed") as refusal:
        copy(s3, IfNoneMatch="*")

    assert refusal.value.response["Error"]["Condition"] == "If-None-Match"
    assert behind.get_object(Bucket="target", Key="copy")["Body"].read() == b"precious"
    copy(s3, "another", IfNoneMatch="*")
    assert keys_in(behind, "target") == ["another", "copy"]


def test_a_busy_service_refuses(proxy: FaultProxy, s3: Any, behind: Any) -> None:  # noqa: ANN401 - as Server.client
    """503 SlowDown, and nothing is done; also to a HEAD, whose answer has no body."""
    with proxy.injecting(Faults(slow_down=1)):
        with pytest.raises(ClientError, match="SlowDown"):
            copy(s3)
        with pytest.raises(ClientError, match="503"):
            s3.head_object(Bucket="source", Key="a b/c")
        assert proxy.injected == {Fault.SLOW_DOWN: 2}

    assert keys_in(behind, "target") == []
    copy(s3)


def test_a_reply_is_lost_after_the_effect(proxy: FaultProxy, s3: Any, behind: Any) -> None:  # noqa: ANN401 - as above
    """The client cannot know that the copy is there."""
    with proxy.injecting(Faults(dropped_reply=1)), pytest.raises(ConnectionClosedError):
        copy(s3)

    assert keys_in(behind, "target") == ["copy"]


def test_an_error_comes_with_status_200(proxy: FaultProxy, s3: Any, behind: Any) -> None:  # noqa: ANN401 - as above
    """Nothing was copied."""
    with proxy.injecting(Faults(error_in_200=1)), pytest.raises(ClientError, match="InternalError"):
        copy(s3)

    assert keys_in(behind, "target") == []


def test_a_source_vanishes(proxy: FaultProxy, s3: Any, behind: Any) -> None:  # noqa: ANN401 - as Server.client
    """It is really gone when the copy comes to it."""
    with proxy.injecting(Faults(vanished=1)), pytest.raises(ClientError, match="NoSuchKey"):
        copy(s3)

    assert keys_in(behind, "source") == []


def test_a_body_is_cut_short(proxy: FaultProxy, s3: Any) -> None:  # noqa: ANN401 - as Server.client
    """Fewer bytes come than were announced."""
    with proxy.injecting(Faults(truncated=1)), pytest.raises(ResponseStreamingError):
        s3.get_object(Bucket="source", Key="a b/c")["Body"].read()


def test_one_bit_is_another(proxy: FaultProxy) -> None:
    """The object's checksum tells, if it is asked for."""
    unchecked = proxy.server.client("s3", response_checksum_validation="when_required")
    checked = proxy.server.client("s3")
    proxy.upstream.client("s3").put_object(Bucket="source", Key="summed", Body=CONTENT, ChecksumAlgorithm="CRC32")

    with proxy.injecting(Faults(corrupted=1)):
        found = unchecked.get_object(Bucket="source", Key="a b/c")["Body"].read()
        with pytest.raises(FlexibleChecksumError):
            checked.get_object(Bucket="source", Key="summed")["Body"].read()

    differing = [here ^ there for here, there in zip(found, CONTENT, strict=True) if here != there]
    assert differing == [1]


def test_credentials_expire(proxy: FaultProxy, s3: Any) -> None:  # noqa: ANN401 - as Server.client
    """After so many requests, until other credentials come."""
    other = proxy.server.asked_by(Credentials(access_key="another", secret_key="good"))  # noqa: S106 - not secret

    with proxy.injecting(Faults(expire_after=1)):
        copy(s3)
        with pytest.raises(ClientError, match="ExpiredToken"):
            copy(s3)
        with suppress(ClientError):  # versitygw does not know this user; moto asks nobody
            other.client("s3").list_buckets()
        with pytest.raises(ClientError, match="ExpiredToken"):
            copy(s3)

        assert proxy.operations == {"CopyObject": 3, "ListBuckets": 1}
        assert proxy.injected == {Fault.EXPIRED: 2}


@pytest.mark.parametrize("name", ["moto_server", pytest.param("dynamodb_server", marks=pytest.mark.servers)])
def test_dynamodb_is_busy_in_its_own_words(request: pytest.FixtureRequest, name: str) -> None:
    """The same faults, with the answers of DynamoDB."""
    server: Server = request.getfixturevalue(name)
    no_tables(server)

    with fault_proxy(server) as proxy:
        dynamodb = proxy.server.client("dynamodb")
        with proxy.injecting(Faults(slow_down=1)), pytest.raises(ClientError) as throttled:
            dynamodb.list_tables()
        with proxy.injecting(Faults(expire_after=0)), pytest.raises(ClientError) as expired:
            dynamodb.list_tables()
        with proxy.injecting(Faults(dropped_reply=1)), pytest.raises(ConnectionClosedError):
            dynamodb.list_tables()
        with proxy.injecting(Faults(latency_seconds=0.001)):
            assert dynamodb.list_tables()["TableNames"] == []
            assert proxy.operations == {"ListTables": 1}

    assert throttled.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert expired.value.response["Error"]["Code"] == "ExpiredTokenException"
