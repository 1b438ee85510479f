"""Fixtures of servers: one of each per worker, started when first asked for.

A server that is not built here skips the tests that ask for it; with the variable CI set that is an error.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import pytest

from logcache_tests.servers.conformance.expected import lacking
from logcache_tests.servers.dynamodb_local import dynamodb_local
from logcache_tests.servers.fault_proxy.proxy import FaultProxy, fault_proxy
from logcache_tests.servers.identities import Identities, identities
from logcache_tests.servers.moto_server import moto
from logcache_tests.servers.server import REGION, ROOT, NotBuiltError, Server
from logcache_tests.servers.versitygw import versitygw

NOWHERE = "/dev/null"
Running = TypeVar("Running")


@pytest.fixture(scope="session", autouse=True)
def aws_of_tests() -> Iterator[None]:
    """No test reaches, or is changed by, what a developer's computer knows about AWS."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        for name, value in {
            **ROOT.variables,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": NOWHERE,
            "AWS_SHARED_CREDENTIALS_FILE": NOWHERE,
        }.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """S3 and DynamoDB of moto."""
    with or_skipped(moto(tmp_path_factory.mktemp("moto"))) as server:
        yield server


@pytest.fixture(scope="session")
def versitygw_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """S3 of versitygw."""
    with or_skipped(versitygw(tmp_path_factory.mktemp("versitygw"))) as server:
        yield server


@pytest.fixture(scope="session")
def s3_identities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Identities]:
    """S3 of a versitygw that knows users."""
    with or_skipped(identities(tmp_path_factory.mktemp("users") / "of")) as running:
        yield running


@pytest.fixture(scope="session")
def dynamodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """DynamoDB Local."""
    with or_skipped(dynamodb_local(tmp_path_factory.mktemp("dynamodb"))) as server:
        yield server


@pytest.fixture(scope="session")
def s3_proxy(versitygw_server: Server) -> Iterator[FaultProxy]:
    """A proxy before versitygw that keeps the promise of copies; a test sets the faults that it wants."""
    with fault_proxy(versitygw_server, honours_if_none_match=True) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def proxied_server(s3_proxy: FaultProxy) -> Server:
    """S3 of versitygw behind that proxy: what copies rest on is as on S3."""
    return s3_proxy.server


@pytest.fixture
def trusted(request: pytest.FixtureRequest) -> Callable[[Server], Server]:
    """Hands a server to the test if it keeps every promise that the test needs, else skips the test."""
    needed = [name for marker in request.node.iter_markers("needs") for name in marker.args]
    return lambda server: trusted_with(server, needed)


def trusted_with(server: Server, needed: Iterable[str]) -> Server:
    """The server, if it keeps these promises; else the test is skipped."""
    if lacks := list(lacking(server.name, needed)):
        pytest.skip(f"{server.name} cannot be trusted with {', '.join(lacks)}")
    return server


@contextmanager
def or_skipped(server: AbstractContextManager[Running]) -> Iterator[Running]:
    """Run a server, or skip the test if it is not built here."""
    with ExitStack() as until_the_end:
        try:
            running = until_the_end.enter_context(server)
        except NotBuiltError as missing:
            if "CI" in os.environ:
                raise
            pytest.skip(str(missing))
        yield running
