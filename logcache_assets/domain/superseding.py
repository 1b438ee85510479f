"""Which open pull requests a newer one makes pointless."""

from logcache_assets.domain.documents import Candidate


def supersedes(candidate: Candidate, older: Candidate) -> bool:
    """True if a candidate moves every instance of another one at least as far.

    Merging the older one afterwards would move them back; merging it before gains nothing.
    """
    new_t = {change.instance: change.last_t for change in candidate.changes}
    return candidate.branch != older.branch and all(
        change.last_t <= new_t.get(change.instance, -1) for change in older.changes
    )
