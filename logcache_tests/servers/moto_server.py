"""moto: S3 and DynamoDB in Python, from the lock; for `make test`. Never the proof that a copy is safe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logcache_tests.servers.server import LOOPBACK, Command, Server, serving


@contextmanager
def moto(folder: Path) -> Iterator[Server]:
    """Run moto's server, empty, for the duration of the block.

    Args:
        folder: of its log.
    """
    command = Command(
        argv=lambda port: [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)],
        ready_path="/moto-api/",
    )
    with serving(command, folder / "moto.log") as url:
        yield Server(name="moto", endpoint_url=url)
