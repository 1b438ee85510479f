"""Sends messages to a webhook of Slack's form: Slack, Mattermost, Rocket.Chat, Google Chat and others take it."""

from dataclasses import dataclass

from typing_extensions import override

from logcache_assets.adapters.alerts.calls import call, is_safe
from logcache_assets.adapters.secret import Secret
from logcache_assets.domain.alert_messages import Message
from logcache_assets.ports.notifier import Notifier, NotifierWrongData


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Notifier):
    """One webhook.

    Attributes:
        url: its address, which is all that is needed to use it.
        sender: how a message begins.
        seconds: how long an attempt may take.
    """

    url: Secret
    sender: str
    seconds: float = 10

    @property
    @override
    def channel(self) -> str:
        return "webhook"

    @override
    def send(self, message: Message) -> None:
        call(self.url, body={"text": text_of(message, self.sender)}, seconds=self.seconds)

    @override
    def probe(self) -> str:
        if not is_safe(self.url.read()):
            raise NotifierWrongData(f"{self.url.what} does not begin with https://; correct LOGCACHE_ALERT_WEBHOOK")
        return "an address over https; nothing was sent to it"


def text_of(message: Message, sender: str) -> str:
    """The text in Slack's markup, where only `&`, `<` and `>` have a meaning that must be escaped."""
    heading = f"*{escaped(sender)}: {escaped(message.subject)}*"
    link = [f"<{message.link}>"] if message.link else []
    return "\n".join([heading, *map(escaped, message.lines), *link])


def escaped(text: str) -> str:
    """The text without Slack's markup: `<!channel>` in it calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
