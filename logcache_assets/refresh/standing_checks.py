"""Checks published caches while runs read them: index, manifests, listings and the map; no log is read.

The rules are those of the gate and of LogOp. Whoever decides what to do next about a refresh reads the stored report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.domain.adoption import unproven_problem
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import AnyEntry, MapEntry, UnprovenEntry, any_entry_of
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import CHAIN_REMEDY, Segment, find_chain_faults
from logcache_assets.domain.soundness import find_continuation_problems, is_remedied_by_refresh, stale_problem
from logcache_assets.domain.standing import Finding, StandingCheck, StandingReport, age_text, find_aged, find_due
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.proven_files import load_manifest
from logcache_assets.errors import BadInput, WrongData
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import data_files
from logcache_assets.refresh.inspect_map import Inspector, read_base_map
from logcache_assets.settings import Settings

SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedInstance:
    """What was read of one instance."""

    instance: Instance
    entry: AnyEntry | None
    of_segments: tuple[Problem, ...]
    """Problems of the segments that a run would read."""
    of_files: tuple[Problem, ...]
    """Problems of the entry, its manifest and its files."""
    refusal: Problem | None
    """Why nothing is known of the segments: the index is refused."""
    beyond: tuple[Segment, ...]
    """The segments that continue the cached log, or the whole log if nothing is cached."""
    files: int
    size_bytes: int
    """Of the files that the manifest names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingInspector:
    """Finds what is wrong with the published caches of databases; every call reads anew."""

    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def inspect(self, databases: Catalog) -> tuple[Finding, ...]:
        """One finding per database and check, in the order of the databases and of StandingCheck.

        Raises:
            Unavailable: something could not be read, so nothing is known.
        """
        try:
            entries = read_base_map(self.repository).entries
        except BadInput as error:
            broken = Problem(code="C15", found=(str(error),))
            return tuple(_of_broken_map(database, check, broken) for database in databases for check in StandingCheck)
        instances = [instance for database in databases for instance in database.instances]
        found = ask_each(instances, lambda i: self._inspect(i, any_entry_of(entries, i)))
        return tuple(
            finding
            for database in databases
            for finding in self._findings(database.database, [found[i] for i in database.instances])
        )

    def inspect_all(self, databases: Catalog) -> tuple[Finding, ...]:
        """Inspect all databases of the catalog, and store what their next refresh is due for."""
        base_sha = self.repository.head(self.repository.base_branch)
        findings = self.inspect(databases)
        if base_sha is not None:
            report = StandingReport(base_sha=base_sha, due=find_due(findings))
            Documents(self.store).write(self.settings.locations.standing_report, report)
        return findings

    def _inspect(self, instance: Instance, entry: AnyEntry | None) -> InspectedInstance:
        proven = entry if isinstance(entry, MapEntry) else None
        beyond, of_segments, refusal = self._inspect_segments(instance, entry)
        files, size_bytes = self._count_files(proven) if proven else (0, 0)
        return InspectedInstance(
            instance=instance,
            entry=entry,
            of_segments=of_segments,
            of_files=tuple(self._inspector.find_pointer_problems(instance, proven)) if proven else (),
            refusal=refusal,
            beyond=beyond,
            files=files,
            size_bytes=size_bytes,
        )

    def _inspect_segments(
        self, instance: Instance, entry: AnyEntry | None
    ) -> tuple[tuple[Segment, ...], tuple[Problem, ...], Problem | None]:
        """The segments beyond a cache, their problems, and why the index is refused, if it is."""
        try:
            beyond = self.segment_index.segments(instance, after_t=entry.last_t if entry else 0)
            return beyond, tuple(self._find_segment_problems(instance, entry, beyond)), None
        except WrongData as error:
            found = f"the segment index is refused, so nothing is known of its segments: {error}"
            return (), (), Problem(subjects=(instance.name,), found=(found,), remedy=CHAIN_REMEDY)

    @property
    def _inspector(self) -> Inspector:
        return Inspector(Documents(self.store), self.segment_index)

    def _find_segment_problems(
        self, instance: Instance, entry: AnyEntry | None, beyond: Sequence[Segment]
    ) -> Iterator[Problem]:
        """Problems of the segments that LogOp reads: behind a proven cache, or all of them."""
        if not isinstance(entry, MapEntry):
            yield from find_chain_faults(self.segment_index.segments(instance), after_t=0)
            return
        again = self.segment_index.extracted_since(instance, before_t=entry.last_t, since=entry.source_read_at)
        if again:
            yield stale_problem(instance.name, again)
        indexed_t = beyond[-1].last_t if beyond else self.segment_index.newest_t(instance)
        yield from find_continuation_problems(instance, beyond, entry, indexed_t=indexed_t)

    def _count_files(self, entry: MapEntry) -> tuple[int, int]:
        """How many files the manifest of an entry names, and their bytes; none if it cannot be read."""
        try:
            manifest, _ = load_manifest(entry, self.store)
        except WrongData:
            return 0, 0
        files = [*data_files(manifest.log), *data_files(manifest.materialized_entities)]
        return len(files), sum(file.size_bytes for file in files)

    def _findings(self, database: str, inspected: Sequence[InspectedInstance]) -> Iterator[Finding]:
        yield _segments_complete(database, inspected)
        yield _personal_data_current(database, inspected)
        yield _files_intact(database, inspected)
        yield _map_canonical(database, inspected)
        yield self._fresh_enough(database, inspected)

    def _fresh_enough(self, database: str, inspected: Sequence[InspectedInstance]) -> Finding:
        now, limit = self.clock.now(), self.settings.fresh_time
        proven = {found.instance: found.entry for found in inspected if isinstance(found.entry, MapEntry)}
        problems = [
            problem
            for instance, entry in proven.items()
            for problem in find_aged(instance.name, source_read_at=entry.source_read_at, now=now, limit=limit)
        ]
        oldest = min((entry.source_read_at for entry in proven.values()), default=None)
        figures: dict[str, int | float] = {"segments_beyond": sum(len(found.beyond) for found in inspected)}
        if oldest is not None:
            figures["age_days"] = round((now - oldest).total_seconds() / SECONDS_OF_A_DAY, 2)
        return Finding(
            check=StandingCheck.FRESH,
            database=database,
            problems=tuple(problems),
            passed_sentence=f"the oldest cache was read {age_text(now - oldest)} ago; {age_text(limit)} are allowed"
            if oldest
            else "nothing is published yet, so nothing can be too old; all runs read the segments",
            figures=figures,
            makes_refresh_due=bool(problems),
        )


