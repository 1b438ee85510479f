"""Whom alerts are sent to."""

from abc import ABC, abstractmethod

from logcache_assets.domain.alert_messages import Message
from logcache_assets.errors import LogCacheError, Unavailable, WrongData


class NotifierError(LogCacheError):
    """Base of a notifier's errors; one of its subclasses is raised, and its message shows no secret."""


class NotifierUnavailable(NotifierError, Unavailable):
    """The message was not taken; it may be the next time."""


class NotifierWrongData(NotifierError, WrongData):
    """The channel cannot be used as it is configured."""


class Notifier(ABC):
    """One channel. A message that it takes reaches people; it may have been taken also when an error is raised."""

    @property
    @abstractmethod
    def channel(self) -> str:
        """What the channel is called: `webhook`, `mail`."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Hand over a message, within seconds; raises NotifierError."""

    @abstractmethod
    def probe(self) -> str:
        """What can be found out about the channel without telling anybody; raises NotifierError."""
