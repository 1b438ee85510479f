"""Runs the tasks of a build on Spark: each Python worker opens URIs, computes with polars and writes Parquet itself.

Only pickled tasks and their small results travel between the JVM and Python; nothing is implemented a second time in
Spark expressions. Needs the extra `spark`, and for a local session Java 17 or newer; a cluster has its own session.
"""

import os
import pickle
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from typing_extensions import override

from logcache_assets.engine.drivers.driver import Driver, Folder, LocalDriver, Task
from logcache_assets.engine.drivers.sending import Sender, load_task
from logcache_assets.errors import BadInput, LogCacheError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

R = TypeVar("R")

JOBS_AT_ONCE = 32
"""For Spark Connect sessions, which do not say how many cores they have. Surplus jobs wait for a free core."""


class SparkDriver(Driver):
    """Runs tasks on a Spark session, classic or Spark Connect, as many at once as it has cores.

    Every task is a job of its own, so that results arrive as tasks finish and the first error ends the run. Retried
    and speculative tasks do no harm: they write the same files again.

    Args:
        session: the cluster's session, or local_session().
        scratch: an empty folder that every worker can reach, for datoms by bucket.
        jobs: how many tasks are submitted at once; by default the number of the session's cores.
    """

    shares_memory = False

    def __init__(self, session: "SparkSession", scratch: Folder, *, jobs: int | None = None) -> None:
        self.scratch, self.session, self._jobs = scratch, session, jobs

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        waiting, sender = LocalDriver(self.scratch, workers=self._jobs or _cores(self.session)), Sender()
        return waiting.run([_Sent(self.session, task, sender) for task in tasks])


def _cores(session: "SparkSession") -> int:
    from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra

    try:
        return int(session.sparkContext.defaultParallelism)
    except PySparkException:
        return JOBS_AT_ONCE


@dataclass(frozen=True, slots=True)
class _Sent(Generic[R]):
    """A task that runs in a worker while the calling thread waits.

    The pickled task is sent inside a function, which Spark shows in no plan, log or page. The deployment's key of
    personal data is not in it, only the key's source: the worker reads the key itself. An Arrow function would need
    pandas here and in the workers, and takes twice as long to call.
    """

    session: "SparkSession"
    task: Task[R]
    sender: Sender

    def run(self) -> R:
        """The worker's result, or its error."""
        from pyspark.sql import functions  # noqa: PLC0415 - an extra

        work = functions.udf(_Work(self.sender.dump(self.task)), "binary", useArrow=False)
        (row,) = self.session.range(1, numPartitions=1).select(work("id")).collect()
        result = pickle.loads(row[0])  # noqa: S301 - our own worker wrote it
        if isinstance(result, LogCacheError):
            raise result
        done: R = result
        return done


@dataclass(frozen=True)
class _Work:
    """The function a worker calls; it returns our errors as results, so that Spark neither wraps nor retries them."""

    task: bytes

    def __call__(self, _row: int) -> bytes:
        # Spark runs as many workers as there are cores. Polars reads this when it is imported, which the task does.
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
        try:
            return pickle.dumps(load_task(self.task).run())
        except LogCacheError as error:
            return pickle.dumps(error)


@contextmanager
def spark_driver(scratch: Folder, *, threads: int = 2) -> Iterator[SparkDriver]:
    """A driver on a local session, which is stopped at the end; raises BadInput as local_session does."""
    session = local_session(threads)
    try:
        yield SparkDriver(session, scratch)
    finally:
        session.stop()


def local_session(threads: int = 2) -> "SparkSession":
    """Start a Spark session in a local JVM that listens on loopback only.

    Raises:
        BadInput: pyspark or Java is missing, or Java is too old for it.
    """
    try:
        from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415 - an extra, and a second to import
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise BadInput("pyspark is not installed; install the extra: pip install 'logcache-assets[spark]'") from error
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise BadInput("Spark needs Java, and there is none on the PATH; install Java 17 or newer, or set JAVA_HOME")
    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master(f"local[{threads}]").appName("logcache")
    for name, value in LOCAL_SETTINGS.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        java = os.environ.get("JAVA_HOME") or shutil.which("java")
        raise BadInput(f"Spark did not start with the Java at {java}; install Java 17 or newer: {error}") from error


LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.sql.shuffle.partitions": "2",
    "spark.log.level": "ERROR",
}
"""A small JVM that starts fast: it only hands out tasks."""
