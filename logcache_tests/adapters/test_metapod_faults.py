"""Every fault of a real metapod's server: over TLS, with a client's certificate; each becomes one sentence."""

import dataclasses
import gc
import socket
import ssl
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.metapod.transport import RequestsTransports, https_adapter
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.metapod_service import build_schema_over
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.ports import MetapodDenied, MetapodError, MetapodUnavailable, MetapodWrongData
from logcache_tests.servers.certificates import Authority, Certificate
from logcache_tests.servers.metapod_server import Answer, Handler, TlsMetapod, served, tls_metapod, tls_of

NIGHT = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
AT_ONCE = RepeatedReads(first_pause_seconds=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> MetapodStore:
    """A night without datasets."""
    store = MetapodStore(tmp_path / "metapod.sqlite")
    store.open_transaction(NIGHT, "daily", TransactionType.DAILY, started_at=datetime(2018, 5, 28, 1, 0, tzinfo=UTC))
    return store


@pytest.fixture
def running(store: MetapodStore, tmp_path: Path) -> Iterator[TlsMetapod]:
    """A server that wants a client's certificate."""
    with tls_metapod(store, tmp_path / "pem") as running:
        yield running


def transports_to(running: TlsMetapod, **changes: object) -> RequestsTransports:
    """What a sound deployment asks this server with, changed."""
    sound = RequestsTransports(
        url=running.url,
        client_certificate=(running.certificate, running.key),
        authority=running.authority,
        timeout_seconds=20,
    )
    return dataclasses.replace(sound, **changes)  # type: ignore[arg-type] # by name


def refusal(transports: RequestsTransports) -> MetapodError:
    """The error of a question that fails."""
    with pytest.raises(MetapodError) as raised:
        GraphQLMetapod(transports, reads=AT_ONCE).transaction(NIGHT)
    assert len(str(raised.value)) < 700
    return raised.value


def test_a_client_with_its_certificate_is_answered(running: TlsMetapod) -> None:
    """The sound deployment, from which every test here departs by one thing."""
    assert GraphQLMetapod(transports_to(running)).transaction(NIGHT).id == NIGHT


@pytest.mark.parametrize(
    ("host", "valid", "sentence"),
    [
        pytest.param(
            "metapod.example", (-24 * HOUR, HOUR), "is for another address; write the name of", id="other name"
        ),
        pytest.param("127.0.0.2", (-24 * HOUR, HOUR), "is for another address; write the name of", id="other address"),
        pytest.param(
            "127.0.0.1", (-24 * HOUR, -HOUR), "its certificate has expired; let metapod's owners", id="expired"
        ),
        pytest.param("127.0.0.1", (HOUR, 24 * HOUR), "is not valid yet; set this computer's clock", id="not valid yet"),
    ],
)
def test_a_wrong_certificate_of_the_server_is_told(
    store: MetapodStore, tmp_path: Path, host: str, valid: tuple[timedelta, timedelta], sentence: str
) -> None:
    """Nothing is sent to it, and nothing is asked again."""
    authority = Authority(tmp_path / "pem")
    shown = authority.sign("server", host=host, begins=valid[0], ends=valid[1])

    with served(build_schema_over(store), tls_of(shown, clients=None)) as server:
        error = refusal(RequestsTransports(url=server.url, authority=authority.file))

    assert isinstance(error, MetapodDenied)
    assert sentence in str(error)
    assert server.asked == []


def test_a_name_is_compared_with_the_certificates_names(store: MetapodStore, tmp_path: Path) -> None:
    """A host with a name is told so, too."""
    authority = Authority(tmp_path / "pem")

    with served(build_schema_over(store), tls_of(authority.sign("server"), clients=None)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        error = refusal(RequestsTransports(url=url, authority=authority.file))

    assert "its certificate is for another name; write the name of the certificate into LOGCACHE_METAPOD_URL" in str(
        error
    )


def test_a_server_that_nobody_trusted_signs_is_told(running: TlsMetapod, tmp_path: Path) -> None:
    """By another authority, and by the system's."""
    other = Authority(tmp_path / "other")

    for authority in (other.file, None):
        error = refusal(transports_to(running, authority=authority))

        assert isinstance(error, MetapodDenied)
        assert "nobody whom we trust signs its certificate" in str(error)
        assert "LOGCACHE_METAPOD_AUTHORITY" in str(error)
    assert running.server.asked == []


def test_another_variable_names_no_authority(
    running: TlsMetapod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What requests reads from the environment does not widen whom we trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.authority))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(running.authority))

    assert "nobody whom we trust" in str(refusal(transports_to(running, authority=Authority(tmp_path / "other").file)))


