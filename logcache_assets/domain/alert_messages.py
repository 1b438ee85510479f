"""The messages of alerts: their words, and which was sent where; adapters/alerts sends them.

A message is sent at least once to each channel. It is written down before it is sent and again afterwards, so a process
that is killed between both repeats it once, and no more.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from logcache_assets.domain.documents import Document
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.wording import count_of, sentence_of

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
"""Between two attempts to send."""
GIVEN_UP = timedelta(days=7)
"""A message that could not be sent for so long is not sent any more."""
SENT_AGAIN = 1
"""How often a message is repeated because a process was killed while it was sent."""
NAMED = 5
"""How many causes a message names."""


class Told(Protocol):
    """What a message tells of an accident."""

    @property
    def group(self) -> str: ...  # noqa: D102 - of domain.alerts.Accident
    @property
    def keys(self) -> tuple[str, ...]: ...  # noqa: D102 - as above
    @property
    def cause(self) -> str: ...  # noqa: D102 - as above
    @property
    def since(self) -> datetime: ...  # noqa: D102 - as above
    @property
    def remedy(self) -> str: ...  # noqa: D102 - as above
    @property
    def link(self) -> str: ...  # noqa: D102 - as above


class Delivery(Document, frozen=True, kw_only=True):
    """The way of a message to one channel."""

    attempts: int = 0
    began_at: datetime | None = None
    """When the last attempt began."""
    is_sending: bool = False
    """An attempt began and its end is not known: it goes on, or its process was killed."""
    interrupted: int = 0
    """How many attempts ended so."""
    sent_at: datetime | None = None
    failure: str = ""
    """Why the last attempt failed."""


class Message(Document, frozen=True, kw_only=True):
    """What is told, and to whom."""

    id: str
    made_at: datetime
    subject: str
    """One line."""
    lines: tuple[str, ...]
    link: str = ""
    is_end: bool = False
    """It tells that all is well again."""
    deliveries: dict[str, Delivery]
    """By channel."""


def message_of_alert(told: Told, *, is_over: bool, now: datetime, channels: Collection[str]) -> Message:
    """The message of an accident that begins; `is_over` if it has ended already."""
    lines = [
        sentence_of(told.cause),
        f"Since: {told.since:%Y-%m-%d %H:%M} UTC" + (", and over by now" if is_over else ""),
        f"What to do: {'nothing more; ' if is_over else ''}{told.remedy}",
    ]
    return Message(
        id=told.keys[0],
        made_at=now,
        subject=shortened(told.cause, 120),
        lines=tuple(lines),
        link=told.link,
        deliveries={channel: Delivery() for channel in channels},
    )


def message_of_end(causes: Sequence[str], *, now: datetime, channels: Collection[str]) -> Message:
    """The message that nothing goes on any more of what was told."""
    more = len(causes[NAMED:])
    lines = [f"Over is: {cause}" for cause in causes[:NAMED]]
    return Message(
        id=f"well:{now.isoformat()}",
        made_at=now,
        subject="All is well again",
        lines=(*map(sentence_of, lines), *([f"And {count_of(more, 'more accident')}."] if more else [])),
        is_end=True,
        deliveries={channel: Delivery() for channel in channels},
    )


def message_of_test(now: datetime) -> Message:
    """A message that tells nothing but that messages arrive."""
    return Message(
        id=f"test:{now.isoformat()}",
        made_at=now,
        subject="A test of alerts",
        lines=("`logcache doctor --write` sent this message. Nothing is wrong, and nothing is to be done.",),
        deliveries={},
    )


def due_messages(messages: Sequence[Message], channel: str, *, now: datetime) -> Iterator[Message]:
    """The messages that must be sent to a channel now, oldest first; none after one that waits for its next attempt.

    Then a message never overtakes an earlier one.
    """
    for message in messages:
        delivery = message.deliveries.get(channel)
        if delivery is None or delivery.sent_at or is_given_up(message, delivery, now):
            continue
        if delivery.is_sending and delivery.interrupted >= SENT_AGAIN:
            continue
        if _waits(delivery, now):
            return
        yield message


def is_given_up(message: Message, delivery: Delivery, now: datetime) -> bool:
    """True if a message could not be sent for too long."""
    return delivery.sent_at is None and now - message.made_at > GIVEN_UP


def _waits(delivery: Delivery, now: datetime) -> bool:
    """True between two attempts to send."""
    if delivery.began_at is None or delivery.is_sending:
        return False
    return now < delivery.began_at + min(FIRST_PAUSE * (1 << min(delivery.attempts - 1, 10)), LONGEST_PAUSE)


def sending(delivery: Delivery, *, now: datetime) -> Delivery:
    """The delivery while an attempt goes on."""
    return replace(
        delivery,
        attempts=delivery.attempts + 1,
        began_at=now,
        is_sending=True,
        interrupted=delivery.interrupted + delivery.is_sending,
    )


def sent(delivery: Delivery, *, now: datetime) -> Delivery:
    """The delivery after an attempt that went well."""
    return replace(delivery, is_sending=False, sent_at=now, failure="")


def not_sent(delivery: Delivery, failure: str) -> Delivery:
    """The delivery after an attempt that failed."""
    return replace(delivery, is_sending=False, failure=failure)
