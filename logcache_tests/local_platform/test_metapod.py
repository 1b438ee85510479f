"""metapod's write side and its service: the life of a dataset, and what the SDL promises beyond our own queries."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import graphql_sync

from logcache_assets.domain.transactions import Column, TransactionType
from logcache_assets.local_platform.metapod_service import build_schema_over
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.ports import MetapodError, MetapodUnavailable, MetapodWrongData, UnknownTransactionError

TRANSACTION = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
NOW = datetime(2018, 5, 28, 1, 0, tzinfo=UTC)
COLUMNS = (Column(name="e", logical_type="long"),)


@pytest.fixture
def store(tmp_path: Path) -> MetapodStore:
    """One open transaction."""
    store = MetapodStore(tmp_path / "world" / "metapod.sqlite")
    store.open_transaction(TRANSACTION, "daily", TransactionType.DAILY, started_at=NOW)
    return store


def commit(store: MetapodStore, name: str) -> None:
    """Register a dataset and commit it."""
    store.register_dataset(TRANSACTION, name)
    store.commit_dataset(TRANSACTION, name, path=f"s3://b/{name}", columns=COLUMNS, committed_at=NOW)


def ask(store: MetapodStore, query: str) -> dict[str, Any]:
    """The service's answer to a query."""
    answer = graphql_sync(build_schema_over(store), query)
    assert answer.errors is None
    assert answer.data is not None
    return answer.data


def names(store: MetapodStore, filters: str) -> list[str]:
    """The names of the datasets that meet the filters."""
    found = ask(store, f'{{transaction(transactionId: "{TRANSACTION}") {{datasets({filters}) {{name}}}}}}')
    return [dataset["name"] for dataset in found["transaction"]["datasets"]]


def test_datasets_are_filtered_as_documented(store: MetapodStore) -> None:
    """Filters choose by state, country and name."""
    commit(store, "committed")
    store.register_dataset(TRANSACTION, "aborted")
    store.abort_dataset(TRANSACTION, "aborted", aborted_at=NOW)
    store.register_dataset(TRANSACTION, "open", country="MX")

    assert names(store, "committed: ONLY_COMMITTED") == ["committed"]
    assert names(store, "committed: ONLY_ABORTED") == ["aborted"]
    assert names(store, "committed: ONLY_UNCOMMITTED") == ["open"]
    assert names(store, "countries: [BR]") == ["aborted", "committed"]
    assert names(store, 'datasetNames: ["open", "none"]') == ["open"]
    assert names(store, "countries: []") == []


def test_every_documented_field_is_answered(store: MetapodStore) -> None:
    """The service also answers fields that our own queries do not ask for."""
    commit(store, "raw-feed-s0/log")

    found = ask(
        store,
        f"""{{transaction(transactionId: "{TRANSACTION}") {{
            id name type startedAt targetDate referenceDate
            datasets {{id name country committed committedAt abortedAt path schema {{attributes {{name logicalType}}}}}}
        }}}}""",
    )["transaction"]

    dataset = found["datasets"][0]
    assert found["startedAt"] == "2018-05-28T01:00:00.000Z"
    assert (dataset["country"], dataset["committed"], dataset["committedAt"]) == (
        "BR",
        True,
        "2018-05-28T01:00:00.000Z",
    )
    assert dataset["schema"] == {"attributes": [{"name": "e", "logicalType": "long"}]}
    assert dataset["id"]


def test_the_listing_is_newest_first(store: MetapodStore) -> None:
    """The service sorts, whatever the client does."""
    for hour, name in ((3, "later"), (0, "earlier")):
        store.open_transaction(name, name, TransactionType.DAILY, started_at=NOW.replace(hour=hour))

    found = ask(store, '{transactions(types: [DAILY], startedFrom: "2018-05-28T00:00:00Z") {name}}')

    assert [transaction["name"] for transaction in found["transactions"]] == ["later", "daily", "earlier"]


def test_a_malformed_instant_is_an_error(store: MetapodStore) -> None:
    """The twin checks its scalars, as the real service does."""
    for instant in ("yesterday", "2018-05-28T01:00:00"):
        answer = graphql_sync(build_schema_over(store), f'{{transactions(startedFrom: "{instant}") {{id}}}}')
        assert answer.errors


def test_a_transaction_is_opened_once(store: MetapodStore) -> None:
    """A second transaction with the same id is refused."""
    with pytest.raises(MetapodError, match="exists already"):
        store.open_transaction(TRANSACTION, "other", TransactionType.CUSTOM, started_at=NOW)

    assert [row.name for row in store.find_transactions()] == ["daily"]


def test_a_dataset_is_registered_once(store: MetapodStore) -> None:
    """A second dataset with the same name is refused."""
    store.register_dataset(TRANSACTION, "a")

    with pytest.raises(MetapodError, match="registered already"):
        store.register_dataset(TRANSACTION, "a")


