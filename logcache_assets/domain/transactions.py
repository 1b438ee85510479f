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
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.wording import count_of

PLACEHOLDER_MARK = "/empty-materialized/"
"""Part of the fixed path at which failed datasets used to be committed empty."""
NEXT_NIGHT = "wait for the next nightly run, which computes it again"


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
    expires_at: datetime | None = None
    """When the first of them is deleted; None if none ever is."""


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
    faults: Mapping[str, tuple[Problem, ...]]
    """Database → why the chosen transaction has no usable raw log of it; the others can be refreshed from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodNight:
    """What makes a transaction good (docs/architecture.md, "A good transaction")."""

    instances: tuple[Instance, ...]
    types: tuple[TransactionType, ...]
    now: datetime
    needed: timedelta
    """How long the copy may still need the files."""
    all_or_nothing: bool = False
    """A fault of one database rejects the transaction for all."""

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases of the instances."""
        return tuple(dict.fromkeys(instance.database for instance in self.instances))


LookAt = Callable[[str], StoredFiles]
"""Lists the files at a dataset's path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedNight:
    """What is wrong with a transaction."""

    whole: tuple[str, ...]
    """Reasons to reject all of it: its type, a run that has not ended, instants that cannot be true."""
    databases: Mapping[str, tuple[str, ...]]
    """Database → what is wrong with its raw datasets; sound ones are left out."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.whole, *(reason for found in self.databases.values() for reason in found))


def choose_transaction(candidates: Sequence[Transaction], rules: GoodNight, look_at: LookAt) -> Choice:
    """Choose the first candidate from which a database can be refreshed. They come newest first.

    Candidates older than the chosen one are not examined.
    """
    rejected: list[Rejected] = []
    for transaction in candidates:
        judged = judge_night(transaction, rules, look_at)
        if not judged.whole and _is_enough(judged, rules):
            return Choice(chosen=transaction, rejected=tuple(rejected), faults=_faults(judged))
        rejected.append(Rejected(transaction=transaction, reasons=judged.reasons))
    return Choice(chosen=None, rejected=tuple(rejected), faults={})


def _is_enough(judged: JudgedNight, rules: GoodNight) -> bool:
    most = 0 if rules.all_or_nothing else len(rules.databases) - 1
    return len(judged.databases) <= most


def _faults(judged: JudgedNight) -> dict[str, tuple[Problem, ...]]:
    return {
        database: tuple(Problem(code="C12", subjects=(database,), found=(r,), remedy=NEXT_NIGHT) for r in reasons)
        for database, reasons in judged.databases.items()
    }


def judge_night(transaction: Transaction, rules: GoodNight, look_at: LookAt) -> JudgedNight:
    """Find every reason against a transaction; files are listed only if nothing speaks against the whole of it."""
    if wrong := tuple(_wrong_type(transaction, rules)):
        return JudgedNight(whole=wrong, databases={})
    # A dataset that is not there yet may still come.
    goes_on = any(found.state is DatasetState.UNCOMMITTED for found in transaction.datasets.values())
    unfinished = tuple(_unfinished(transaction, rules, goes_on=goes_on))
    whole = (*unfinished, *find_impossible_instants(transaction, now=rules.now))
    found = {name: tuple(_wrong_datasets(transaction, rules, name, goes_on=goes_on)) for name in rules.databases}
    if not whole:
        found = {name: reasons or _of_files(transaction, rules, name, look_at) for name, reasons in found.items()}
    return JudgedNight(whole=whole, databases={name: reasons for name, reasons in found.items() if reasons})


def wanted_datasets(instances: Sequence[Instance]) -> tuple[str, ...]:
    """Both raw datasets of every instance."""
    return tuple(name for instance in instances for name in raw_datasets(instance))


def _wrong_type(transaction: Transaction, rules: GoodNight) -> Iterator[str]:
    if transaction.type not in rules.types:
        yield f"its type is {transaction.type}, wanted is {' or '.join(rules.types)}"


def _unfinished(transaction: Transaction, rules: GoodNight, *, goes_on: bool) -> Iterator[str]:
    """What shows that the run has not ended, or died."""
    for name in wanted_datasets(rules.instances):
        dataset = transaction.datasets.get(name)
        if dataset is None and goes_on:
            yield f"{name} is not part of it"
        elif dataset is not None and dataset.state is DatasetState.UNCOMMITTED:
            yield f"{name} is not committed yet: the run is still going on or died"
    if open_contracts := _uncommitted_contracts(transaction, rules.instances):
        yield (
            f"{count_of(len(open_contracts), 'contract')} with which a candidate's would be compared, "
            f"first {open_contracts[0]}, not committed yet: the run is still going on or died"
        )


def _wrong_datasets(transaction: Transaction, rules: GoodNight, database: str, *, goes_on: bool) -> Iterator[str]:
    """What metadata says against the raw datasets of a database."""
    for name in _own_datasets(rules, database):
        dataset = transaction.datasets.get(name)
        if dataset is not None:
            yield from _wrong_dataset(dataset)
        elif not goes_on:
            yield f"{name} is not part of it"


def _wrong_dataset(dataset: Dataset) -> Iterator[str]:
    if dataset.state is DatasetState.ABORTED:
        yield f"{dataset.name} was aborted"
    elif dataset.state is DatasetState.COMMITTED and not dataset.path:
        yield f"{dataset.name} is committed without a path"
    elif dataset.path and PLACEHOLDER_MARK in dataset.path:
        yield f"{dataset.name} is committed at the placeholder of empty datasets, {dataset.path}"


def _own_datasets(rules: GoodNight, database: str) -> tuple[str, ...]:
    return wanted_datasets([instance for instance in rules.instances if instance.database == database])


def _of_files(transaction: Transaction, rules: GoodNight, database: str, look_at: LookAt) -> tuple[str, ...]:
    """What the files of a database's raw datasets say."""
    names = _own_datasets(rules, database)
    return tuple(r for name in names for r in _wrong_files(transaction, transaction.datasets[name], rules, look_at))


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
    if files.expires_at is not None and files.expires_at - rules.now < rules.needed:
        yield (
            f"the files of {dataset.name} expire at {files.expires_at:%Y-%m-%d %H:%M} UTC, "
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
