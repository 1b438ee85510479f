"""Every channel takes a message whole; one that cannot says so in seconds, without its secret."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logcache_assets.adapters.alerts.alert_file import AlertFile
from logcache_assets.adapters.alerts.heartbeat import Heartbeat, last_beat
from logcache_assets.adapters.alerts.mail import Mail, MailServer, Tls
from logcache_assets.adapters.alerts.webhook import Webhook
from logcache_assets.adapters.secret import Secret
from logcache_assets.domain.alert_messages import Message
from logcache_assets.ports.notifier import NotifierError, NotifierUnavailable, NotifierWrongData
from logcache_tests.adapters.alerts.mail_server import LOGIN, PASSWORD, running_mail_server
from logcache_tests.adapters.alerts.web_server import Callee, running_callee
from logcache_tests.servers.certificates import Authority

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MESSAGE = Message(
    id="run:1",
    made_at=NOON,
    subject="feed-s0: gap <!channel> & more",
    lines=("Feed-s0: gap.", "What to do: ask."),
    link="https://dagit.acme.com/runs/1",
    deliveries={},
)


@pytest.fixture
def callee() -> Iterator[Callee]:
    """A web server."""
    with running_callee() as server:
        yield server


def webhook(url: str, *, seconds: float = 10) -> Webhook:
    """A webhook at this address."""
    return Webhook(url=Secret("the webhook of alerts", url), sender="Log cache", seconds=seconds)


def mail(port: int, *, tls: Tls = "none", authority: Path | None = None, login: str | None = None) -> Mail:
    """Mail to two addresses by a server of this port."""
    password = Secret("the password of the mail server", PASSWORD) if login else None
    server = MailServer(
        host="127.0.0.1",
        port=port,
        tls=tls,
        login=login,
        password=password,
        authority=str(authority) if authority else None,
    )
    addresses = ("ana@acme.com", "bob@acme.com")
    return Mail(server=server, sender="Log cache", from_address="cache@acme.com", to_addresses=addresses, seconds=5)


def test_a_webhook_gets_the_whole_message_and_no_markup_of_others(callee: Callee) -> None:
    """A cause may hold what Slack obeys, such as a call of everybody in the channel."""
    webhook(callee.url).send(MESSAGE)

    (taken,) = callee.taken
    assert taken.splitlines() == [
        "*Log cache: feed-s0: gap &lt;!channel&gt; &amp; more*",
        "Feed-s0: gap.",
        "What to do: ask.",
        "<https://dagit.acme.com/runs/1>",
    ]


@pytest.mark.parametrize("status", [302, 403, 404, 429, 500])
def test_a_webhook_that_refuses_is_tried_again(callee: Callee, status: int) -> None:
    """A redirect is a refusal too: it would hand the message to somebody else."""
    callee.status = status

    with pytest.raises(NotifierUnavailable, match=f"the webhook of alerts answered with status {status}") as failed:
        webhook(callee.url).send(MESSAGE)

    assert "T0SECRET" not in str(failed.value)
    assert callee.paths == ["/services/T0SECRET"]


@pytest.mark.parametrize("manner", ["silent", "dripping"])
def test_a_webhook_that_hangs_is_left_alone(callee: Callee, manner: str) -> None:
    """Also one that sends a little of its answer all the time, so that no wait for a piece is long."""
    callee.manner = manner

    with pytest.raises(NotifierUnavailable, match="does not answer") as failed:
        webhook(callee.url, seconds=0.3).send(MESSAGE)

    assert "T0SECRET" not in str(failed.value)


def test_a_webhook_without_a_server_or_with_a_wrong_certificate_is_told(callee: Callee) -> None:
    """Nobody listens; or what answers speaks no TLS."""
    no_tls = callee.url.replace("http:", "https:")

    for url in ("http://127.0.0.1:9/services/T0SECRET", no_tls):
        with pytest.raises(NotifierUnavailable, match="does not answer") as failed:
            webhook(url).send(MESSAGE)
        assert "T0SECRET" not in str(failed.value)


def test_a_webhook_in_the_clear_is_refused() -> None:
    """Its address is all that is needed to use it; nothing is sent."""
    with pytest.raises(NotifierWrongData, match="does not begin with https://"):
        webhook("http://hooks.acme.com/services/T0SECRET").send(MESSAGE)


def test_mail_reaches_every_address_over_tls_with_a_login(tmp_path: Path) -> None:
    """The server demands both; its certificate is signed by an authority of the deployment's own."""
    authority = Authority(tmp_path)
    with running_mail_server(authority.sign("mail")) as (mailbox, port):
        mail(port, tls="starttls", authority=authority.file, login=LOGIN).send(MESSAGE)

    (taken,) = mailbox.mails
    assert mailbox.recipients == ["ana@acme.com", "bob@acme.com"]
    assert taken["Subject"] == "Log cache: feed-s0: gap <!channel> & more"
    assert taken.get_content().splitlines() == [*MESSAGE.lines, MESSAGE.link]


def test_mail_is_never_sent_in_the_clear_or_to_an_unknown_server(tmp_path: Path) -> None:
    """A server without TLS, or with a certificate that nobody known signed, gets neither password nor mail."""
    authority = Authority(tmp_path)
    with running_mail_server() as (plain, port), pytest.raises(NotifierUnavailable, match="offers no TLS"):
        mail(port, tls="starttls").send(MESSAGE)
    with (
        running_mail_server(authority.sign("mail")) as (unknown, port),
        pytest.raises(NotifierUnavailable, match="TLS"),
    ):
        mail(port, tls="starttls", login=LOGIN).send(MESSAGE)

    assert plain.mails == unknown.mails == []


def test_mail_that_is_refused_says_why(tmp_path: Path) -> None:
    """A wrong login, addresses that do not exist, and no server."""
    authority = Authority(tmp_path)
    with running_mail_server(authority.sign("mail")) as (_, port), pytest.raises(NotifierError, match="535") as wrong:
        mail(port, tls="starttls", authority=authority.file, login="another").send(MESSAGE)
    with pytest.raises(NotifierUnavailable, match="does not answer"):
        mail(9).send(MESSAGE)

    assert PASSWORD not in str(wrong.value)


def test_the_file_of_the_home_has_every_message(tmp_path: Path) -> None:
    """One JSON object per line."""
    file = AlertFile(home=tmp_path)
    file.send(MESSAGE)
    file.send(MESSAGE)

    lines = [json.loads(line) for line in file.path.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["run:1", "run:1"]
    assert lines[0]["lines"] == list(MESSAGE.lines)


def test_a_heartbeat_is_a_file_and_a_call(tmp_path: Path, callee: Callee) -> None:
    """The file is written also when nobody answers the call."""
    heart = Heartbeat(home=tmp_path, url=Secret("the address of the heartbeat", callee.url))

    assert last_beat(tmp_path) is None
    heart.beat(NOON)
    callee.status = 500
    with pytest.raises(NotifierUnavailable, match="the address of the heartbeat answered with status 500"):
        heart.beat(NOON.replace(hour=13))

    assert last_beat(tmp_path) == NOON.replace(hour=13)
    assert callee.paths == ["/services/T0SECRET"] * 2
