"""DynamoDB Local: Amazon's own, in memory, started with a main class of ours that listens on loopback alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logcache_tests.servers.server import Command, NotBuiltError, Server, serving
from logcache_tests.servers.tools import built


@contextmanager
def dynamodb_local(folder: Path) -> Iterator[Server]:
    """Run DynamoDB Local without tables for the duration of the block.

    Args:
        folder: of its log.

    Raises:
        NotBuiltError: it has not been built, or there is no Java.
    """
    classes = built("dynamodb-local/LoopbackDynamo.class", needs="a JDK with Maven").parent
    if (java := shutil.which("java")) is None:
        raise NotBuiltError("DynamoDB Local needs java")
    command = Command(
        argv=lambda port: [
            *(java, "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
            *(f"-Dsqlite4java.library.path={classes}", "-cp", f"{classes}/*:{classes}", "LoopbackDynamo"),
            *("-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)),
        ],
        ready_path="/",
        ready_status=400,
    )
    with serving(command, folder / "dynamodb.log") as url:
        yield Server(name="dynamodb-local", endpoint_url=url)
