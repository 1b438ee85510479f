"""Whether the test run of an earlier candidate proves a later one, too, so that Itaipu need not run again.

A candidate is committed anew when the base branch moved, or when a database is left out of it. Its contracts are
computed from the map's entries of their own database, that database's definitions, and Itaipu's code. What differs
between both commits beside these is no reason to compute them again.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from logcache_assets.domain.contract_definitions import CONTRACTS_FOLDER, definition_path
from logcache_assets.domain.documents import CarriedEvidence, TestRun
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, LogCacheMap, changed_instances
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.yaml_files import ENDING

SHOWN = 5
"""How many differences a sentence names."""
RULES = f"the rules ({RULES_PATH}), by which its contracts are judged again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The commit at which contracts were computed, beside another one."""

    files: tuple[str, ...]
    """Paths of the files that differ."""
    tested: LogCacheMap
    """The map at the first."""
    proposed: LogCacheMap
    """The map at the other."""
    unrelated: tuple[str, ...]
    """Patterns of files that Itaipu does not read."""

    @property
    def moved(self) -> tuple[Instance, ...]:
        """The instances whose entries differ."""
        return changed_instances(self.proposed, self.tested)


def find_news(compared: Compared, *, databases: Collection[str], tested: Collection[str]) -> Iterator[str]:
    """Yield what contracts are computed from now, and were not when they were computed.

    Args:
        compared: both commits.
        databases: whose contracts are to be proven.
        tested: whose contracts were computed, and not refused.
    """
    yield from (f"{name}, which was left out" for name in databases if name not in tested)
    yield from (f"the entry of {i.name}" for i in compared.moved if i.database in databases)
    for path in compared.files:
        if path in {definition_path(name) for name in databases}:
            yield f"the definitions ({path})"
        elif not _is_beside(path, compared.unrelated):
            yield f"Itaipu's code ({path})"


def describe_beside(compared: Compared, *, databases: Collection[str]) -> Iterator[str]:
    """Yield what else is not the same in both commits."""
    yield from find_judged_anew(compared, databases=databases)
    own = {MAP_PATH, RULES_PATH}
    yield from (path for path in compared.files if path not in own and _is_beside(path, compared.unrelated))


def find_judged_anew(compared: Compared, *, databases: Collection[str]) -> Iterator[str]:
    """Yield what makes a candidate another one, though its contracts are computed from none of it."""
    yield from (f"the entry of {i.name}" for i in compared.moved if i.database not in databases)
    if RULES_PATH in compared.files:
        yield RULES


def _is_beside(path: str, unrelated: Sequence[str]) -> bool:
    """True for a file from which the contracts of a candidate are not computed; own definitions are told before."""
    if path in {MAP_PATH, RULES_PATH} or _is_definition(path):
        return True
    return any(fnmatchcase(path, pattern) for pattern in unrelated)


def computed_at(run: TestRun) -> str:
    """The commit at which Itaipu computed the contracts of a run."""
    return run.computed_at or run.candidate_sha


def carried_text(carried: CarriedEvidence) -> str:
    """What differs since the contracts were computed, for people."""
    shown, more = carried.beside[:SHOWN], len(carried.beside[SHOWN:])
    beside = ", ".join([*shown, *([f"{more:,} more"] if more else [])]) or "nothing"
    return f"since then only {beside} changed, from which they are not computed"


def _is_definition(path: str) -> bool:
    """True for a database's definition; anything else in its folder may be read with all of them."""
    folder, _, name = path.rpartition("/")
    return folder == CONTRACTS_FOLDER and path == definition_path(name.removesuffix(ENDING))
