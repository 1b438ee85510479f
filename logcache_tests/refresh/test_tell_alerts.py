"""Messages are sent by each channel on its own, and a process that is killed meanwhile repeats one at most once."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from logcache_assets.domain.alert_messages import Message
from logcache_assets.domain.alerts import Alert, AlertBook, note
from logcache_assets.ports.notifier import Notifier, NotifierUnavailable
from logcache_assets.refresh.tell_alerts import Teller

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class KilledError(BaseException):
    """The process ends where this is raised."""


@dataclass
class Listener(Notifier):
    """Takes messages, and then raises what it is told to."""

    name: str
    fault: BaseException | None = None
    taken: list[str] = field(default_factory=list)

    @property
    @override
    def channel(self) -> str:
        return self.name

    @override
    def send(self, message: Message) -> None:
        if not isinstance(self.fault, Exception):
            self.taken.append(message.id)
        if self.fault:
            raise self.fault

    @override
    def probe(self) -> str:
        return "listens"


def book_of_two() -> AlertBook:
    """Two accidents that nobody was told of."""
    alerts = [
        Alert(key=key, group=key, cause=f"{key} happened", since=NOON, remedy="look") for key in ("run:1", "check:1")
    ]
    return note(AlertBook(began_at=NOON), alerts, now=NOON, channels=["webhook", "mail"])


def test_a_channel_that_fails_keeps_no_other_from_its_messages() -> None:
    """A refusal, and a defect of the channel's own, whose words are not repeated."""
    mail = Listener("mail")
    for fault, told in (
        (NotifierUnavailable("it answered with status 500"), "not sent by webhook: it answered with status 500"),
        (ZeroDivisionError("a secret"), "not sent by webhook: ZeroDivisionError in webhook"),
    ):
        mail.taken.clear()
        teller = Teller(notifiers=[Listener("webhook", fault), mail], keep=lambda _book: None, now=lambda: NOON)

        _, sentences = teller.tell(book_of_two())

        assert sentences == (told, "2 messages sent by mail")
        assert mail.taken == ["run:1", "check:1"]


def test_a_killed_process_repeats_a_message_once() -> None:
    """It was taken, and that could not be written down; after a second such death it counts as told."""
    kept = [book_of_two()]
    webhook = Listener("webhook", KilledError())
    for _ in range(2):
        with pytest.raises(KilledError):
            Teller(notifiers=[webhook], keep=kept.append, now=lambda: NOON).tell(kept[-1])
    webhook.fault = None

    Teller(notifiers=[webhook], keep=kept.append, now=lambda: NOON).tell(kept[-1])
    Teller(notifiers=[webhook], keep=kept.append, now=lambda: NOON).tell(kept[-1])

    assert webhook.taken == ["run:1", "run:1", "check:1"]


def test_no_attempt_begins_when_the_time_is_over() -> None:
    """An evaluation of a sensor has an end."""
    webhook = Listener("webhook")

    book, sentences = Teller(notifiers=[webhook], keep=lambda _book: None, now=lambda: NOON, ends_at=0).tell(
        book_of_two()
    )

    assert (webhook.taken, sentences) == ([], ())
    assert book == book_of_two()
