"""Servers of tests are started, answer, and are gone afterwards."""

import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.fixtures import or_skipped
from logcache_tests.servers.moto_server import moto
from logcache_tests.servers.server import Command, NotBuiltError, NotReadyError, Server, serving
from logcache_tests.servers.tools import built
from logcache_tests.servers.versitygw import THROTTLED, versitygw

SERVES = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={}, bind='127.0.0.1')"


@pytest.fixture(params=["moto_server", pytest.param("versitygw_server", marks=pytest.mark.servers)])
def s3_server(request: pytest.FixtureRequest) -> Server:
    """Each S3 server."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, Server)
    return server


def test_buckets_are_emptied(s3_server: Server) -> None:
    """Objects, former versions and unfinished uploads of an earlier test are gone."""
    empty_buckets(s3_server, "source", versioned=True)
    s3 = s3_server.client("s3")
    for content in (b"1", b"2"):
        s3.put_object(Bucket="source", Key="a/b", Body=content)
    s3.delete_object(Bucket="source", Key="a/b")
    s3.create_multipart_upload(Bucket="source", Key="c")

    empty_buckets(s3_server, "source", "target")

    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["source", "target"]
    assert "Versions" not in s3.list_object_versions(Bucket="source")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="source")


@pytest.mark.parametrize("name", ["moto_server", pytest.param("dynamodb_server", marks=pytest.mark.servers)])
def test_tables_are_removed(request: pytest.FixtureRequest, name: str) -> None:
    """Tables of an earlier test are gone."""
    server = request.getfixturevalue(name)
    server.client("dynamodb").create_table(
        TableName="index",
        AttributeDefinitions=[{"AttributeName": "db_prototype", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "db_prototype", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    no_tables(server)

    assert server.client("dynamodb").list_tables()["TableNames"] == []


@pytest.mark.servers
def test_a_throttled_server_refuses_what_is_beyond(tmp_path: Path) -> None:
    """A server may itself be busy, as S3 is: 503 SlowDown."""
    with or_skipped(versitygw(tmp_path / "busy", options=THROTTLED)) as server, ThreadPoolExecutor(8) as pool:
        s3 = server.client("s3", max_pool_connections=8)
        s3.create_bucket(Bucket="source")
        codes = set(pool.map(lambda number: _code_of_put(s3, f"{number}"), range(200)))

    assert codes == {None, "SlowDown"}


def _http_server() -> Command:
    return Command(argv=lambda port: [sys.executable, "-c", SERVES.format(port)], ready_path="/")


def _code_of_put(s3: Any, key: str) -> str | None:  # noqa: ANN401 - as Server.client
    try:
        s3.put_object(Bucket="source", Key=key, Body=bytes(100_000))
    except s3.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def test_a_server_is_gone_after_its_block(tmp_path: Path) -> None:
    """Nothing of a test goes on afterwards."""
    with serving(_http_server(), tmp_path / "log") as url:
        port = int(url.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port)).close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_server_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    """Whoever reads the failure sees why."""
    command = Command(argv=lambda _: [sys.executable, "-c", "raise SystemExit('no disk')"], ready_path="/")

    with pytest.raises(NotReadyError, match=r"ended with 1: no disk"), serving(command, tmp_path / "log"):
        pass


def test_a_port_that_was_taken_meanwhile_is_chosen_again(tmp_path: Path) -> None:
    """A server that cannot listen is started again on another port."""
    ports: list[int] = []

    def argv(port: int) -> list[str]:
        ports.append(port)
        return [sys.executable, "-c", "raise SystemExit(1)" if len(ports) < 3 else SERVES.format(port)]

    with serving(Command(argv=argv, ready_path="/"), tmp_path / "log") as url:
        assert url == f"http://127.0.0.1:{ports[2]}"


def test_what_is_not_built_says_what_it_needs(tmp_path: Path) -> None:
    """A skipped test tells what would make it run."""
    with pytest.raises(NotBuiltError, match="`make test-servers` builds it where Go is there"):
        built("versitygw", needs="Go", folder=tmp_path)


def test_no_account_is_in_the_environment(moto_server: Server) -> None:
    """What a developer's computer knows about AWS is not there, what servers of tests accept is."""
    assert {name: value for name, value in os.environ.items() if name.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID": moto_server.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": moto_server.credentials.secret_key,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def test_two_servers_do_not_disturb_each_other(moto_server: Server, tmp_path: Path) -> None:
    """Each has its own objects."""
    empty_buckets(moto_server, "source")

    with moto(tmp_path) as other:
        assert other.client("s3").list_buckets()["Buckets"] == []
