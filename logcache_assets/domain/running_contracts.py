"""Who still computes contracts (C11): pointers must not be swapped under a run that reads the active map.

An uncommitted contract is computed, or was when its run died; metapod does not tell which. Three facts do:

our own test run             reads the candidate's commit, so it is no reader of the active map
a later run of its kind      has finished, so this one will never go on
neither                      it may be going on, and is waited for
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logcache_assets.domain.names import CONTRACT_PREFIX
from logcache_assets.domain.test_run_origin import RunStart, find_foreign_tables
from logcache_assets.domain.transactions import (
    Dataset,
    DatasetState,
    Transaction,
    TransactionType,
    find_impossible_instants,
)

JUST_BEGUN = timedelta(hours=3)
"""For how long a nightly run may be without a contract in metapod: it writes its raw datasets first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """The runs with unfinished contracts."""

    running: tuple[str, ...]
    """Contracts that may still be computed, each with its transaction."""
    passed_over: tuple[str, ...]
    """One sentence per run that died, for a person."""


def find_readers(transactions: Sequence[Transaction], *, own: Mapping[str, RunStart], now: datetime) -> Readers:
    """Sort the DAILY and CUSTOM transactions with unfinished contracts into running and dead ones.

    Args:
        transactions: recent ones of all kinds, in any order.
        own: the transactions that sabesp named for test runs of refreshes, and what was known when these began.
        now: by our own clock.
    """
    running: list[str] = []
    passed_over: list[str] = []
    for transaction in transactions:
        unfinished = tuple(_unfinished(transaction, now))
        if not unfinished or _is_own(transaction, own, now):
            continue
        if later := next((other for other in transactions if _took_over(other, transaction, now)), None):
            passed_over.append(
                f"{transaction.type} transaction {transaction.id} died while it computed {unfinished[0]}: a later run "
                f"of its kind, {later.id}, is whole"
            )
        else:
            running += [f"{what} of {transaction.type} transaction {transaction.id}" for what in unfinished]
    return Readers(running=tuple(running), passed_over=tuple(passed_over))


def _is_own(transaction: Transaction, own: Mapping[str, RunStart], now: datetime) -> bool:
    """True if a refresh began this run; sabesp may name another's, which may read the active map."""
    start = own.get(transaction.id)
    return start is not None and find_foreign_tables(transaction, start, now=now) is None


def _unfinished(transaction: Transaction, now: datetime) -> Iterator[str]:
    """The contracts that are neither committed nor aborted.

    A DAILY transaction without any contract has just begun, unless it is old: then it died, or never computes any.
    """
    if transaction.type not in (TransactionType.DAILY, TransactionType.CUSTOM):
        return
    contracts = _contracts(transaction)
    yield from (name for name, found in contracts.items() if found.state is DatasetState.UNCOMMITTED)
    is_new = transaction.type == TransactionType.DAILY and abs(now - transaction.started_at) < JUST_BEGUN
    if is_new and not contracts:
        yield "all contracts"


def _took_over(later: Transaction, earlier: Transaction, now: datetime) -> bool:
    """True if a run of the same kind began later and is whole: all contracts finished, most of them committed.

    Nights are of one kind; CUSTOM runs are if they have one name. A run that was cancelled aborts most of its
    contracts, and proves nothing; nor does one whose instants cannot be true.
    """
    if any(find_impossible_instants(later, now=now)):
        return False
    same_kind = later.type == earlier.type and (later.type == TransactionType.DAILY or later.name == earlier.name)
    if not same_kind or later.started_at <= earlier.started_at:
        return False
    states = [found.state for found in _contracts(later).values()]
    covers = _contracts(earlier).keys() <= _contracts(later).keys()
    committed = states.count(DatasetState.COMMITTED)
    return covers and DatasetState.UNCOMMITTED not in states and 2 * committed > len(states)


def _contracts(transaction: Transaction) -> dict[str, Dataset]:
    return {name: found for name, found in transaction.datasets.items() if name.startswith(CONTRACT_PREFIX)}
