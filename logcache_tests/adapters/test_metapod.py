"""The metapod client against the documented schema: in this process, and over HTTP as in production."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from graphql import build_schema, parse, validate
from typing_extensions import override

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.metapod.queries import read_queries
from logcache_assets.adapters.metapod.transport import requests_transport
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.connect import connect
from logcache_assets.domain.transactions import Column, Dataset, DatasetState, TransactionType
from logcache_assets.local_platform.metapod_service import build_schema_over, local_transport, metapod_sdl
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.ports import Metapod, MetapodError, MetapodUnavailable, UnknownTransactionError
from logcache_assets.settings import load_settings
from logcache_tests.elsewhere import answer_elsewhere
from logcache_tests.servers.metapod_server import served, tls_metapod

NIGHT = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
DEEP = "[" * 50_000 + "]" * 50_000
AT_ONCE = RepeatedReads(first_pause_seconds=0)
TOKEN = "letters and digits"  # noqa: S105 - invented
EARLIER = "13cabf01-5257-4cdb-ac50-36648c7a8158"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
STARTED = datetime(2018, 5, 28, 1, 0, tzinfo=UTC)
COMMITTED = datetime(2018, 5, 28, 2, 30, 15, 250000, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> MetapodStore:
    """A night with a dataset in each state, and an earlier custom run without datasets."""
    store = MetapodStore(tmp_path / "metapod.sqlite")
    store.open_transaction(EARLIER, "custom", TransactionType.CUSTOM, started_at=STARTED.replace(day=27))
    store.open_transaction(
        NIGHT,
        "daily",
        TransactionType.DAILY,
        started_at=STARTED,
        target_date=date(2018, 5, 28),
        reference_date=date(2018, 5, 27),
    )
    for name in ("raw-feed-s0/log", "raw-feed-s1/log", "contract-feed/transactions"):
        store.register_dataset(NIGHT, name)
    columns = [Column(name="e", logical_type="long"), Column(name="v", logical_type="string")]
    store.commit_dataset(NIGHT, "raw-feed-s0/log", path="s3://b/log", columns=columns, committed_at=COMMITTED)
    store.abort_dataset(NIGHT, "raw-feed-s1/log", aborted_at=COMMITTED)
    return store


@pytest.fixture(params=["in process", "over HTTP", "over TLS"])
def metapod(request: pytest.FixtureRequest, store: MetapodStore, tmp_path: Path) -> Iterator[Metapod]:
    """The client over each transport; over TLS as a deployment is configured, with a client's certificate."""
    if request.param == "in process":
        yield GraphQLMetapod(local_transport(store))
    elif request.param == "over TLS":
        with tls_metapod(store, tmp_path / "certificates") as server:
            yield connect(load_settings({"LOGCACHE_HOME": str(tmp_path), **server.variables})).metapod
    else:
        with served(build_schema_over(store)) as server:
            yield GraphQLMetapod(requests_transport(server.url, token=TOKEN))


def test_a_transaction_has_all_its_datasets(metapod: Metapod) -> None:
    """Every field, and a dataset in each state."""
    night = metapod.transaction(NIGHT)

    assert (night.id, night.name, night.type, night.started_at) == (NIGHT, "daily", "DAILY", STARTED)
    assert (night.target_date, night.reference_date) == (date(2018, 5, 28), date(2018, 5, 27))
    assert night.datasets == {
        "raw-feed-s0/log": Dataset(
            name="raw-feed-s0/log",
            state=DatasetState.COMMITTED,
            path="s3://b/log",
            committed_at=COMMITTED,
            aborted_at=None,
            columns=(Column(name="e", logical_type="long"), Column(name="v", logical_type="string")),
        ),
        "raw-feed-s1/log": Dataset(
            name="raw-feed-s1/log", state=DatasetState.ABORTED, path=None, committed_at=None, aborted_at=COMMITTED
        ),
        "contract-feed/transactions": Dataset(
            name="contract-feed/transactions",
            state=DatasetState.UNCOMMITTED,
            path=None,
            committed_at=None,
            aborted_at=None,
        ),
    }


def test_an_unknown_transaction_is_an_error(metapod: Metapod) -> None:
    """The answer is null without an error, so the client raises one."""
    with pytest.raises(UnknownTransactionError, match=f"no transaction {UNKNOWN}"):
        metapod.transaction(UNKNOWN)


