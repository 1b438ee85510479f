"""The test runs that refreshes began: written down before they start, found again when their refresh was killed.

One whose refresh was killed is followed in metapod while it may be complete in time. Once it is over, what is left of
it on the platform is stopped.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

from msgspec.structs import replace

from logcache_assets.domain.begun_runs import BegunRun, Complete, Dead, Going, judge_begun_run
from logcache_assets.domain.documents import BegunTestRun, Candidate
from logcache_assets.domain.locations import BEGUN_RUNS, Locations, stage_of
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.test_run_origin import RunStart, find_foreign_tables
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.ports import (
    Clock,
    EarlierTestRun,
    Itaipu,
    ItaipuError,
    Metapod,
    ObjectStore,
    Tell,
    UnknownTransactionError,
)
from logcache_assets.refresh.document_store import Documents

KNOWN_SINCE = timedelta(days=1)
"""How far back metapod is asked which transactions it shows before a test run; older ones are known by their start."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
"""Seconds between two looks at a run that goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that is about to start."""

    run: BegunTestRun
    named: Callable[[str], None]
    """Takes its transaction as soon as it is named."""
    ended: Callable[[str], None]
    """Takes its transaction when it has ended by itself, so that nothing of it is left."""
    failed: Callable[[], None]
    """Stops it by its own transaction, if it named one, after it did not end well; raises no error of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunTestRuns:
    """The documents of test runs that were begun, and what became of the runs."""

    itaipu: Itaipu
    metapod: Metapod
    store: ObjectStore
    clock: Clock
    locations: Locations
    tell: Tell
    pause: Callable[[float], None] = time.sleep

    def begin(self, candidate: Candidate, *, dataset_prefix: str, begun_t: dict[str, int], lasts: timedelta) -> Begun:
        """Write down that a run of this candidate begins.

        Args:
            candidate: of the run.
            dataset_prefix: of the datasets that it computes.
            begun_t: instance → newest t of the segment index.
            lasts: how long it may take.
        """
        now = self.clock.now()
        shown = self.metapod.transactions(*TransactionType, since=now - KNOWN_SINCE)
        number = 1 + sum(1 for _ in self._listed(self.locations.begun_runs(transaction=candidate.transaction)))
        run = BegunTestRun(
            candidate_sha=candidate.sha,
            dataset_prefix=dataset_prefix,
            token=f"{now:%Y%m%dT%H%M%S}-{candidate.version}-{number:03}-{uuid4().hex[:8]}",
            started_at=now,
            deadline=now + lasts,
            begun_t=begun_t,
            night=candidate.transaction,
            known=tuple(sorted(transaction.id for transaction in shown)),
        )
        uri = self.locations.begun_run(transaction=candidate.transaction, token=run.token)
        self._documents.write(uri, run)
        return Begun(
            run=run,
            named=lambda transaction: self._name(uri, run, transaction),
            ended=lambda transaction: self._write(uri, replace(run, transaction=transaction, is_over=True)),
            failed=lambda: self._stop_named(uri),
        )

    def name_unnamed(self) -> None:
        """Complete the documents of runs whose refresh was killed before it had read their transaction's name."""
        for uri in tuple(self._listed(self.locations.documents)):
            run = self._documents.read(uri, BegunTestRun)
            here = self._find_here(run) if run.transaction is None else None
            if here and here.transaction:
                self._name(uri, run, here.transaction)

    def find_complete(self, candidate: Candidate, *, dataset_prefix: str) -> BegunTestRun | None:
        """The newest run that was begun at this candidate, once it is complete; None if there is none or it died.

        A run that goes on is followed until it is complete, or its time is over. Tables of another run are none.
        """
        listed = self._listed(self.locations.begun_runs(transaction=candidate.transaction))
        runs = [self._documents.read(uri, BegunTestRun) for uri in listed]
        begun = [r for r in runs if (r.candidate_sha, r.dataset_prefix) == (candidate.sha, dataset_prefix)]
        newest = max(begun, key=lambda run: (run.started_at, run.token), default=None)
        done = newest and self._follow(newest)
        return done if done and done.transaction and not self.find_foreign(done, done.transaction) else None

    def transactions_of(self, candidate: Candidate) -> frozenset[str]:
        """The transactions of all test runs that were begun for the candidate's night, as far as they are named."""
        listed = self._listed(self.locations.begun_runs(transaction=candidate.transaction))
        named = (self._documents.read(uri, BegunTestRun).transaction for uri in listed)
        return frozenset(transaction for transaction in named if transaction)

    def stop_left_over(self, *, also_going: bool) -> None:
        """Stop on the platform what is left there of runs that were begun.

        All have one name, so none is stopped while another goes on, unless that is to be stopped, too.

        Args:
            also_going: stop those that may go on, because another one is about to start under that name.

        Raises:
            Refused: one that may go on was not stopped, so no other one may start beside it.
        """
        listed = tuple(self._listed(self.locations.documents))
        left = {uri: run for uri in listed if not (run := self._documents.read(uri, BegunTestRun)).is_over}
        now = self.clock.now()
        if not also_going and any(self._may_go_on(run, now) for run in left.values()):
            return
        failures = [(run, self._stop(uri, run)) for uri, run in left.items()]
        for run, failure in failures:
            if failure and self._may_go_on(run, now):
                raise Refused(
                    f"the test run {run.transaction or run.token} may go on and cannot be ended, so no other one is "
                    f"started beside it: {failure}. End it by hand, set LOGCACHE_SABESP_STOP to a command that ends "
                    f"it, and run again; after {run.deadline:%Y-%m-%d %H:%M} UTC it counts as dead"
                )

    def _stop(self, uri: str, run: BegunTestRun) -> ItaipuError | None:
        """End it, by its transaction only if that is its own: another's run must go on. Says why it was not ended."""
        try:
            own = self._own_transaction(run)
            self.itaipu.stop_run(run.token, version=run.candidate_sha[:8], transaction=own, tell=self.tell)
        except ItaipuError as error:
            self.tell(f"WARNING: {error}")
            return error
        self._write(uri, replace(run, is_over=True))
        return None

    def _stop_named(self, uri: str) -> None:
        """End a run that did not end well, if it named its transaction; without it, it was tried already."""
        with suppress(LogCacheError):  # what ended the run is told; the next refresh tries it again
            run = self._documents.read(uri, BegunTestRun)
            if run.transaction:
                self._stop(uri, run)

    def _may_go_on(self, run: BegunTestRun, now: datetime) -> bool:
        """Whether it may still be computing; before its deadline also if that cannot be found out."""
        if now >= run.deadline:
            return False
        try:
            return isinstance(self._look(run, now), Going)
        except LogCacheError:
            return True

    def find_foreign(self, run: BegunTestRun, named: str) -> Problem | None:
        """Say why the transaction that sabesp named for a run is another run's; None if it is its own."""
        now = self.clock.now()
        return find_foreign_tables(self.metapod.transaction(named), start_of(run), now=now)

    def _find_here(self, run: BegunTestRun) -> EarlierTestRun | None:
        return self.itaipu.find_run(run.token, version=run.candidate_sha[:8])

    @property
    def _documents(self) -> Documents:
        return Documents(self.store)

    def _name(self, uri: str, run: BegunTestRun, transaction: str) -> None:
        self._write(uri, replace(run, transaction=transaction))

    def _write(self, uri: str, run: BegunTestRun) -> None:
        self._documents.write(uri, run)

    def _listed(self, prefix: str) -> Iterator[str]:
        return _begun_runs(self.store, prefix)

    def _follow(self, run: BegunTestRun) -> BegunTestRun | None:
        """Wait for a run's end; whoever cancels the wait cancels the run."""
        try:
            return self._wait_for(run)
        except Exception:
            raise  # the world could not answer: the run goes on, and is found again
        except BaseException:
            with suppress(LogCacheError):  # nothing may take the interrupt's place
                self._stop(self.locations.begun_run(transaction=run.night, token=run.token), run)
            raise

    def _wait_for(self, run: BegunTestRun) -> BegunTestRun | None:
        """Wait for a run's end. The time that it takes is added to the clock, because a world's clock may stand."""
        began, asked_at = time.monotonic(), self.clock.now()
        for number in count():
            now = max(self.clock.now(), asked_at + timedelta(seconds=time.monotonic() - began))
            state = self._look(run, now)
            if isinstance(state, Complete):
                self.tell(f"The test run {state.transaction} that was begun before is complete; it is used")
                return replace(run, transaction=state.transaction)
            if isinstance(state, Dead):
                self.tell(f"The test run {run.transaction or run.token} that was begun before is dead: {state.reason}")
                return None
            if not number:
                limit = f"{state.until:%Y-%m-%d %H:%M} UTC"
                self.tell(f"The test run {run.transaction or run.token} goes on; waiting for it, at most until {limit}")
            self.pause(pause_after(number))
        return None

    def _look(self, run: BegunTestRun, now: datetime) -> Complete | Going | Dead:
        here = self._find_here(run)
        named = run.transaction or (here.transaction if here else None)
        transaction = self._transaction(named) if named else None
        if transaction and (foreign := find_foreign_tables(transaction, start_of(run), now=now)):
            return Dead(reason=foreign.found[0])
        found = BegunRun(
            started_at=run.started_at,
            deadline=run.deadline,
            transaction=transaction,
            is_running=here.is_running if here else None,
            failures=here.failures if here else (),
        )
        return judge_begun_run(found, now=now)

    def _own_transaction(self, run: BegunTestRun) -> str | None:
        """The transaction that sabesp named, if metapod tells that it is this run's."""
        try:
            found = self._transaction(run.transaction) if run.transaction else None
        except LogCacheError as error:
            self.tell(
                f"WARNING: whose transaction {run.transaction} is, is not known, so nothing is ended by it: {error}"
            )
            return None
        is_own = found and find_foreign_tables(found, start_of(run), now=self.clock.now()) is None
        return run.transaction if is_own else None

    def _transaction(self, named: str) -> Transaction | None:
        try:
            return self.metapod.transaction(named)
        except UnknownTransactionError:
            return None


def pause_after(number: int) -> float:
    """Seconds to wait after so many looks at a run."""
    doublings = min(number, 16)  # a run may be looked at thousands of times
    return min(FIRST_PAUSE * 2.0**doublings, LONGEST_PAUSE)


def own_runs(store: ObjectStore, locations: Locations) -> dict[str, RunStart]:
    """The transactions that were named for test runs of refreshes, and what was known when these runs began."""
    runs = (Documents(store).read(uri, BegunTestRun) for uri in _begun_runs(store, locations.documents))
    return {run.transaction: start_of(run) for run in runs if run.transaction}


def start_of(run: BegunTestRun) -> RunStart:
    """What was known when a run began."""
    return RunStart(at=run.started_at, night=run.night, known=frozenset(run.known))


def _begun_runs(store: ObjectStore, prefix: str) -> Iterator[str]:
    """The URIs of the documents of begun runs."""
    return (item.uri for item in store.list_objects(prefix) if stage_of(item.uri) == BEGUN_RUNS)
