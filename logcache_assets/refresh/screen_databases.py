"""Decides which databases a refresh leaves out before it exports or copies anything, from metadata alone."""

from collections.abc import Iterator, Mapping, Sequence

from logcache_assets.catalog import Catalog
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.documents import LeftOut, leave_out
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.screening import screen_instance
from logcache_assets.domain.transactions import Transaction
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.errors import Refused, WrongData
from logcache_assets.ports import SegmentIndex
from logcache_assets.settings import Settings


def screen_databases(
    databases: Catalog,
    night: Transaction,
    *,
    faults: Mapping[str, tuple[Problem, ...]],
    active: LogCacheMap,
    index: SegmentIndex,
) -> tuple[LeftOut, ...]:
    """Say which databases cannot be refreshed from a night, each with every reason.

    Args:
        databases: of the refresh.
        night: the chosen transaction.
        faults: database → what is wrong with its raw datasets.
        active: the map on the base branch.
        index: asked for the segments of every instance.
    """
    instances = [instance for database in databases for instance in database.instances]
    found = ask_each(instances, lambda i: tuple(_screen(i, night, active, index)))
    problems = {d.database: (*faults.get(d.database, ()), *_joined(d, found)) for d in databases}
    return tuple(
        leave_out(name, reasons, stage=Stage.NIGHT, transaction=night.id)
        for name, reasons in problems.items()
        if reasons
    )


def _joined(database: DatabaseDefinition, found: Mapping[Instance, tuple[Problem, ...]]) -> Iterator[Problem]:
    for instance in database.instances:
        yield from found[instance]


def _screen(instance: Instance, night: Transaction, active: LogCacheMap, index: SegmentIndex) -> Iterator[Problem]:
    """Screen an instance; an index that is refused is a fault of it alone."""
    try:
        segments = index.segments(instance)
    except WrongData as error:
        yield Problem(subjects=(instance.name,), found=(f"its segment index is refused: {error}",))
        return
    yield from screen_instance(instance, segments, night_began_at=night.started_at, active=entry_of(active, instance))


def require_some(left_out: Sequence[LeftOut], asked: Sequence[str], settings: Settings, *, before: str = "") -> None:
    """Raise Refused if no database of a refresh is left, or if one is left out and the settings want all or nothing.

    Args:
        left_out: so far.
        asked: all databases of the refresh.
        settings: whether all or nothing is wanted.
        before: how the message begins.
    """
    if left_out and (settings.all_or_nothing or len(left_out) >= len(asked)):
        problems = [problem for left in left_out for problem in left.problems]
        raise Refused(before + "; ".join(map(str, problems)), problems=problems)
