"""A small world on S3 and DynamoDB that root built, and people in it who may do what a policy allows.

Each person is a profile of AWS's configuration. A role that is watched has proxies of its own, so what it asks is seen.
"""

import itertools
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.settings import Settings, child_environment
from logcache_tests.conftest import silent
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.rights.calls import Call
from logcache_tests.rights.policies import PLACES
from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.fault_proxy.proxy import FaultProxy, fault_proxy
from logcache_tests.servers.identities import Identities, Policy, write_profile
from logcache_tests.servers.server import Server
from logcache_tests.worlds import settings_at, write_feed_data

RUNS, CACHES = "nu-spark-metapod-ephemeral-1", "nu-spark-metapod"
LEAST_MULTIPART_BYTES = 5 << 20
TABLE = "segments"


@dataclass(frozen=True)
class Watched:
    """Proxies through which one role asks."""

    s3: FaultProxy
    index: FaultProxy

    @property
    def calls(self) -> set[Call]:
        """What was asked, and where."""
        seen = {*self.s3.seen, *self.index.seen}
        return {(asked.operation, PLACES[asked.bucket]) for asked in seen}


@dataclass
class Deployment:
    """The world, and its servers."""

    identities: Identities
    dynamodb: Server
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def world(self) -> World:
        """The world, for root."""
        return World(self.settings())

    def settings(self, watched: Watched | None = None, **variables: str) -> Settings:
        """The settings of a person; requests of a role that is watched go through its proxies."""
        s3, dynamodb = (watched.s3.server, watched.index.server) if watched else (self.identities.server, self.dynamodb)
        return settings_at(
            self.folder / "home",
            store="s3",
            s3_endpoint=s3.endpoint_url,
            segment_index="dynamodb",
            segment_table=TABLE,
            dynamodb_endpoint=dynamodb.endpoint_url,
            multipart_copy_bytes=str(LEAST_MULTIPART_BYTES),
            **variables,
        )

    def person(self, policy: Policy) -> str:
        """The profile of a new person who may do what the policy allows."""
        name = f"person{next(self._numbers)}"
        write_profile(self.credentials, name, self.identities.user(name, policy))
        return name

    @property
    def credentials(self) -> Path:
        """The file of AWS that has everybody's keys."""
        return self.folder / "credentials"

    def watch(self) -> Watched:
        """Proxies for one role."""
        s3 = self._open.enter_context(fault_proxy(self.identities.server, honours_if_none_match=True))
        return Watched(s3, self._open.enter_context(fault_proxy(self.dynamodb)))

    def sabesp_of(self, profile: str, watched: Watched) -> Path:
        """An executable that is `sabesp` for another person than the one who starts it."""
        script = self.folder / "sabesp"
        own = {
            "LOGCACHE_AWS_PROFILE": profile,
            "LOGCACHE_S3_ENDPOINT": watched.s3.server.endpoint_url,
            "LOGCACHE_DYNAMODB_ENDPOINT": watched.index.server.endpoint_url,
            "LOGCACHE_PII_KEY": PII_KEY.decode(),
        }
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in own.items())
        script.write_text(f'#!/bin/sh\n{exports}exec {Path(sys.executable).parent}/sabesp "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        return script

    def close(self) -> None:
        """End the proxies."""
        self._open.close()


@contextmanager
def deployment(identities: Identities, dynamodb: Server, folder: Path) -> Iterator[Deployment]:
    """Build a world as root, and keep it for the duration of the block."""
    empty_buckets(identities.server)
    no_tables(dynamodb)
    made = Deployment(identities, dynamodb, folder)
    made.credentials.touch()
    write_feed_data(folder / "data")
    build_world(made.world, folder / "data", silent)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(made.credentials))
        try:
            yield made
        finally:
            made.close()


@contextmanager
def typed_by(settings: Settings) -> Iterator[None]:
    """Give commands that read the environment these settings for the duration of the block."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in child_environment(settings).items():
            environment.setenv(name, value)
        yield
