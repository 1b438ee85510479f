"""The tasks of a build as Spark's tasks: each Python worker opens URIs, computes with polars and writes Parquet itself.

Only pickled tasks and their small results travel between the JVM and Python, and there is no second implementation in
Spark's expressions. Needs the extra `spark`, and on this computer Java 17 or newer; a cluster has its own session.
"""

import os
import pickle
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from logcache_assets.engine.drivers import Driver, Folder, Task
from logcache_assets.errors import BadInput, LogCacheError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

R = TypeVar("R")

TASKS = "number int, task binary"


class SparkDriver(Driver):
    """Tasks on a Spark session, as many at once as it has cores.

    Args:
        session: of a cluster, or local_session().
        scratch: an empty folder that every worker reaches, for datoms by bucket.
    """

    shares_memory = False

    def __init__(self, session: "SparkSession", scratch: Folder) -> None:
        self.scratch, self._session = scratch, session

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        if not tasks:
            return
        from pyspark.sql import functions  # noqa: PLC0415 - an extra

        rows = [(number, bytearray(pickle.dumps(task))) for number, task in enumerate(tasks)]
        # A number of partitions that is asked for stays as it is: one task of ours is one task of Spark's.
        frame = self._session.createDataFrame(rows, TASKS).repartition(len(rows))
        run = functions.udf(run_task, "binary", useArrow=False)  # mapInArrow would need pandas
        for row in frame.select(run("task").alias("result")).collect():
            result = pickle.loads(row["result"])  # noqa: S301 - our own worker wrote it
            if isinstance(result, LogCacheError):
                raise result
            yield result


def run_task(task: bytes) -> bytes:
    """What a worker does; an error of ours is a result, so that it arrives as it was raised."""
    try:
        return pickle.dumps(pickle.loads(task).run())  # noqa: S301 - our own driver wrote it
    except LogCacheError as error:
        return pickle.dumps(error)


@contextmanager
def spark_driver(scratch: Folder, *, threads: int = 2) -> Iterator[SparkDriver]:
    """A driver on a session of this computer, which ends with it.

    Raises:
        BadInput: pyspark or Java is missing.
    """
    session = local_session(threads)
    try:
        yield SparkDriver(session, scratch)
    finally:
        session.stop()


def local_session(threads: int = 2) -> "SparkSession":
    """A Spark session in a JVM of this computer, which listens on loopback only; raises BadInput."""
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and a second to import
    except ImportError as error:
        raise BadInput("pyspark is not installed; install the extra: pip install 'logcache-assets[spark]'") from error
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise BadInput("Spark needs Java, and there is none on the PATH; install Java 17 or newer, or set JAVA_HOME")
    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master(f"local[{threads}]").appName("logcache")
    for name, value in LOCAL_SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
}
"""One polars thread per worker: Spark runs as many workers as there are cores."""
