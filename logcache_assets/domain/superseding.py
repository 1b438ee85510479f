"""Which open pull requests a newer one makes pointless."""

from collections.abc import Collection

from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, MapEntry, entry_of


def supersedes(candidate: Candidate, older: Candidate) -> bool:
    """True if a candidate moves every instance of another one at least as far.

    Merging the older one afterwards would move them back; merging it before gains nothing.
    """
    new_t = {change.instance: change.last_t for change in candidate.changes}
    return candidate.branch != older.branch and all(
        change.last_t <= new_t.get(change.instance, -1) for change in older.changes
    )


def is_overtaken(changed: Collection[Instance], *, proposed: LogCacheMap, published: LogCacheMap) -> bool:
    """True if every entry that a proposal changes is published, or one that was read later and ends no earlier.

    Merging it would move nothing forward. An entry of the same t that was read later is a gain: a segment may have
    been extracted again meanwhile.
    """
    return bool(changed) and all(_overtakes(entry_of(published, i), entry_of(proposed, i)) for i in changed)


def _overtakes(published: MapEntry | None, proposed: MapEntry | None) -> bool:
    if published is None or proposed is None:
        return False
    return published.last_t >= proposed.last_t and published.source_read_at >= proposed.source_read_at
