"""Where the engine's work runs, by the name that a command's `--driver` or a setting gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from logcache_assets.engine.drivers import Driver
from logcache_assets.local_platform.scratch import local_driver, scratch_folder

DriverName = Literal["local", "spark"]


@contextmanager
def open_driver(name: DriverName) -> Iterator[Driver]:
    """A driver with room of its own; Spark's runs on this computer."""
    if name == "local":
        with local_driver() as driver:
            yield driver
        return
    from logcache_assets.engine.spark import spark_driver  # noqa: PLC0415 - an optional dependency

    with scratch_folder() as scratch, spark_driver(scratch) as driver:
        yield driver
