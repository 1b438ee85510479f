"""A local Spark session that reads Avro: nothing is downloaded, nothing listens beyond this computer."""

import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession
from source import MEMORY, THREADS

REGISTRATION = "META-INF/services/org.apache.spark.sql.sources.DataSourceRegister"
READER = "org.apache.spark.sql.avro.AvroFileFormat"
"""The reader lies in Spark's own jar; only the line that registers it is missing there."""


@contextmanager
def spark_session(partitions: int) -> Iterator[SparkSession]:
    """A session with this many shuffle partitions, gone with its files at the end."""
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as scratch:
        jar = Path(scratch) / "avro-register.jar"
        with zipfile.ZipFile(jar, "w") as content:
            content.writestr(REGISTRATION, f"{READER}\n")
        settings = {
            "spark.jars": str(jar),
            "spark.local.dir": scratch,
            "spark.sql.warehouse.dir": scratch,
            "spark.driver.memory": MEMORY.removesuffix("B").lower(),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": str(partitions),
            "spark.sql.files.maxPartitionBytes": "64m",
            "spark.sql.files.openCostInBytes": "64k",
            # The cached datoms stay as they were partitioned, so no later step shuffles them again.
            "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "false",
            "spark.sql.requireAllClusterKeysForCoPartition": "false",
            "spark.sql.parquet.compression.codec": "zstd",
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS",
        }
        builder = SparkSession.builder.master(f"local[{THREADS}]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        try:
            yield spark
        finally:
            spark.stop()
