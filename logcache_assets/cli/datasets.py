"""`logcache datasets`: what a metapod transaction holds."""

from collections.abc import Iterator
from datetime import timedelta
from typing import cast

from logcache_assets.cli.output import Result, table
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction, TransactionType
from logcache_assets.engine.storage.parquet import count_rows
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings


def run(settings: Settings, transaction_id: str | None) -> Result:
    """Name, state, path and rows of every dataset; by default of the newest test run."""
    world = World(settings)
    world.require()
    ports = world.ports()
    found = ports.metapod.transaction(transaction_id) if transaction_id else _newest_test_run(settings, ports)
    return {
        "transaction": found.id,
        "type": found.type,
        "name": found.name,
        "datasets": [_dataset(dataset, ports) for _, dataset in sorted(found.datasets.items())],
    }


def _newest_test_run(settings: Settings, ports: Ports) -> Transaction:
    since = ports.clock.now() - timedelta(days=settings.lookback_days)
    found = ports.metapod.transactions(TransactionType.CUSTOM, since=since)
    if not found:
        raise Refused(
            f"metapod shows no test run of the last {settings.lookback_days} days; name a transaction, "
            "or let `logcache refresh` start a test run"
        )
    return found[0]


def _dataset(dataset: Dataset, ports: Ports) -> dict[str, object]:
    """One dataset; rows are None where there is no table, with the reason in `problem`."""
    row: dict[str, object] = {"dataset": dataset.name, "state": dataset.state.value, "rows": None, "path": dataset.path}
    if dataset.state is DatasetState.COMMITTED and dataset.path:
        try:
            row["rows"] = count_rows(dataset.path, ports.store)
        except LogCacheError as error:
            row["problem"] = str(error)
    return row


def render(result: Result) -> Iterator[str]:
    """The datasets for a person."""
    found = cast("list[dict[str, object]]", result["datasets"])
    yield f"{result['type']} transaction {result['transaction']} ({result['name']}): {len(found)} datasets"
    yield ""
    yield from table(
        ("dataset", "state", "rows", "path"), [(d["dataset"], d["state"], d["rows"], d["path"]) for d in found]
    )
    for dataset in found:
        if "problem" in dataset:
            yield f"{dataset['dataset']}: {dataset['problem']}"