def test_transactions_are_listed_newest_first(metapod: Metapod) -> None:
    """By type and by the instant they started at, which is inclusive."""
    both = metapod.transactions(TransactionType.DAILY, TransactionType.CUSTOM, since=STARTED.replace(day=1))

    assert [found.id for found in both] == [NIGHT, EARLIER]
    assert both[0] == metapod.transaction(NIGHT)
    assert [found.id for found in metapod.transactions(TransactionType.CUSTOM, since=STARTED.replace(day=1))] == [
        EARLIER
    ]
    kinds = (TransactionType.DAILY, TransactionType.CUSTOM)
    assert [found.id for found in metapod.transactions(*kinds, since=STARTED)] == [NIGHT]
    assert metapod.transactions(*kinds, since=STARTED.replace(minute=1)) == ()


def test_threads_can_share_a_client(metapod: Metapod) -> None:
    """Four threads ask twenty queries."""
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: metapod.transaction(NIGHT).id, range(20)))

    assert answers == [NIGHT] * 20


def test_a_running_event_loop_does_no_harm(metapod: Metapod) -> None:
    """The client works inside a running event loop, as in Dagit's process."""

    async def ask() -> str:
        return metapod.transaction(NIGHT).id

    assert asyncio.run(ask()) == NIGHT


def test_every_query_is_valid_by_the_schema() -> None:
    """The queries are checked against the documented schema without a server."""
    assert validate(build_schema(metapod_sdl()), parse(read_queries().text)) == []


def test_a_type_that_we_do_not_know_is_kept(store: MetapodStore) -> None:
    """A type from a newer metapod is passed on unchanged."""
    schema = build_schema_over(store, sdl=metapod_sdl().replace("  COPIED\n", "  COPIED\n  BACKFILL\n"))
    statement = "UPDATE transactions SET type = 'BACKFILL'"
    with store._writing() as connection:  # noqa: SLF001 - what no method of ours writes
        connection.execute(statement)

    with served(schema) as server:
        assert GraphQLMetapod(requests_transport(server.url)).transaction(NIGHT).type == "BACKFILL"


def test_another_countrys_datasets_are_not_asked_for(store: MetapodStore) -> None:
    """A client reads the datasets of one country."""
    store.register_dataset(NIGHT, "raw-feed-s0/log-mx", country="MX")

    assert "raw-feed-s0/log-mx" not in GraphQLMetapod(local_transport(store)).transaction(NIGHT).datasets
    assert set(GraphQLMetapod(local_transport(store), country="MX").transaction(NIGHT).datasets) == {
        "raw-feed-s0/log-mx"
    }


