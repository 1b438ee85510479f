"""metapod's transactions and datasets, and the rules for the nightly transaction that a refresh may build on.

A green run does not make a good transaction. When a dataset fails, it is aborted (formerly: committed empty at a
placeholder path) and the job still succeeds; and metadata outlives files (C12).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.clocks import SKEW
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.names import contract_prefix, raw_datasets
from logcache_assets.domain.wording import count_of

COUNTRY = "BR"
"""Country whose datasets are read and registered by default."""
PLACEHOLDER_MARK = "/empty-materialized/"
"""Part of the fixed path at which failed datasets used to be committed empty."""


class TransactionType(StrEnum):
    """What kind of run a transaction belongs to."""

    DAILY = "DAILY"
    HOTFIX = "HOTFIX"
    CUSTOM = "CUSTOM"
    COPIED = "COPIED"


class DatasetState(StrEnum):
    """State of a dataset in metapod."""

    UNCOMMITTED = "uncommitted"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a dataset's schema, with metapod's logical type."""

    name: str
    logical_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One dataset of a transaction."""

    name: str
    state: DatasetState
    path: str | None
    """Folder of its Parquet files."""
    committed_at: datetime | None
    aborted_at: datetime | None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One metapod transaction."""

    id: str
    name: str
    type: str
    """A TransactionType, or a value that a newer metapod invented."""
    started_at: datetime
    target_date: date | None
    reference_date: date | None
    datasets: Mapping[str, Dataset]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFiles:
    """The files that exist at a dataset's path."""

    count: int
    oldest_modified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A rejected transaction, with every reason."""

    transaction: Transaction
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The newest good transaction, if there is one, and everything newer that was rejected."""

    chosen: Transaction | None
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodNight:
    """What makes a transaction good (docs/architecture.md, "A good transaction")."""

    instances: tuple[Instance, ...]
    types: tuple[TransactionType, ...]
    now: datetime
    retention_days: int | None
    needed: timedelta
    """How long the copy may still need the files."""


LookAt = Callable[[str], StoredFiles]
"""Lists the files at a dataset's path."""


def choose_transaction(candidates: Sequence[Transaction], rules: GoodNight, look_at: LookAt) -> Choice:
    """Choose the first candidate that breaks no rule. Candidates come newest first; older ones are not examined."""
    rejected: list[Rejected] = []
    for transaction in candidates:
        reasons = tuple(find_reasons(transaction, rules, look_at))
        if not reasons:
            return Choice(chosen=transaction, rejected=tuple(rejected))
        rejected.append(Rejected(transaction=transaction, reasons=reasons))
    return Choice(chosen=None, rejected=tuple(rejected))


def find_reasons(transaction: Transaction, rules: GoodNight, look_at: LookAt) -> Iterator[str]:
    """Every reason to reject this transaction; files are listed only if metadata gives no reason."""
    metadata = list(_wrong_type(transaction, rules)) or [
        *_wrong_datasets(transaction, rules),
        *find_impossible_instants(transaction, now=rules.now),
    ]
    yield from metadata
    if not metadata:
        for name in wanted_datasets(rules.instances):
            yield from _wrong_files(transaction, transaction.datasets[name], rules, look_at)


def wanted_datasets(instances: Sequence[Instance]) -> tuple[str, ...]:
    """Both raw datasets of every instance."""
    return tuple(name for instance in instances for name in raw_datasets(instance))


def _wrong_type(transaction: Transaction, rules: GoodNight) -> Iterator[str]:
    if transaction.type not in rules.types:
        yield f"its type is {transaction.type}, wanted is {' or '.join(rules.types)}"


def _wrong_datasets(transaction: Transaction, rules: GoodNight) -> Iterator[str]:
    for name in wanted_datasets(rules.instances):
        dataset = transaction.datasets.get(name)
        if dataset is None:
            yield f"{name} is not part of it"
        elif dataset.state is DatasetState.UNCOMMITTED:
            yield f"{name} is not committed yet: the run is still going on or died"
        elif dataset.state is DatasetState.ABORTED:
            yield f"{name} was aborted"
        elif not dataset.path:
            yield f"{name} is committed without a path"
        elif PLACEHOLDER_MARK in dataset.path:
            yield f"{name} is committed at the placeholder of empty datasets, {dataset.path}"
    if open_contracts := _uncommitted_contracts(transaction, rules.instances):
        yield (
            f"{count_of(len(open_contracts), 'contract')} with which a candidate's would be compared, "
            f"first {open_contracts[0]}, not committed yet: the run is still going on or died"
        )


def _uncommitted_contracts(transaction: Transaction, instances: Sequence[Instance]) -> list[str]:
    """The contracts of the wanted databases that the run registered and has not finished."""
    prefixes = tuple({contract_prefix(instance.database) for instance in instances})
    return [
        name
        for name, dataset in transaction.datasets.items()
        if name.startswith(prefixes) and dataset.state is DatasetState.UNCOMMITTED
    ]


def _wrong_files(transaction: Transaction, dataset: Dataset, rules: GoodNight, look_at: LookAt) -> Iterator[str]:
    files = look_at(dataset.path or "")
    if not files.count or files.oldest_modified_at is None:
        yield f"{dataset.name} is committed, but no file is left at {dataset.path}"
        return
    if transaction.started_at - files.oldest_modified_at > SKEW:
        yield (
            f"{dataset.name} has a file of {utc_text(files.oldest_modified_at)}, which is older than the run, begun at "
            f"{utc_text(transaction.started_at)}: it is another run's"
        )
    if rules.retention_days is not None:
        expires = files.oldest_modified_at + timedelta(days=rules.retention_days)
        if expires - rules.now < rules.needed:
            yield (
                f"the files of {dataset.name} expire at {expires:%Y-%m-%d %H:%M} UTC, "
                f"sooner than the {rules.needed.total_seconds() / 3600:g} hours that the copy may need"
            )


def find_impossible_instants(transaction: Transaction, *, now: datetime) -> Iterator[str]:
    """Clauses that say which instants of a run cannot be true: start <= every commit and abort of the run <= now."""
    if transaction.started_at - now > SKEW:
        yield f"it began at {utc_text(transaction.started_at)}, and now is {utc_text(now)}"
    ended = sorted(_ends(transaction))
    if ended and ended[0][0] < transaction.started_at:
        instant, what = ended[0]
        yield f"{what} at {utc_text(instant)}, before the run began at {utc_text(transaction.started_at)}"
    if ended and ended[-1][0] - now > SKEW:
        instant, what = ended[-1]
        yield f"{what} at {utc_text(instant)}, and now is {utc_text(now)}"


def newest_commit(transactions: Sequence[Transaction]) -> Dataset | None:
    """The dataset that was committed last among those of these transactions; None if there is none."""
    committed = [d for transaction in transactions for d in transaction.datasets.values() if d.committed_at]
    return max(committed, key=lambda dataset: (dataset.committed_at, dataset.name), default=None)


def _ends(transaction: Transaction) -> Iterator[tuple[datetime, str]]:
    for dataset in transaction.datasets.values():
        if dataset.committed_at is not None:
            yield dataset.committed_at, f"{dataset.name} was committed"
        if dataset.aborted_at is not None:
            yield dataset.aborted_at, f"{dataset.name} was aborted"
