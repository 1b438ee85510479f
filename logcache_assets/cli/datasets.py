"""`logcache datasets`: shows the datasets of a metapod transaction."""

from collections.abc import Iterator
from datetime import timedelta

from msgspec import UNSET, UnsetType

from logcache_assets.cli.output import Result, table
from logcache_assets.cli.platform import open_platform
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction, TransactionType
from logcache_assets.engine.storage.parquet import count_rows
from logcache_assets.errors import Refused, WrongData
from logcache_assets.ports import ObjectStore, Ports
from logcache_assets.settings import Settings


class DatasetRow(Result, frozen=True, kw_only=True):
    """One dataset of the transaction."""

    dataset: str
    state: str
    """`committed`, `uncommitted` or `aborted`."""
    rows: int | None
    """None if the dataset has no readable table."""
    path: str | None
    problem: str | UnsetType = UNSET
    """Why a committed dataset's table cannot be read; the key is missing if it can."""


class DatasetsResult(Result, frozen=True, kw_only=True):
    """The result of `logcache datasets`; datasets ascend by name."""

    transaction: str
    type: str
    name: str
    datasets: list[DatasetRow]


def run(settings: Settings, transaction_id: str | None) -> DatasetsResult:
    """Describe every dataset of a transaction, by default of the newest test run.

    Raises:
        Refused: there is no test run to describe.
        UnknownTransactionError: metapod does not know the transaction.
        Unavailable: metapod or the object store could not answer.
    """
    ports = open_platform(settings)
    found = _newest_test_run(settings, ports) if transaction_id is None else ports.metapod.transaction(transaction_id)
    return DatasetsResult(
        transaction=found.id,
        type=found.type,
        name=found.name,
        datasets=[describe_dataset(dataset, ports.store) for _, dataset in sorted(found.datasets.items())],
    )


def _newest_test_run(settings: Settings, ports: Ports) -> Transaction:
    since = ports.clock.now() - timedelta(days=settings.lookback_days)
    found = ports.metapod.transactions(TransactionType.CUSTOM, since=since)
    if not found:
        raise Refused(
            f"metapod shows no test run of the last {settings.lookback_days} days; name a transaction, "
            "or let `logcache refresh` start a test run"
        )
    return found[0]


def describe_dataset(dataset: Dataset, store: ObjectStore) -> DatasetRow:
    """Count the rows of a committed dataset, or say why its table cannot be read.

    Raises:
        ObjectStoreUnavailable: the store could not answer.
    """
    rows: int | None = None
    problem: str | UnsetType = UNSET
    if dataset.state is DatasetState.COMMITTED and dataset.path:
        try:
            rows = count_rows(dataset.path, store)
        except WrongData as error:
            problem = str(error)
    return DatasetRow(dataset=dataset.name, state=dataset.state.value, rows=rows, path=dataset.path, problem=problem)


def render(result: DatasetsResult) -> Iterator[str]:
    """A table of the datasets, then the problem of each one that cannot be read."""
    found = result.datasets
    yield f"{result.type} transaction {result.transaction} ({result.name}): {len(found)} datasets"
    yield ""
    yield from table(("dataset", "state", "rows", "path"), [(d.dataset, d.state, d.rows, d.path) for d in found])
    yield from (f"{d.dataset}: {d.problem}" for d in found if d.problem is not UNSET)