def _of_broken_map(database: DatabaseDefinition, check: StandingCheck, broken: Problem) -> Finding:
    """Nothing is known of any cache if the map that names them is malformed."""
    return Finding(check=check, database=database.database, problems=(broken,), passed_sentence="", figures={})


def _is_stale(problem: Problem) -> bool:
    return problem.code == "C7"


def _refusals(inspected: Sequence[InspectedInstance]) -> list[Problem]:
    return [found.refusal for found in inspected if found.refusal]


def _segments_complete(database: str, inspected: Sequence[InspectedInstance]) -> Finding:
    found = [problem for each in inspected for problem in each.of_segments if not _is_stale(problem)]
    problems = (*_refusals(inspected), *found)
    codes = [problem.code for problem in problems]
    beyond = sum(len(found.beyond) for found in inspected)
    return Finding(
        check=StandingCheck.SEGMENTS,
        database=database,
        problems=problems,
        passed_sentence=f"{count_of(beyond, 'segment')} of {count_of(len(inspected), 'instance')} "
        f"{'continues' if beyond == 1 else 'continue'} the cached logs without a gap",
        figures={
            "gaps": sum(code in ("C1", "C2") for code in codes),
            "overlaps": codes.count("C3"),
            "segments_beyond": beyond,
        },
    )


def _personal_data_current(database: str, inspected: Sequence[InspectedInstance]) -> Finding:
    stale = [problem for each in inspected for problem in (*each.of_segments, *each.of_files) if _is_stale(problem)]
    return Finding(
        check=StandingCheck.PERSONAL_DATA,
        database=database,
        problems=(*_refusals(inspected), *stale),
        passed_sentence="nothing that the caches hold was extracted again since they were read",
        figures={"stale_caches": len({problem.subjects for problem in stale})},
        makes_refresh_due=any(map(is_remedied_by_refresh, stale)),
    )


def _files_intact(database: str, inspected: Sequence[InspectedInstance]) -> Finding:
    problems = tuple(problem for each in inspected for problem in each.of_files if not _is_stale(problem))
    files = sum(found.files for found in inspected)
    return Finding(
        check=StandingCheck.FILES,
        database=database,
        problems=problems,
        passed_sentence=f"{count_of(files, 'file')} {'is' if files == 1 else 'are'} what the manifests say",
        figures={
            "problems": len(problems),
            "files": files,
            "size_bytes": sum(found.size_bytes for found in inspected),
        },
        makes_refresh_due=any(map(is_remedied_by_refresh, problems)),
    )


def _map_canonical(database: str, inspected: Sequence[InspectedInstance]) -> Finding:
    unproven = tuple(
        unproven_problem(found.instance, found.entry) for found in inspected if isinstance(found.entry, UnprovenEntry)
    )
    entries = sum(found.entry is not None for found in inspected)
    return Finding(
        check=StandingCheck.MAP,
        database=database,
        problems=unproven,
        passed_sentence=f"{entries} of {count_of(len(inspected), 'instance')} "
        f"{'has' if entries == 1 else 'have'} an entry, each with its manifest",
        figures={"entries": entries, "entries_without_manifest": len(unproven)},
    )
