"""A log of a few users whose names change again and again, and what an entity contract shows at its end, by hand."""

from dataclasses import replace

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.log.log_op import LogSource
from logcache_tests.engine.app import Change, Rows, define, log_of
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.generated import source_of, write_segments
from logcache_tests.engine.world import write_cache

USERS, RENAMED = 16, 80
FIRST = 17592186044418
CACHED_T = 1100
CACHED_BUCKETS, CACHED_DATOMS = 8, 440
"""How many buckets the cache has, and the bound of a bucket that it is written with."""
DEFINITION = define(
    {"attribute": "user/name"},
    {"attribute": "user/tags"},
    {"attribute": "user/friend", "ref": "user/name"},
    {"attribute": "user/friends", "ref": "user/id"},
)


def deep_log() -> list[Datom]:
    """Every user is renamed eighty times; after the cache every third user is renamed, tagged and befriended."""
    return log_of(*(change for n in range(USERS) for change in (*_cached(n), *(_later(n) if n % 3 == 0 else ()))))


def _cached(n: int) -> list[Change]:
    user = FIRST + n
    changes: list[Change] = [(user, "user/id", f"u{n:02}", 1001, True), (user, "user/tags", "old", 1001, True)]
    changes += [(user, "user/friends", str(FIRST + (n + step) % USERS), 1002, True) for step in (1, 5)]
    changes += [(user, "user/friend", str(FIRST + (n + 7) % USERS), 1002, True)]
    for time in range(RENAMED):
        changes += [(user, "user/name", f"{n}-{time}", 1003 + time, True)]
        changes += [(user, "user/name", f"{n}-{time - 1}", 1003 + time, False)] if time else []
    return [*changes, (user, "user/friend", str(FIRST + (n + 7) % USERS), CACHED_T, False)] if n % 5 == 0 else changes


def _later(n: int) -> list[Change]:
    user = FIRST + n
    return [
        (user, "user/name", f"{n}-new", 1200, True),
        (user, "user/name", f"{n}-{RENAMED - 1}", 1200, False),
        (user, "user/tags", "new", 1201, True),
        (user, "user/friends", str(FIRST + (n + 1) % USERS), 1202, False),
        (user, "user/friends", str(FIRST + (n + 9) % USERS), 1202, True),
    ]


def shown_users() -> Rows:
    """The rows of the entity contract at the log's end, by key."""
    return [
        {
            "user__id": f"u{n:02}",
            "prototype": "s0",
            "user__name": _name(n),
            "user__tags": ["new", "old"] if n % 3 == 0 else ["old"],
            "user__friend": None if n % 5 == 0 else _name((n + 7) % USERS),
            "user__friends": sorted(f"u{(n + step) % USERS:02}" for step in ((5, 9) if n % 3 == 0 else (1, 5))),
        }
        for n in range(USERS)
    ]


def _name(n: int) -> str:
    return f"{n}-new" if n % 3 == 0 else f"{n}-{RENAMED - 1}"


def cached_source(store: FolderObjectStore) -> LogSource:
    """The log in two segments, the first of them cached in CACHED_BUCKETS buckets."""
    segments = write_segments(deep_log(), (CACHED_T, 1202), store, instance=DEFINITION.instances[0])
    source = source_of(*segments)
    entry = write_cache(source, store, folder="cache", last_t=CACHED_T, bucket_datoms=CACHED_DATOMS)
    return replace(source, cache=entry)
