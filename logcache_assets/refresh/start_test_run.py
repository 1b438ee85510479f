"""Step 5: run Itaipu, which computes the contracts at the candidate's commit, or reuse a run that already did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from logcache_assets.domain.documents import Candidate, TestRun
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.names import CONTRACT_PREFIX, contract_prefix
from logcache_assets.domain.test_run_origin import RunStart, find_foreign_tables
from logcache_assets.domain.transactions import Dataset, DatasetState, TransactionType
from logcache_assets.errors import Refused
from logcache_assets.ports import (
    Clock,
    FinishedTestRun,
    Itaipu,
    ItaipuRepository,
    Metapod,
    ObjectStore,
    SegmentIndex,
    Tell,
    UnknownTransactionError,
)
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.pinned_definitions import read_definition
from logcache_assets.refresh.pinned_rules import read_rules

KNOWN_SINCE = timedelta(days=1)
"""How far back metapod is asked which transactions it shows before a test run; older ones are known by their start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRunner:
    """Starts the test run of a candidate, unless it has a finished one."""

    __test__ = False  # not a test class

    itaipu: Itaipu
    metapod: Metapod
    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    locations: Locations
    tell: Tell
    """Takes lines for the run's log."""
    tell_output: Tell
    """Takes sabesp's own output."""

    def find_or_run(self, candidate: Candidate) -> TestRun:
        """Return the finished test run of this candidate: the one in its document, or else a new one.

        Raises:
            BadInput: the file of rules is malformed, or an allowance has expired; no run was started.
            ItaipuError: the run failed or names no transaction.
            Refused: the named transaction is not of this run.
        """
        earlier = Documents(self.store).find(self.document_uri(candidate), TestRun)
        if earlier is not None and is_still_true(earlier, candidate, self.metapod):
            return earlier
        read_rules(self.repository, self.clock, sha=candidate.sha)
        return self._run(candidate)

    def document_uri(self, candidate: Candidate) -> str:
        """URI of the document of a candidate's test run."""
        return self.locations.test_run(transaction=candidate.transaction, version=candidate.version)

    def datasets_of(self, run: TestRun) -> tuple[Dataset, ...]:
        """The datasets of the run's transaction; raises Refused if there are none."""
        datasets = tuple(self.metapod.transaction(run.transaction).datasets.values())
        if not datasets:
            raise Refused(f"the test run's transaction {run.transaction} holds no dataset; see sabesp's output")
        return datasets

    def _run(self, candidate: Candidate) -> TestRun:
        prefix = dataset_prefix(candidate.databases)
        self.tell(f"Itaipu computes {prefix}* at version {candidate.version}")
        instances = read_instances(candidate, self.repository)
        begun = indexed_t(instances, self.segment_index)
        start = self._start(candidate)
        finished = self.itaipu.test_run(version=candidate.version, dataset_prefix=prefix, tell=self.tell_output)
        self._require_own(finished, start)
        done = indexed_t(instances, self.segment_index)
        return TestRun(
            candidate_sha=candidate.sha,
            map_sha256=candidate.map_sha256,
            transaction=finished.transaction,
            dataset_prefix=prefix,
            aborted=dict(finished.aborted),
            indexed_t={name: (t, done[name]) for name, t in begun.items()},
        )

    def _start(self, candidate: Candidate) -> RunStart:
        now = self.clock.now()
        shown = self.metapod.transactions(*TransactionType, since=now - KNOWN_SINCE)
        return RunStart(
            at=now,
            night=candidate.transaction,
            known=frozenset(transaction.id for transaction in shown),
        )

    def _require_own(self, finished: FinishedTestRun, start: RunStart) -> None:
        """Refuse a transaction that another run opened."""
        named = self.metapod.transaction(finished.transaction)
        if problem := find_foreign_tables(named, start, now=self.clock.now()):
            raise Refused(str(problem))


def dataset_prefix(databases: tuple[str, ...]) -> str:
    """Value of `--filter-by-prefix`. sabesp takes one prefix, so it names a database only if there is just one."""
    return contract_prefix(databases[0]) if len(databases) == 1 else CONTRACT_PREFIX


def is_still_true(run: TestRun, candidate: Candidate, metapod: Metapod) -> bool:
    """True if an earlier test run computed this candidate and its transaction is finished."""
    if run.candidate_sha != candidate.sha or run.dataset_prefix != dataset_prefix(candidate.databases):
        return False
    try:
        transaction = metapod.transaction(run.transaction)
    except UnknownTransactionError:
        return False
    return all(dataset.state is not DatasetState.UNCOMMITTED for dataset in transaction.datasets.values())


def read_instances(candidate: Candidate, repository: ItaipuRepository) -> tuple[Instance, ...]:
    """The instances that the run reads, from the definitions at the candidate's commit."""
    definitions = [read_definition(repository, database, sha=candidate.sha) for database in candidate.databases]
    return tuple(instance for definition in definitions for instance in definition.instances)


def indexed_t(instances: Iterable[Instance], segment_index: SegmentIndex) -> dict[str, int]:
    """Instance → newest t of the segment index now, up to which a run that begins now can read."""
    return {instance.name: segment_index.newest_t(instance) for instance in instances}
