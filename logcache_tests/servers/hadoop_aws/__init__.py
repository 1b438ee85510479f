"""Hadoop's s3a for Spark on this computer, by which Databricks' own readers reach S3."""

from collections.abc import Iterator
from contextlib import contextmanager

from logcache_tests.servers.server import Server
from logcache_tests.servers.tools import built


@contextmanager
def s3a_settings(server: Server) -> Iterator[dict[str, str]]:
    """Gives Spark's settings to read `s3a://` from a server, with the credentials that the machine's environment has.

    Raises:
        NotBuiltError: its jars have not been fetched.
    """
    jars = built("hadoop-aws/fetched", needs="Maven").parent.glob("*.jar")
    s3a = "spark.hadoop.fs.s3a."
    yield {
        "spark.jars": ",".join(sorted(map(str, jars))),
        f"{s3a}endpoint": server.endpoint_url,
        f"{s3a}endpoint.region": server.region,
        f"{s3a}path.style.access": "true",
    }