def test_the_authority_of_the_settings_is_the_only_one(running: TlsMetapod) -> None:
    """The list that requests brings with it is not added."""
    context = ssl.create_default_context(cafile=running.authority)
    context.load_cert_chain(running.certificate, running.key)

    with requests.Session() as session:
        session.mount("https://", https_adapter(context, 20))
        answer = session.post(running.url, json={"query": "{ transaction(transactionId: 1) { id } }"})

    assert answer.status_code == 200
    assert context.cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("kind", ["none", "of another authority", "expired"])
def test_a_client_that_is_not_accepted_is_told(store: MetapodStore, tmp_path: Path, kind: str) -> None:
    """The server ends the handshake; the sentence names the setting."""
    authority, other = Authority(tmp_path / "pem"), Authority(tmp_path / "other", "other")
    shown = {
        "none": None,
        "of another authority": other.sign("client"),
        "expired": authority.sign("client", begins=-48 * HOUR, ends=-HOUR),
    }[kind]

    with served(build_schema_over(store), tls_of(authority.sign("server"), clients=authority.file)) as server:
        error = refusal(
            RequestsTransports(
                url=server.url,
                authority=authority.file,
                client_certificate=(shown.file, shown.key) if shown else None,
            )
        )

    assert isinstance(error, MetapodDenied)
    assert "client's certificate" in str(error)
    assert "LOGCACHE_METAPOD_CERTIFICATE" in str(error)
    assert server.asked == []


def test_files_that_cannot_be_used_are_named(running: TlsMetapod, tmp_path: Path) -> None:
    """Each by its path and its setting; nothing is sent, and nobody is asked for a passphrase."""
    authority = Authority(tmp_path / "more")
    sealed, other = authority.sign("sealed", passphrase="a passphrase"), authority.sign("other")  # noqa: S106 - invented
    text, absent = tmp_path / "text.pem", tmp_path / "absent.pem"
    text.write_text("no certificate")
    sound = Certificate(file=running.certificate, key=running.key)
    cases: list[tuple[tuple[Path, Path], str]] = [
        ((absent, sound.key), f"{absent} cannot be read (No such file or directory); correct LOGCACHE_METAPOD_CERT"),
        ((sound.file, absent), f"{absent} cannot be read (No such file or directory); correct LOGCACHE_METAPOD_CERT"),
        ((tmp_path, sound.key), f"{tmp_path} cannot be read (Is a directory)"),
        ((sealed.file, sealed.key), f"the key in {sealed.key} is encrypted"),
        ((sound.file, other.key), "do not belong together; correct LOGCACHE_METAPOD_CERTIFICATE and"),
        ((text, sound.key), "are no PEM files of a certificate and its key"),
        ((sound.file, text), "are no PEM files of a certificate and its key"),
    ]

    for files, sentence in cases:
        error = refusal(transports_to(running, client_certificate=files))
        assert isinstance(error, MetapodDenied), files
        assert sentence in str(error), files
    for authority_file in (absent, text, tmp_path):
        error = refusal(transports_to(running, authority=authority_file))
        assert f"the authorities in {authority_file} cannot be read" in str(error)
    assert running.server.asked == []


