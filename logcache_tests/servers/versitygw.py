"""versitygw: an S3 server that is right about preconditions and checksums."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from logcache_tests.servers.server import LOOPBACK, ROOT, Command, NotBuiltError, Server, keeps_attributes, serving
from logcache_tests.servers.tools import built

ROOT_VARIABLES = {"ROOT_ACCESS_KEY": ROOT.access_key, "ROOT_SECRET_KEY": ROOT.secret_key}
THROTTLED = ("--max-requests", "1")
"""It serves one request at once; what is beyond is refused with 503 SlowDown."""


@contextmanager
def versitygw(folder: Path, *, options: Sequence[str] = ()) -> Iterator[Server]:
    """Run versitygw on an empty folder for the duration of the block.

    Args:
        folder: its objects, their versions and its log.
        options: more of its command line.

    Raises:
        NotBuiltError: it has not been built, or the folder cannot hold what it writes.
    """
    program = built("versitygw", needs="Go")
    objects, versions = folder / "objects", folder / "versions"
    objects.mkdir(parents=True)
    versions.mkdir()
    if not keeps_attributes(objects):
        raise NotBuiltError("versitygw needs extended attributes, which the folder of temporary files does not have")
    command = Command(
        argv=lambda port: [
            *(str(program), "--quiet", "--keep-alive", "--health", "/health", "--port", f"{LOOPBACK}:{port}"),
            *(*options, "posix", "--versioning-dir", str(versions), str(objects)),
        ],
        environment=ROOT_VARIABLES,
        ready_path="/health",
    )
    with serving(command, folder / "versitygw.log") as url:
        yield Server(name="versitygw", endpoint_url=url)
