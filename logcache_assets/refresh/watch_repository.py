"""Looks at the itaipu repository: what was merged, closed or edited, by whomever, since the last look."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from logcache_assets.domain.log_cache_map import MAP_PATH, LogCacheMap, changed_instances
from logcache_assets.domain.published_caches import digests_of
from logcache_assets.domain.repository_watch import Watched, find_changed_caches, page_digest, tell_pull_requests
from logcache_assets.domain.selections import OWN_BRANCHES
from logcache_assets.domain.superseding import is_overtaken
from logcache_assets.errors import WrongData
from logcache_assets.ports import ItaipuRepository, PullRequest
from logcache_assets.refresh.inspect_map import BaseMap, read_base_map, read_map


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the repository found."""

    base: BaseMap
    watched: Watched
    """To be handed to the next look."""
    changed: tuple[str, ...]
    """The databases whose published cache is another one than at the last look."""
    sentences: tuple[str, ...]
    """What happened since, and what was done about it."""


@dataclass(frozen=True, slots=True)
class RepositoryWatch:
    """Looks at the repository, and closes what a merge made pointless."""

    repository: ItaipuRepository

    def look(self, before: Watched | None) -> Look:
        """Compare the repository with the last look; at the first one everything is new.

        Open pull requests of refreshes of which everything is published already are closed, with a comment.

        Raises:
            BadInput: the map is malformed.
        """
        base = read_base_map(self.repository)
        shown = tuple(self.repository.open_pull_requests(changing=MAP_PATH))
        closed = dict(self._close_overtaken(shown, base.entries))
        pages = {
            str(p.number): page_digest(head_sha=p.head_sha, title=p.title, body=p.body)
            for p in shown
            if p.number not in closed
        }
        watched = Watched(sha=base.sha, caches=dict(digests_of(base.entries)), pull_requests=pages)
        told = tuple(self._tell(before, watched, but_for=closed)) if before else ()
        return Look(
            base=base,
            watched=watched,
            changed=find_changed_caches(before, watched.caches),
            sentences=(*told, *closed.values()),
        )

    def _tell(self, before: Watched, now: Watched, *, but_for: Collection[int]) -> Iterator[str]:
        known = {n: page for n, page in before.pull_requests.items() if int(n) not in but_for}
        gone = [number for number in known if number not in now.pull_requests]
        states = {number: self.repository.pull_request(int(number)).state for number in gone}
        yield from tell_pull_requests(known, now.pull_requests, states=states)

    def _close_overtaken(self, shown: tuple[PullRequest, ...], published: LogCacheMap) -> Iterator[tuple[int, str]]:
        """Close each open pull request whose caches are published, or overtaken by what is."""
        for pull in shown:
            if self._is_overtaken(pull, published):
                comment = (
                    "Every log cache of this pull request is published already, or was overtaken by a later one, so "
                    "merging it would move nothing forward."
                )
                self.repository.close(pull.number, comment=comment)
                yield pull.number, f"pull request #{pull.number} is closed: all its caches are published or overtaken"

    def _is_overtaken(self, pull: PullRequest, published: LogCacheMap) -> bool:
        """False on a branch of people, whatever is on it, and of a map that cannot be read."""
        if not pull.branch.startswith(OWN_BRANCHES):
            return False
        try:
            proposed = read_map(self.repository, ref=pull.head_sha)
            former = read_map(self.repository, ref=self.repository.merge_base(pull.head_sha))
        except WrongData:
            return False
        return is_overtaken(changed_instances(proposed, former), proposed=proposed, published=published)
