"""Step 5: run Itaipu, which computes the contracts at the candidate's commit, or reuse a run that already did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from logcache_assets.domain.carried_evidence import carried_text, computed_at
from logcache_assets.domain.documents import BegunTestRun, Candidate, TestRun, Verdict
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.names import CONTRACT_PREFIX, contract_prefix, database_of
from logcache_assets.domain.transactions import Dataset, DatasetState
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.errors import Refused
from logcache_assets.ports import (
    Clock,
    Itaipu,
    ItaipuRepository,
    Metapod,
    ObjectStore,
    SegmentIndex,
    Tell,
    UnknownTransactionError,
)
from logcache_assets.refresh.begun_test_runs import BegunTestRuns
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.pinned_definitions import read_definition
from logcache_assets.refresh.pinned_rules import read_rules


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
    time_limit: timedelta
    """After it a run counts as dead."""
    tell: Tell
    """Takes lines for the run's log."""
    tell_output: Tell
    """Takes sabesp's own output."""

    def find_or_run(self, candidate: Candidate, *, again: bool = False) -> TestRun:
        """Return a test run of this candidate whose tables may be judged: an earlier one, or else a new one.

        An earlier one is the finished one in its document, or one that was begun by a refresh that was killed. It is
        used unless it aborted a contract or its verdict is a refusal: what was wrong then may be repaired.

        Args:
            candidate: of the refresh.
            again: start a new run in any case.

        Raises:
            BadInput: the file of rules is malformed, or an allowance has expired; no run was started.
            ItaipuError: the run failed or names no transaction.
            Refused: the named transaction is not of this run, or an earlier run goes on and could not be stopped.
        """
        earlier = None if again else self._find_finished(candidate)
        if earlier is not None:
            return earlier
        read_rules(self.repository, self.clock, sha=candidate.sha)
        self.begun.name_unnamed()
        prefix = dataset_prefix(candidate.databases)
        begun = None if again else self.begun.find_complete(candidate, dataset_prefix=prefix)
        used = begun.transaction if begun else None
        if used is not None and self._is_refused(candidate, used):
            used = None
        self.begun.stop_left_over(also_going=used is None)
        if begun is None or used is None:
            return self._run(candidate, prefix)
        return self._result(candidate, begun, transaction=used, aborted={})

    def document_uri(self, candidate: Candidate) -> str:
        """URI of the document of a candidate's test run."""
        return self.locations.test_run(transaction=candidate.transaction, version=candidate.version)

    def datasets_of(self, run: TestRun) -> tuple[Dataset, ...]:
        """The datasets of the run's transaction; raises Refused if there are none."""
        datasets = tuple(self.metapod.transaction(run.transaction).datasets.values())
        if not datasets:
            raise Refused(f"the test run's transaction {run.transaction} holds no dataset; see sabesp's output")
        return datasets

    def _find_finished(self, candidate: Candidate) -> TestRun | None:
        earlier = Documents(self.store).find(self.document_uri(candidate), TestRun) or self._find_carried(candidate)
        if earlier is None or not is_still_true(earlier, candidate, self.metapod):
            return None
        return None if self._is_refused(candidate, earlier.transaction) else earlier

    def _find_carried(self, candidate: Candidate) -> TestRun | None:
        """The run at an earlier commit that proves this candidate, too, as the run of this one."""
        if candidate.carried is None:
            return None
        version = candidate.carried.sha[:8]
        uri = self.locations.test_run(transaction=candidate.transaction, version=version)
        earlier = Documents(self.store).find(uri, TestRun)
        if earlier is None or earlier.candidate_sha != candidate.carried.sha:
            return None
        self.tell(f"Itaipu's contracts at {version} prove {candidate.version}, too: {carried_text(candidate.carried)}")
        return carried_run(earlier, candidate)

    def _is_refused(self, candidate: Candidate, transaction: str) -> bool:
        """True if the stored verdict refused the tables of this run."""
        uri = self.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
        verdict = Documents(self.store).find(uri, Verdict)
        judged = verdict.binding if verdict and not verdict.approved else None
        return judged is not None and judged.test_transaction == transaction

    def _run(self, candidate: Candidate, prefix: str) -> TestRun:
        self.tell(f"Itaipu computes {prefix}* at version {candidate.version}")
        begun_t = indexed_t(read_instances(candidate, self.repository), self.segment_index)
        begun = self.begun.begin(candidate, dataset_prefix=prefix, begun_t=begun_t, lasts=self.time_limit)
        try:
            finished = self.itaipu.test_run(
                version=candidate.version,
                dataset_prefix=prefix,
                token=begun.run.token,
                tell=self.tell_output,
                named=begun.named,
            )
        except BaseException:
            begun.failed()
            raise
        begun.ended(finished.transaction)
        if problem := self.begun.find_foreign(begun.run, finished.transaction):
            raise Refused.of(problem)
        return self._result(candidate, begun.run, transaction=finished.transaction, aborted=finished.aborted)

    def _result(
        self, candidate: Candidate, begun: BegunTestRun, *, transaction: str, aborted: Mapping[str, str]
    ) -> TestRun:
        done = indexed_t(read_instances(candidate, self.repository), self.segment_index)
        return TestRun(
            candidate_sha=candidate.sha,
            map_sha256=candidate.map_sha256,
            transaction=transaction,
            dataset_prefix=begun.dataset_prefix,
            aborted=dict(aborted),
            indexed_t={name: (t, done[name]) for name, t in begun.begun_t.items()},
        )

    @property
    def begun(self) -> BegunTestRuns:
        """The runs that were begun."""
        return BegunTestRuns(
            itaipu=self.itaipu,
            metapod=self.metapod,
            store=self.store,
            clock=self.clock,
            locations=self.locations,
            tell=self.tell,
        )


def carried_run(earlier: TestRun, candidate: Candidate) -> TestRun:
    """The run of an earlier commit as that of a candidate which it proves, too."""
    return replace(
        earlier,
        candidate_sha=candidate.sha,
        map_sha256=candidate.map_sha256,
        computed_at=computed_at(earlier),
    )


def dataset_prefix(databases: tuple[str, ...]) -> str:
    """Value of `--filter-by-prefix`. sabesp takes one prefix, so it names a database only if there is just one."""
    return contract_prefix(databases[0]) if len(databases) == 1 else CONTRACT_PREFIX


def is_still_true(run: TestRun, candidate: Candidate, metapod: Metapod) -> bool:
    """True if an earlier test run computed this candidate and is finished, and none of its contracts was aborted."""
    computed = all(contract_prefix(name).startswith(run.dataset_prefix) for name in candidate.databases)
    if run.candidate_sha != candidate.sha or not computed:
        return False
    try:
        datasets = metapod.transaction(run.transaction).datasets.values()
    except UnknownTransactionError:
        return False
    judged = [found for found in datasets if database_of(found.name) in candidate.databases]
    committed = all(found.state is DatasetState.COMMITTED for found in judged)
    return bool(judged) and committed and all(found.state is not DatasetState.UNCOMMITTED for found in datasets)


def read_instances(candidate: Candidate, repository: ItaipuRepository) -> tuple[Instance, ...]:
    """The instances that the run reads, from the definitions at the candidate's commit."""
    definitions = [read_definition(repository, database, sha=candidate.sha) for database in candidate.databases]
    return tuple(instance for definition in definitions for instance in definition.instances)


def indexed_t(instances: Iterable[Instance], segment_index: SegmentIndex) -> dict[str, int]:
    """Instance → newest t of the segment index now, up to which a run that begins now can read."""
    return {instance.name: t for instance, t in ask_each(instances, segment_index.newest_t).items()}
