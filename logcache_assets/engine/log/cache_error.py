"""The error of a cached log that cannot be used.

log_op.py decides what happens then. The codes are those of domain/problems.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.problems import Code, Problem
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.storage.parquet import ParquetError
from logcache_assets.ports import ObjectStoreWrongData


class CacheError(EngineError):
    """A cached log is missing, damaged, stale, or not what the map says.

    Args:
        instance: the instance whose cache it is.
        message: what is wrong, for a person.
    """

    def __init__(self, instance: Instance, message: str) -> None:
        super().__init__(message)
        self.instance = instance

    @override
    def __reduce__(self) -> tuple[type["CacheError"], tuple[Instance, str]]:
        return type(self), (self.instance, str(self))


REMEDY = "revert its entry in log_cache_map.json to one that is sound, or refresh it"


def refusal(instance: Instance, code: Code, found: str) -> str:
    """The message of a CacheError: what was found, and what to do."""
    return str(Problem(code=code, subjects=(instance.name,), found=(found,), remedy=REMEDY))


@contextmanager
def refusing_damage(instance: Instance, entry: MapEntry) -> Iterator[None]:
    """Raise a CacheError for a missing or damaged file of the cache that the block reads.

    A store that could not answer passes through: an outage says nothing of the cache, and must not make a nightly run
    read the whole history instead.
    """
    try:
        yield
    except (ObjectStoreWrongData, ParquetError) as error:
        raise CacheError(instance, f"{place_of(instance, entry)} cannot be read: {error}; or {REMEDY}") from error


def place_of(instance: Instance, entry: MapEntry) -> str:
    """Which cache it is, for messages."""
    return f"{instance.name}: the cache of t in (0, {entry.last_t}]"