def test_a_busy_server_is_asked_again(store: MetapodStore) -> None:
    """After a 503 the query is repeated."""
    with served(build_schema_over(store)) as server:
        server.next = [(503, "busy")]

        assert GraphQLMetapod(requests_transport(server.url)).transaction(NIGHT).id == NIGHT


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        pytest.param(401, "who are you?", "401", id="refused"),
        pytest.param(500, "<html>", "500", id="broken"),
        pytest.param(200, "<html>login here</html>" * 100, "login here", id="a page instead of an answer"),
        pytest.param(200, '{"errors": [{"message": "no such field"}]}', "no such field", id="an error"),
        pytest.param(
            200,
            '{"data": {"transaction": null}, "errors": [{"message": "half of me is down"}]}',
            "half of me is down",
            id="a partial answer",
        ),
        pytest.param(200, '{"errors": {"message": "no list"}}', "no list", id="errors that are no list"),
        pytest.param(200, '{"data": null}', "neither data nor errors", id="neither data nor errors"),
        pytest.param(200, '{"data": {}}', "missing required field `transaction`", id="nothing"),
        pytest.param(200, f'{{"data": {{"transaction": {{"id": "{NIGHT}"}}}}}}', "name", id="fields missing"),
        pytest.param(200, "null", "Not a JSON answer: null", id="null"),
        pytest.param(200, "5", "Not a JSON answer: 5", id="a number"),
        pytest.param(200, "true", "Not a JSON answer: true", id="a truth"),
        pytest.param(200, "[]", "Not a JSON answer", id="a list"),
        pytest.param(200, '"x"', "Not a JSON answer", id="a text"),
        pytest.param(200, "", "Not a JSON answer", id="no answer at all"),
        pytest.param(200, '{"data": 5}', "Expected `object`, got `int`", id="data that is a number"),
        pytest.param(200, '{"data": [{}]}', "Expected `object`, got `array`", id="data that is a list"),
        pytest.param(200, f'{{"data": {DEEP}}}', "Not a JSON answer", id="nested deeply"),
        pytest.param(200, f'{{"errors": {DEEP}}}', "Not a JSON answer", id="errors that are nested deeply"),
        pytest.param(200, "9" * 5000, "Not a JSON answer", id="an integer of 5000 digits"),
        pytest.param(200, f'{{"data": {{"transaction": {"9" * 5000}}}}}', "transaction", id="a long integer in it"),
        pytest.param(200, '{"data": {"transaction": "\\ud800"}}', "Not a JSON answer", id="half a surrogate pair"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(store: MetapodStore, status: int, body: str, reason: str) -> None:
    """The error is one sentence with the reason, of a bounded length."""
    with served(build_schema_over(store)) as server:
        server.next = [(status, body)] * 4
        with pytest.raises(MetapodError, match=reason) as raised:
            GraphQLMetapod(requests_transport(server.url), reads=AT_ONCE).transaction(NIGHT)

    kinds = {401: "MetapodDenied", 500: "MetapodUnavailable"}
    assert raised.type.__name__ == kinds.get(status, "MetapodWrongData")
    assert len(server.authorizations) == (4 if status == 500 else 1)
    assert len(str(raised.value)) < 600


def test_an_unreachable_server_is_unavailable() -> None:
    """A refused connection is an outage."""
    with pytest.raises(MetapodUnavailable, match="did not answer"):
        GraphQLMetapod(requests_transport("http://127.0.0.1:9/graphql"), reads=AT_ONCE).transaction(NIGHT)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_recovers_is_asked_again(store: MetapodStore, status: int) -> None:
    """The third attempt succeeds after two outages."""
    with served(build_schema_over(store)) as server:
        server.next = [(status, "not now")] * 2

        assert GraphQLMetapod(requests_transport(server.url), reads=AT_ONCE).transaction(NIGHT).id == NIGHT


def test_a_locked_store_is_unavailable() -> None:
    """The local service answers like an unavailable server, and the client repeats the query."""

    class Locked(MetapodStore):
        asked = 0

        @override
        def find_transactions(self, **_wanted: object) -> NoReturn:
            self.asked += 1
            raise MetapodUnavailable("database is locked")

    locked = Locked(Path("none"))

    with pytest.raises(MetapodUnavailable, match="database is locked"):
        GraphQLMetapod(local_transport(locked), reads=AT_ONCE).transaction(NIGHT)

    assert locked.asked == 4


def test_the_local_client_travels(store: MetapodStore) -> None:
    """Pickled and read elsewhere, it answers the same."""
    metapod = GraphQLMetapod(local_transport(store))

    assert answer_elsewhere(metapod.transaction, NIGHT) == metapod.transaction(NIGHT)


def test_a_missing_store_is_an_error(tmp_path: Path) -> None:
    """The service's own failure reaches the user with its remedy."""
    metapod = GraphQLMetapod(local_transport(MetapodStore(tmp_path / "none.sqlite")))

    with pytest.raises(MetapodError, match="logcache local reset"):
        metapod.transaction(NIGHT)


def test_nothing_heavy_is_loaded_before_a_question() -> None:
    """A command line that only prints its help imports and builds all adapters."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "import logcache_assets.adapters.metapod.client as m, logcache_assets.adapters.metapod.transport as t\n"
        "import logcache_assets.local_platform.metapod_service as s\n"
        "from logcache_assets.local_platform.metapod_store import MetapodStore\n"
        "m.GraphQLMetapod(s.local_transport(MetapodStore(Path('none'))))\n"
        "m.GraphQLMetapod(t.requests_transport('https://metapod'))\n"
        "print([name for name in ('gql', 'graphql', 'requests') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    assert loaded == "[]\n"
