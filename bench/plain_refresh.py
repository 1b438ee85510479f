"""A whole refresh of a local world without Dagster: the baseline of `bench/dagster_share.py`.

    LOGCACHE_HOME=… python bench/plain_refresh.py

It calls the stages that `logcache refresh` calls, in the same order, and writes the same documents.
"""

from collections.abc import Callable
from typing import TypeVar

from logcache_assets.adapters.home_lock import holding
from logcache_assets.adapters.scratch import local_driver
from logcache_assets.catalog import Catalog, load_catalog
from logcache_assets.cli.platform import open_platform
from logcache_assets.deployment_key import deployment_key
from logcache_assets.domain.attempts import Attempt, End
from logcache_assets.domain.documents import (
    Candidate,
    ContractInventory,
    NightlyTransaction,
    PermanentLog,
    TestRun,
    Verdict,
)
from logcache_assets.domain.log_documents import LogExport
from logcache_assets.domain.selections import ALL
from logcache_assets.ports import Ports
from logcache_assets.refresh.attempts import Attempts
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.commit_candidate import CandidateCommitter
from logcache_assets.refresh.contract_evidence import Evidence
from logcache_assets.refresh.copy_logs import Copier
from logcache_assets.refresh.decide_verdict import Decider
from logcache_assets.refresh.describe_logs import LogDescriber
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.judge_contracts import counted_by, judge_contracts, make_inventory
from logcache_assets.refresh.look_ahead import Asked, look_ahead
from logcache_assets.refresh.publish import Published, publisher_of
from logcache_assets.refresh.standing_checks import StandingInspector
from logcache_assets.refresh.start_test_run import TestRunner
from logcache_assets.settings import Settings, load_settings

T = TypeVar("T")


def main() -> None:
    """Refresh all databases of the configured world."""
    settings = load_settings()
    refresh = PlainRefresh(settings, open_platform(settings), load_catalog(settings.catalog_folder))
    print(f"Pull request #{refresh.run().pull_request.number}")


class PlainRefresh:
    """The stages of a refresh of all databases."""

    def __init__(self, settings: Settings, ports: Ports, catalog: Catalog) -> None:
        self._settings, self._ports, self._catalog = settings, ports, catalog
        self._documents, self._locations = Documents(ports.store), settings.locations

    def run(self) -> Published:
        """Refresh; returns the pull request."""
        asked = Asked(databases=self._catalog, selection=ALL, named=None, by_person=True, again=False)
        with holding(self._settings.home_folder):
            look_ahead(asked, ports=self._ports, settings=self._settings)
            night, attempt = self._night()
            self._made(StandingInspector).inspect_all(self._catalog)
            copies = self._copies(self._exports(night))
            candidate = self._candidate(night, copies)
            run = self._test_run(candidate)
            inventory = self._inventory(night, candidate, run)
            verdict = self._made(Decider).decide(candidate, inventory, run).verdict
            return self._published(candidate, verdict, run, attempt)

    def _night(self) -> tuple[NightlyTransaction, Attempt]:
        ports = self._ports
        chooser = NightChooser(metapod=ports.metapod, store=ports.store, clock=ports.clock, settings=self._settings)
        choice = chooser.judge(self._catalog, named=None)
        instances = [instance for definition in self._catalog for instance in definition.instances]
        attempt = self._made(Attempts).begin(instances, transaction=chooser.require_chosen(choice).id, selection=ALL)
        active = read_base_map(ports.repository).entries
        night = chooser.screen(choice, self._catalog, active=active, index=ports.segment_index)
        self._documents.write(self._locations.night(transaction=night.transaction, selection=ALL), night)
        return night, attempt

    def _exports(self, night: NightlyTransaction) -> list[LogExport]:
        ports = self._ports
        describer = LogDescriber(
            store=ports.store,
            segment_index=ports.segment_index,
            runner=ports.notebook_runner,
            locations=self._locations,
            tell=_ignore,
            tell_output=_ignore,
        )
        active = read_base_map(ports.repository).entries
        exports = describer.describe(night, self._catalog, active=active).exports
        for name, export in exports.items():
            self._documents.write(describer.document_uri(night, name), export)
        return list(exports.values())

    def _copies(self, exports: list[LogExport]) -> list[PermanentLog]:
        copier = Copier(self._ports.store, self._ports.clock, self._settings)
        copies = [copier.copy_export(export) for export in exports]
        for copy in copies:
            uri = self._locations.permanent_log(transaction=copy.transaction, database=copy.database)
            self._documents.write(uri, copy)
        return copies

    def _candidate(self, night: NightlyTransaction, copies: list[PermanentLog]) -> Candidate:
        ports = self._ports
        committer = CandidateCommitter(
            store=ports.store, segment_index=ports.segment_index, repository=ports.repository, settings=self._settings
        )
        candidate = committer.commit(night, copies, catalog=[definition.database for definition in self._catalog])
        uri = self._locations.candidate(transaction=candidate.transaction, selection=candidate.selection)
        self._documents.write(uri, candidate)
        return candidate

    def _test_run(self, candidate: Candidate) -> TestRun:
        ports = self._ports
        runner = TestRunner(
            itaipu=ports.itaipu,
            metapod=ports.metapod,
            store=ports.store,
            segment_index=ports.segment_index,
            repository=ports.repository,
            clock=ports.clock,
            locations=self._locations,
            time_limit=self._settings.test_run_time,
            tell=_ignore,
            tell_output=_ignore,
        )
        run = runner.find_or_run(candidate)
        self._documents.write(runner.document_uri(candidate), run)
        return run

    def _inventory(self, night: NightlyTransaction, candidate: Candidate, run: TestRun) -> ContractInventory:
        ports, judged = self._ports, []
        evidence = Evidence(
            night=night,
            candidate=candidate,
            run=run,
            metapod=ports.metapod,
            store=ports.store,
            segment_index=ports.segment_index,
            repository=ports.repository,
            clock=ports.clock,
            pii_key=deployment_key(self._settings),
            settings=self._settings,
        )
        for database in candidate.databases:
            with local_driver() as driver:
                count = counted_by(driver, store=ports.store, warn=_ignore, progress=lambda _: None)
                judged.append(judge_contracts(evidence, database, count=count))
        inventory = make_inventory(evidence, judged, others=[])
        uri = self._locations.inventory(transaction=candidate.transaction, selection=candidate.selection)
        self._documents.write(uri, inventory)
        return inventory

    def _published(self, candidate: Candidate, verdict: Verdict, run: TestRun, attempt: Attempt) -> Published:
        publisher = publisher_of(self._ports, self._settings)
        publisher.find_readers()
        published = publisher.publish(candidate, verdict, run)
        self._made(Attempts).end(attempt, End.PUBLISHED, stage="log_cache_pull_request", reason="")
        return published

    def _made(self, kind: Callable[..., T]) -> T:
        """One of those that ask the same ports."""
        ports = self._ports
        return kind(
            store=ports.store,
            segment_index=ports.segment_index,
            repository=ports.repository,
            clock=ports.clock,
            settings=self._settings,
        )


def _ignore(_line: str) -> None:
    """Nobody reads the lines of progress."""


if __name__ == "__main__":
    main()
