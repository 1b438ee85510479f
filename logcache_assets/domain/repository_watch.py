"""What a look at the itaipu repository remembers, so that the next look knows what somebody did meanwhile."""

from collections.abc import Iterator, Mapping

import msgspec

from logcache_assets.domain.canonical_json import canonical_json, sha256_of

WATCHED_DIGITS = 16


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the repository at one look."""

    sha: str
    """Of the base branch."""
    caches: dict[str, str]
    """Database → digest of its entries in the map."""
    pull_requests: dict[str, str]
    """Number → digest of commit, title and text of each open pull request that changes the map."""


def page_digest(*, head_sha: str, title: str, body: str) -> str:
    """Digest of what the page of a pull request shows."""
    return sha256_of(canonical_json([head_sha, title, body]))[:WATCHED_DIGITS]


def find_changed_caches(before: Watched | None, caches: Mapping[str, str]) -> tuple[str, ...]:
    """The databases whose published cache is another one than before, ascending; all of them at the first look."""
    former = before.caches if before else {}
    return tuple(sorted(name for name in former.keys() | caches.keys() if former.get(name) != caches.get(name)))


def tell_pull_requests(
    before: Mapping[str, str], now: Mapping[str, str], *, states: Mapping[str, str]
) -> Iterator[str]:
    """A sentence about each pull request that was opened, edited, merged or closed since.

    Args:
        before: the pull requests of the last look, as in Watched.
        now: those of this look.
        states: number → state of those that are open no more.
    """
    for number in sorted(before.keys() | now.keys(), key=int):
        if number not in before:
            yield f"pull request #{number} was opened"
        elif number not in now:
            yield f"pull request #{number} was {states.get(number, 'closed')}"
        elif before[number] != now[number]:
            yield f"pull request #{number} was edited"
