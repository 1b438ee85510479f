"""The token and the certificate with which metapod is asked: sent to the server, and shown nowhere."""

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.metapod.transport import requests_transport
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.metapod_service import build_schema_over
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.ports import MetapodError
from logcache_tests.elsewhere import answer_elsewhere
from logcache_tests.servers.metapod_server import served

NIGHT = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
VARIABLE = "METAPOD_TOKEN"
TOKEN = "letters and digits"  # noqa: S105 - invented


@pytest.fixture
def store(tmp_path: Path) -> MetapodStore:
    """A night without datasets."""
    store = MetapodStore(tmp_path / "metapod.sqlite")
    store.open_transaction(NIGHT, "daily", TransactionType.DAILY, started_at=datetime(2018, 5, 28, 1, 0, tzinfo=UTC))
    return store


def test_the_token_is_sent(store: MetapodStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is sent as a bearer token, even if the user's .netrc has an entry for the host."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    with served(build_schema_over(store)) as server:
        GraphQLMetapod(requests_transport(server.url, token=TOKEN)).transaction(NIGHT)

    assert server.authorizations == [f"Bearer {TOKEN}"]


def test_a_token_is_neither_shown_nor_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the name of its variable is pickled; a token that was given directly is not pickled at all."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    given = requests_transport("https://metapod/graphql", token=TOKEN)
    named = requests_transport("https://metapod/graphql", token_variable=VARIABLE)

    assert named.token
    sent = pickle.dumps(GraphQLMetapod(named))

    assert TOKEN not in repr(given) + repr(named)
    assert TOKEN.encode() not in sent
    assert answer_elsewhere(named.token.read) == TOKEN
    with pytest.raises(BadInput, match="environment variable"):
        pickle.dumps(given)


def test_a_missing_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker without the variable says which one is missing."""
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(BadInput, match="METAPOD_TOKEN is not set"):
        GraphQLMetapod(requests_transport("http://127.0.0.1:9/", token_variable=VARIABLE)).transaction(NIGHT)


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_token_that_the_server_repeats_is_blanked(status: int) -> None:
    """As some gateways answer; also where the token is cut by the message's length."""
    answer = json.dumps({"errors": [{"message": f"no rights for {TOKEN!r} {'x' * 252}{TOKEN}"}]})

    with served(None) as server:  # type: ignore[arg-type] # no schema is asked
        server.next = [(status, answer)]
        client = GraphQLMetapod(requests_transport(server.url, token=TOKEN), reads=RepeatedReads(attempts=1))
        with pytest.raises(MetapodError) as refusal:
            client.transaction(NIGHT)

    assert "letters" not in str(refusal.value)
    assert len(str(refusal.value)) < 600


@pytest.mark.parametrize("token", ["letters and digits\n", " letters", "lettérs", "let\x00ters"])
def test_a_malformed_token_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Libraries quote a header that they refuse."""
    transports = [requests_transport("http://127.0.0.1:9/", token=token)]
    if "\0" not in token:
        monkeypatch.setenv(VARIABLE, token)
        transports.append(requests_transport("http://127.0.0.1:9/", token_variable=VARIABLE))

    for transport in transports:
        with pytest.raises(BadInput, match="metapod's token") as refusal:
            GraphQLMetapod(transport).transaction(NIGHT)
        assert token.strip() not in str(refusal.value)


def test_a_certificate_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A wrong path in the settings gives a sentence, not a traceback."""
    transport = requests_transport(
        "https://127.0.0.1:9/graphql",
        client_certificate=(tmp_path / "crt.pem", tmp_path / "key.pem"),
        authority=tmp_path / "ca.pem",
    )

    with pytest.raises(MetapodError, match=r"\.pem"):
        GraphQLMetapod(transport).transaction(NIGHT)