def test_an_unknown_transaction_takes_nothing(store: MetapodStore) -> None:
    """Every write names it in its error."""
    writes: tuple[Callable[[], None], ...] = (
        lambda: store.register_dataset("none", "a"),
        lambda: store.commit_dataset("none", "a", path="p", columns=(), committed_at=NOW),
        lambda: store.abort_dataset("none", "a", aborted_at=NOW),
        lambda: store.set_path("none", "a", path="p"),
    )
    for write in writes:
        with pytest.raises(UnknownTransactionError, match="none"):
            write()


def test_a_dataset_is_committed_once_and_never_after_an_abort(store: MetapodStore) -> None:
    """The second change is refused, and the stored state stays."""
    commit(store, "committed")
    store.register_dataset(TRANSACTION, "aborted")
    store.abort_dataset(TRANSACTION, "aborted", aborted_at=NOW)
    before = store.datasets(TRANSACTION)

    for name in ("committed", "aborted", "never registered"):
        with pytest.raises(MetapodError, match=f"no uncommitted dataset {name}"):
            store.commit_dataset(TRANSACTION, name, path="other", columns=(), committed_at=NOW)
    assert store.datasets(TRANSACTION) == before


def test_an_abort_takes_the_path_away(store: MetapodStore) -> None:
    """A committed dataset loses its path too."""
    commit(store, "a")

    store.abort_dataset(TRANSACTION, "a", aborted_at=NOW)

    (dataset,) = store.datasets(TRANSACTION)
    assert (dataset.committed_at, dataset.path, dataset.aborted_at) == (None, None, "2018-05-28T01:00:00.000Z")


def test_only_a_committed_path_can_be_changed(store: MetapodStore) -> None:
    """Fault injection changes the path of a committed dataset; another dataset has none."""
    commit(store, "a")
    store.register_dataset(TRANSACTION, "open")

    store.set_path(TRANSACTION, "a", path="s3://b/empty-materialized/empty.gz.parquet")

    assert store.datasets(TRANSACTION)[0].path == "s3://b/empty-materialized/empty.gz.parquet"
    with pytest.raises(MetapodError, match="no committed dataset open"):
        store.set_path(TRANSACTION, "open", path="p")


def test_an_instant_needs_a_time_zone(store: MetapodStore) -> None:
    """An instant without one is refused, and nothing is stored."""
    with pytest.raises(MetapodError, match="time zone"):
        store.open_transaction("other", "n", TransactionType.DAILY, started_at=datetime(2018, 5, 28))  # noqa: DTZ001

    assert len(store.find_transactions()) == 1


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    """The error names the file and the remedy."""
    (tmp_path / "metapod.sqlite").write_text("not a database, but long enough to be taken for the header of one" * 9)

    with pytest.raises(MetapodError, match=r"metapod\.sqlite.*logcache local reset"):
        MetapodStore(tmp_path / "metapod.sqlite").find_transactions()


@pytest.mark.parametrize("content", [b"", b"not a database at all"])
def test_a_file_without_metapods_tables_is_wrong_data(tmp_path: Path, content: bytes) -> None:
    """Python raises the same error for it as for a locked file, but the next read would find no table either."""
    (tmp_path / "metapod.sqlite").write_bytes(content)

    with pytest.raises(MetapodWrongData, match="logcache local reset"):
        MetapodStore(tmp_path / "metapod.sqlite").find_transactions()


def test_a_store_that_another_process_writes_is_unavailable(store: MetapodStore, tmp_path: Path) -> None:
    """The same call may succeed once the other process is done."""
    path = tmp_path / "world" / "metapod.sqlite"
    impatient = MetapodStore(path, busy_seconds=0)

    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MetapodUnavailable, match=r"cannot answer .*locked.*; run again"):
            impatient.register_dataset(TRANSACTION, "a")

    assert store.datasets(TRANSACTION) == ()


def test_many_write_while_others_read(store: MetapodStore, tmp_path: Path) -> None:
    """The local Itaipu writes from its own process while Dagster reads: nobody fails, nothing is lost."""
    failures: list[Exception] = []

    def write(prefix: str) -> None:
        own = MetapodStore(tmp_path / "world" / "metapod.sqlite")
        try:
            for n in range(20):
                commit(own, f"{prefix}-{n}")
                own.datasets(TRANSACTION)
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(prefix,)) for prefix in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(store.datasets(TRANSACTION)) == 80
    assert all(dataset.committed_at for dataset in store.datasets(TRANSACTION))


def test_many_may_make_the_file(tmp_path: Path) -> None:
    """The first transactions of several processes all arrive."""

    def make(name: str) -> None:
        MetapodStore(tmp_path / "new.sqlite").open_transaction(name, "custom", TransactionType.CUSTOM, started_at=NOW)

    threads = [threading.Thread(target=make, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(MetapodStore(tmp_path / "new.sqlite").find_transactions()) == 8
    assert not list(tmp_path.glob(".metapod-*"))