def _reset(handler: Handler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _cut_short(handler: Handler) -> None:
    handler.say(200, '{"data": {"transac', length=5000)
    handler.close_connection = True


def _silent(handler: Handler) -> None:
    handler.server.ended.wait(30)


def _redirected(handler: Handler) -> None:
    handler.say(302, "", headers={"Location": "https://login.example/sign-in?state=planted"})


@pytest.mark.parametrize(
    ("answer", "kind", "sentences"),
    [
        pytest.param(
            (401, "no"), MetapodDenied, ("401: it does not know who asks (no)", "LOGCACHE_METAPOD_TOKEN"), id="401"
        ),
        pytest.param((403, ""), MetapodDenied, ("403: whoever asks may not; let metapod's owners allow",), id="403"),
        pytest.param(
            (404, ""), MetapodDenied, ("404: nothing is at this address; correct LOGCACHE_METAPOD_URL",), id="404"
        ),
        pytest.param((407, ""), MetapodDenied, ("407: a proxy wants credentials",), id="407"),
        pytest.param(
            _redirected, MetapodDenied, ("302: it sends elsewhere, to https://login.example/sign-in",), id="302"
        ),
        pytest.param(
            (429, "slow"), MetapodUnavailable, ("429: it is asked too often (slow); run again later",), id="429"
        ),
        pytest.param((500, "oh"), MetapodUnavailable, ("500 (oh)", "whether it is up"), id="500"),
        pytest.param((502, "<html>Bad"), MetapodUnavailable, ("502 (<html>Bad)",), id="502"),
        pytest.param((503, ""), MetapodUnavailable, ("did not answer the query 'transaction': 503;",), id="503"),
        pytest.param((504, ""), MetapodUnavailable, ("504",), id="504"),
        pytest.param((400, "what?"), MetapodWrongData, ("refused the query 'transaction': ", "400"), id="400"),
        pytest.param((200, "<html>"), MetapodWrongData, ("Not a JSON answer: <html>",), id="gateway"),
        pytest.param(
            (200, '{"data": {"transaction": null}, "errors": [{"message": "half"}]}'),
            MetapodWrongData,
            ("refused the query 'transaction': half",),
            id="a partial answer",
        ),
        pytest.param(
            (200, '{"errors": [{"message": "down", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}'),
            MetapodUnavailable,
            ("did not answer the query 'transaction': down", "whether it is up"),
            id="an outage in an answer",
        ),
        pytest.param(
            (200, '{"errors": [{"message": "who", "extensions": {"code": "UNAUTHENTICATED"}}]}'),
            MetapodDenied,
            ("who", "LOGCACHE_METAPOD_TOKEN"),
            id="a denial in an answer",
        ),
        pytest.param(_reset, MetapodUnavailable, ("Connection", "then run again"), id="a connection that is reset"),
        pytest.param(_cut_short, MetapodUnavailable, ("IncompleteRead",), id="a body that is cut short"),
    ],
)
def test_an_answer_that_is_none_is_told(
    running: TlsMetapod, answer: Answer, kind: type[MetapodError], sentences: tuple[str, ...]
) -> None:
    """An outage is asked again, four times at most; a denial and a refusal are not."""
    running.server.next = [answer] * 4

    error = refusal(transports_to(running))

    assert type(error) is kind
    assert all(sentence in str(error) for sentence in sentences), str(error)
    assert "planted" not in str(error)
    assert len(running.server.asked) == (4 if kind is MetapodUnavailable else 1)


@pytest.mark.parametrize("fault", [_reset, _cut_short, (429, ""), (503, "")])
def test_an_outage_that_passes_is_not_seen(running: TlsMetapod, fault: Answer) -> None:
    """The third attempt is answered."""
    running.server.next = [fault, fault]

    assert GraphQLMetapod(transports_to(running), reads=AT_ONCE).transaction(NIGHT).id == NIGHT


def test_a_server_that_says_nothing_is_left(running: TlsMetapod) -> None:
    """After the seconds of the setting."""
    running.server.next = [_silent]

    with pytest.raises(MetapodUnavailable, match=r"no answer in time.*LOGCACHE_METAPOD_TIMEOUT_SECONDS higher"):
        GraphQLMetapod(transports_to(running, timeout_seconds=0.2), reads=RepeatedReads(attempts=1)).transaction(NIGHT)


def test_a_server_that_drips_is_left(running: TlsMetapod) -> None:
    """The seconds are those of the whole answer, not of its next byte."""

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.ended.wait(0.05):
            handler.wfile.write(b" ")

    running.server.next = [drip]

    with pytest.raises(MetapodUnavailable, match="no answer in time"):
        GraphQLMetapod(transports_to(running, timeout_seconds=0.5), reads=RepeatedReads(attempts=1)).transaction(NIGHT)

    # A connection that was left open is a ResourceWarning now, which fails this test.
    gc.collect()


def test_what_speaks_no_tls_is_told(store: MetapodStore) -> None:
    """A wrong port, or a wrong scheme."""
    with served(build_schema_over(store)) as server:
        error = refusal(RequestsTransports(url=server.url.replace("http:", "https:")))

    assert isinstance(error, MetapodDenied)
    assert "does not speak TLS; correct the port or the scheme in LOGCACHE_METAPOD_URL" in str(error)


def test_a_host_that_is_not_known_is_an_outage() -> None:
    """Names may fail for a moment."""
    error = refusal(RequestsTransports(url="https://metapod.invalid/graphql"))

    assert type(error) is MetapodUnavailable
    assert "metapod.invalid" in str(error)
