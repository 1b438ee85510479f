"""A server for tests: on a free port of loopback, asked until it answers, and ended with its whole process group."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from logcache_assets.adapters.processes import started

LOOPBACK = "127.0.0.1"
READY_SECONDS = 60.0
"""How long a server may take to answer, on a busy machine."""
GRACE_SECONDS = 3.0
POLL_SECONDS = 0.02
TRIES = 3
"""How often a port is chosen: between choosing and listening somebody else may take it."""
TOLD_CHARACTERS = 2000


class NotBuiltError(Exception):
    """A server is not on this computer; the text says what is missing."""


class NotReadyError(Exception):
    """A server ended, or did not answer in time; the text has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks. DynamoDB Local takes letters and digits alone as an access key."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @property
    def variables(self) -> dict[str, str]:
        """The same as variables of the environment."""
        token = {} if self.session_token is None else {"AWS_SESSION_TOKEN": self.session_token}
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, **token}


ACCOUNT = "123456789012"
"""The account that owns every bucket: moto's, and what versitygw takes for one, its root's access key."""
ROOT = Credentials(access_key=ACCOUNT, secret_key="only-good-for-servers-of-tests")  # noqa: S106 - not secret
"""May do everything on every server; also what the whole suite has in its environment."""
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    name: str
    """By which the table of what it may be trusted with knows it."""
    endpoint_url: str
    credentials: Credentials = ROOT
    region: str = REGION

    def client(self, service: str, **config: Any) -> Any:  # noqa: ANN401 - clients are made from descriptions
        """A boto3 client that asks once, so that a test sees each answer; `config` is that of botocore."""
        return _client(self, service, tuple(sorted(config.items())))

    def asked_by(self, credentials: Credentials) -> "Server":
        """The same server for another user."""
        return replace(self, credentials=credentials)


@cache
def _client(server: Server, service: str, config: tuple[tuple[str, Any], ...]) -> Any:  # noqa: ANN401 - as Server.client
    import boto3  # noqa: PLC0415 - half a second
    from botocore.config import Config  # noqa: PLC0415 - as above

    asked_once = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}}
    return boto3.client(
        service,
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=server.credentials.access_key,
        aws_secret_access_key=server.credentials.secret_key,
        aws_session_token=server.credentials.session_token,
        config=Config(**asked_once, **dict(config)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a server is started, and how one sees that it answers."""

    argv: Callable[[int], Sequence[str]]
    """Its command line on a port."""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_path: str
    ready_status: int = 200
    ready_seconds: float = READY_SECONDS


@contextmanager
def serving(command: Command, output: Path) -> Iterator[str]:
    """Run a server for the duration of the block; gives its URL.

    Raises:
        NotReadyError: it ended, or did not answer in time.
    """
    for last in (False,) * (TRIES - 1) + (True,):
        port = free_port()
        argv = command.argv(port)
        with started(argv, output=output, environment=command.environment, grace_seconds=GRACE_SECONDS) as process:
            if _becomes_ready(command, port, process):
                yield f"http://{LOOPBACK}:{port}"
                return
            ended = process.poll()
        if last or ended is None:
            told = output.read_text(encoding="utf-8", errors="replace")[-TOLD_CHARACTERS:]
            how = "did not answer in time" if ended is None else f"ended with {ended}"
            raise NotReadyError(f"{argv[0]} {how}: {told}")


def free_port() -> int:
    """A port of loopback on which nobody listens now."""
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        return int(listening.getsockname()[1])


def _becomes_ready(command: Command, port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + command.ready_seconds
    while process.poll() is None and time.monotonic() < deadline:
        if _status(port, command.ready_path) == command.ready_status:
            # Were the port another's, this process would have ended by now.
            return process.poll() is None
        time.sleep(POLL_SECONDS)
    return False


def _status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        with connection.getresponse() as response:
            return response.status
    return None


def keeps_attributes(folder: Path) -> bool:
    """Whether files in a folder can have extended attributes."""
    if not hasattr(os, "setxattr"):
        return True
    try:
        os.setxattr(folder, "user.logcache", b"1")
    except OSError:
        return False
    return True
