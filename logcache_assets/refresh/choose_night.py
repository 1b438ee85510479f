"""Step 1: choose the nightly transaction to refresh from.

domain/transactions.py has the rules of a good night; this module reads metapod and the object store for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logcache_assets.catalog import Catalog
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.clocks import Witness, find_clock_fault
from logcache_assets.domain.documents import LeftOut, NightlyTransaction, RejectedTransaction
from logcache_assets.domain.lifecycle import Lifecycle
from logcache_assets.domain.log_cache_map import LogCacheMap
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.transactions import (
    Choice,
    GoodNight,
    StoredFiles,
    Transaction,
    TransactionType,
    choose_transaction,
    newest_commit,
    wanted_datasets,
)
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.file_proofs import expiry_of
from logcache_assets.refresh.screen_databases import require_some, screen_databases
from logcache_assets.settings import Settings

NAMED_REASONS = 3
"""How many reasons a message shows per rejected transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightChooser:
    """Judges metapod's recent transactions, or a single one that a person named."""

    metapod: Metapod
    store: ObjectStore
    clock: Clock
    settings: Settings

    def judge(self, databases: Catalog, *, named: str | None) -> Choice:
        """Find the newest good transaction for these databases, and why newer ones were rejected.

        Args:
            databases: the transaction must have usable raw datasets for all their instances.
            named: a transaction id; only this one is judged, and it may be a HOTFIX.

        Raises:
            Refused: the clock here is behind what metapod and the object store show.
        """
        now = self.clock.now()
        candidates = self._candidates(named, now)
        self._require_clock(candidates, now)
        rules = GoodNight(
            instances=tuple(instance for database in databases for instance in database.instances),
            types=(TransactionType.DAILY, TransactionType.HOTFIX) if named else (TransactionType.DAILY,),
            now=now,
            needed=self.settings.copy_time,
            all_or_nothing=self.settings.all_or_nothing,
        )
        lifecycle = self.store.lifecycle(self.settings.ephemeral_bucket)
        # Test runs, our own among them, never stood for a night, so they are no nights that were passed over.
        nights = candidates if named else [t for t in candidates if t.type != TransactionType.CUSTOM]
        return choose_transaction(nights, rules, lambda folder: self._stored_files(folder, lifecycle))

    def screen(
        self, choice: Choice, databases: Catalog, *, active: LogCacheMap, index: SegmentIndex
    ) -> NightlyTransaction:
        """Return the document of a choice, with the databases that cannot be refreshed from the chosen transaction.

        Args:
            choice: what `judge` found for these databases.
            databases: of the refresh.
            active: the map on the base branch.
            index: shows faults of a database before anything of it is exported.

        Raises:
            Refused: no transaction is good, or no database can be refreshed from it; the message has every reason.
        """
        chosen = self.require_chosen(choice)
        left_out = screen_databases(databases, chosen, faults=choice.faults, active=active, index=index)
        require_some(left_out, [database.database for database in databases], self.settings)
        return describe_choice(choice, chosen, databases, left_out=left_out)

    def require_chosen(self, choice: Choice) -> Transaction:
        """Return the chosen transaction; raises Refused with the reasons of every rejected one if there is none."""
        if choice.chosen is None:
            raise Refused(refusal_text(choice, now=self.clock.now(), lookback_days=self.settings.lookback_days))
        return choice.chosen

    def _candidates(self, named: str | None, now: datetime) -> tuple[Transaction, ...]:
        if named is not None:
            return (self.metapod.transaction(named),)
        since = now - timedelta(days=self.settings.lookback_days)
        return self.metapod.transactions(*TransactionType, since=since)

    def _require_clock(self, candidates: Sequence[Transaction], now: datetime) -> None:
        """Refuse to judge nights by a clock that is behind; that it is ahead is judged when it matters, by the gate."""
        newest = newest_commit(candidates)
        if newest is None or newest.committed_at is None or newest.committed_at <= now:
            return
        witnesses = [Witness(system="metapod", shows=f"a commit of {newest.name}", at=newest.committed_at)]
        written_at = self._stored_files(newest.path, Lifecycle()).oldest_modified_at if newest.path else None
        if written_at is not None:
            witnesses.append(Witness(system="the object store", shows=f"a file of {newest.name}", at=written_at))
        if fault := find_clock_fault(witnesses, now=now):
            raise Refused(str(fault))

    def _stored_files(self, folder_uri: str, lifecycle: Lifecycle) -> StoredFiles:
        count, oldest, first = 0, None, None
        for item in self.store.list_data(folder_uri):
            count += 1
            oldest = item.modified_at if oldest is None else min(oldest, item.modified_at)
            if expires_at := expiry_of(item, lifecycle):
                first = expires_at if first is None else min(first, expires_at)
        return StoredFiles(count=count, oldest_modified_at=oldest, expires_at=first)


def refusal_text(choice: Choice, *, now: datetime, lookback_days: int) -> str:
    """Say that there is no good transaction, with the reasons of every rejected one."""
    if not choice.rejected:
        return (
            f"metapod shows no transaction of the last {lookback_days} days, and now is {utc_text(now)} by the clock "
            "here; set that clock if it is ahead, wait for the next nightly run, or raise LOGCACHE_LOOKBACK_DAYS"
        )
    lines = [
        f"{r.transaction.type} {r.transaction.id}: {join_problems(r.reasons, shown=NAMED_REASONS)}"
        for r in choice.rejected
    ]
    return "no good nightly transaction; wait for the next nightly run or name one. Rejected: " + " | ".join(lines)


def describe_choice(
    choice: Choice, chosen: Transaction, databases: Catalog, *, left_out: tuple[LeftOut, ...] = ()
) -> NightlyTransaction:
    """The document of a choice: the raw paths of these databases, and every rejected transaction."""
    without = {left.database for left in left_out}
    wanted = wanted_datasets(
        [i for database in databases if database.database not in without for i in database.instances]
    )
    return NightlyTransaction(
        transaction=chosen.id,
        type=chosen.type,
        started_at=chosen.started_at,
        target_date=chosen.target_date,
        databases=tuple(database.database for database in databases),
        raw_paths={name: chosen.datasets[name].path or "" for name in wanted},
        rejected=tuple(
            RejectedTransaction(
                transaction=r.transaction.id,
                type=r.transaction.type,
                started_at=r.transaction.started_at,
                reasons=r.reasons,
            )
            for r in choice.rejected
        ),
        left_out=left_out,
    )
