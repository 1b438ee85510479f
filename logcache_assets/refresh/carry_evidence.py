"""Compares a candidate's commit with the one at which the contracts of the candidate before it were computed.

domain/carried_evidence.py decides what the differences mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_fields

from msgspec.structs import replace

from logcache_assets.domain.carried_evidence import Compared, computed_at, describe_beside, find_judged_anew, find_news
from logcache_assets.domain.documents import Candidate, CarriedEvidence, LeftOut, TestRun
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_cache_map import LogCacheMap, MapEntry, with_entries
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.errors import WrongData
from logcache_assets.ports import ItaipuRepository, ObjectStore
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import BaseMap, read_map
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCarrier:
    """Finds out which evidence of an earlier candidate still holds."""

    store: ObjectStore
    repository: ItaipuRepository
    settings: Settings

    def with_evidence(self, candidate: Candidate, earlier: Candidate | None, entries: LogCacheMap) -> Candidate:
        """Say whether the contracts of the candidate before it prove a candidate, too, or why not.

        Args:
            candidate: as it was committed.
            earlier: the candidate before it of the same night and selection.
            entries: the candidate's map.
        """
        if earlier is None:
            return candidate
        if earlier.sha == candidate.sha:
            return replace(candidate, carried=earlier.carried, news=earlier.news)
        tested_sha = self._tested_sha(earlier)
        compared = self._compare(tested_sha, candidate.sha, entries)
        if compared is None:
            return replace(candidate, news=(_gone(tested_sha),))
        names = candidate.databases
        if news := tuple(find_news(compared, databases=names, tested=earlier.databases)):
            return replace(candidate, news=news)
        beside = tuple(describe_beside(compared, databases=names))
        return replace(candidate, carried=CarriedEvidence(sha=tested_sha, beside=beside))

    def find_still_refused(
        self, earlier: Candidate | None, copies: Mapping[str, Mapping[Instance, MapEntry]], base: BaseMap
    ) -> Iterator[LeftOut]:
        """Yield the databases whose contracts were refused, and would be again: they are computed from the same.

        Args:
            earlier: the candidate that was judged.
            copies: database → its new entries.
            base: what a new candidate would be built on.
        """
        refused = [left for left in earlier.left_out if left.stage == Stage.VERDICT] if earlier else []
        if earlier is None or not any(left.database in copies for left in refused):
            return
        compared = self._compare(self._tested_sha(earlier), base.sha, base.entries)
        for left in (found for found in refused if found.database in copies):
            entries, own = with_entries(base.entries, copies[left.database]), (left.database,)
            if compared and not _has_changed(with_fields(compared, proposed=entries), own):
                yield left

    def find_base_news(self, candidate: Candidate, base: BaseMap) -> tuple[str, ...]:
        """What an open pull request must be brought up to date with, of what changed on the base branch since.

        Files that Itaipu does not read, and definitions of other databases, are left to git.
        """
        compared = self._compare(candidate.base_sha, base.sha, base.entries)
        if compared is None:
            return (_gone(candidate.base_sha),)
        names = candidate.databases
        return (*find_news(compared, databases=names, tested=names), *find_judged_anew(compared, databases=names))

    def _tested_sha(self, earlier: Candidate) -> str:
        """The commit at which its contracts were computed: carried evidence may not have been used in the end."""
        uri = self.settings.locations.test_run(transaction=earlier.transaction, version=earlier.version)
        run = Documents(self.store).find(uri, TestRun)
        return computed_at(run) if run else earlier.tested_sha

    def _compare(self, former: str, sha: str, entries: LogCacheMap) -> Compared | None:
        """A former commit beside another one with these entries; None if the former is gone."""
        try:
            return Compared(
                files=self.repository.changed_files(former, sha),
                tested=read_map(self.repository, ref=former),
                proposed=entries,
                unrelated=self.settings.unrelated_patterns,
            )
        except WrongData:
            return None


def _has_changed(compared: Compared, own: tuple[str, ...]) -> bool:
    """True if contracts of these databases would be computed from something else, or judged by other rules."""
    return RULES_PATH in compared.files or any(find_news(compared, databases=own, tested=own))


def _gone(sha: str) -> str:
    return f"the commit {sha[:8]}, which cannot be read any more"
