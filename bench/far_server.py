"""A real S3 server for benchmarks, at once or behind a relay that delays its answers.

The servers are those of the tests: versitygw, which `make servers` builds.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # the tests are no part of what is installed

from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import REGION, ROOT, Command, Server, serving
from logcache_tests.servers.versitygw import versitygw

__all__ = ["REGION", "Server", "delayed", "empty_buckets", "versitygw"]

os.environ.update(ROOT.variables, AWS_REGION=REGION, AWS_EC2_METADATA_DISABLED="true")
RELAY = Path(__file__).parent / "relay.py"


@contextmanager
def delayed(server: Server, latency_ms: int, folder: Path) -> Iterator[Server]:
    """The server behind a relay that delays its answers."""
    if not latency_ms:
        yield server
        return
    port = server.endpoint_url.rpartition(":")[2]
    command = Command(
        argv=lambda own: [sys.executable, str(RELAY), str(own), port, str(latency_ms)], ready_path="/health"
    )
    with serving(command, folder / "relay.log") as url:
        yield Server(name=server.name, endpoint_url=url, credentials=server.credentials)
