"""Sends the messages that are due, each written down before it is sent and afterwards."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from logcache_assets.domain.alert_messages import Delivery, Message, due_messages, not_sent, sending, sent
from logcache_assets.domain.alerts import AlertBook
from logcache_assets.domain.wording import count_of
from logcache_assets.errors import LogCacheError
from logcache_assets.ports.notifier import Notifier

BUDGET_SECONDS = 30
"""No attempt begins later, because an evaluation of a sensor may take 60 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Sends messages over some channels.

    Attributes:
        notifiers: the channels.
        keep: stores the book.
        now: this computer's time.
        ends_at: by the monotonic clock; no attempt begins later.
    """

    notifiers: Sequence[Notifier]
    keep: Callable[[AlertBook], None]
    now: Callable[[], datetime]
    ends_at: float = field(default_factory=lambda: time.monotonic() + BUDGET_SECONDS)

    def tell(self, book: AlertBook) -> tuple[AlertBook, tuple[str, ...]]:
        """Send what is due; returns the book, and a sentence per channel that was used.

        A channel that fails is left alone until its next attempt is due; the others are not kept from theirs.
        """
        sentences: list[str] = []
        for notifier in self.notifiers:
            book, told = self._over(notifier, book)
            sentences += told
        return book, tuple(sentences)

    def _over(self, notifier: Notifier, book: AlertBook) -> tuple[AlertBook, list[str]]:
        done, failure = 0, ""
        for message in due_messages(book.messages, notifier.channel, now=self.now()):
            if time.monotonic() > self.ends_at:
                break
            book, failure = self._send(message.id, notifier, book)
            if failure:
                break
            done += 1
        told = [f"{count_of(done, 'message')} sent by {notifier.channel}"] if done else []
        return book, [*told, *([f"not sent by {notifier.channel}: {failure}"] if failure else [])]

    def _send(self, message_id: str, notifier: Notifier, book: AlertBook) -> tuple[AlertBook, str]:
        """Send one message; returns why that failed, or nothing."""
        channel = notifier.channel
        book = _with(book, message_id, channel, lambda found: sending(found, now=self.now()))
        self.keep(book)
        failure = ""
        try:
            notifier.send(_of(book, message_id))
        except LogCacheError as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001 - a defect of one channel must not silence the others
            failure = f"{type(error).__name__} in {channel}"
        ended = (lambda found: not_sent(found, failure)) if failure else (lambda found: sent(found, now=self.now()))
        book = _with(book, message_id, channel, ended)
        self.keep(book)
        return book, failure


def _of(book: AlertBook, message_id: str) -> Message:
    return next(message for message in book.messages if message.id == message_id)


def _with(book: AlertBook, message_id: str, channel: str, change: Callable[[Delivery], Delivery]) -> AlertBook:
    """The book with another delivery of a message."""
    messages = tuple(
        replace(found, deliveries={**found.deliveries, channel: change(found.deliveries[channel])})
        if found.id == message_id
        else found
        for found in book.messages
    )
    return replace(book, messages=messages)
