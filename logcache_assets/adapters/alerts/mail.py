"""Sends messages by mail, over TLS. smtplib and email are imported inside functions: most commands never send mail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from logcache_assets.adapters.alerts.calls import kind_of
from logcache_assets.adapters.alerts.time_limit import within
from logcache_assets.adapters.secret import Secret
from logcache_assets.domain.alert_messages import Message
from logcache_assets.ports.notifier import Notifier, NotifierUnavailable

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in, and by whom."""

    host: str
    port: int
    tls: Tls
    """`starttls` begins in the clear and refuses to go on so; `none` is for a server on this computer."""
    login: str | None = None
    password: Secret | None = None
    authority: str | None = None
    """PEM file of the authorities that sign the server's certificate; default: the system's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail(Notifier):
    """Mail to a few addresses."""

    server: MailServer
    sender: str
    """How a subject begins."""
    from_address: str
    to_addresses: tuple[str, ...]
    seconds: float = 15
    """How long an attempt may take."""

    @property
    @override
    def channel(self) -> str:
        return "mail"

    @override
    def send(self, message: Message) -> None:
        mail = self._mail(message)

        def hand_in() -> None:
            with self._connected() as client:
                client.send_message(mail)

        self._ask(hand_in)

    @override
    def probe(self) -> str:
        def greet() -> None:
            with self._connected() as client:
                client.noop()

        self._ask(greet)
        signed_in = f", signed in as {self.server.login}" if self.server.login else ""
        return f"{self.server.host}:{self.server.port} answers{signed_in}; no mail was sent"

    def _ask(self, question: "object") -> None:
        import smtplib  # noqa: PLC0415 - see the module's docstring

        place = f"the mail server {self.server.host}:{self.server.port}"
        try:
            within(self.seconds, question)  # type: ignore[arg-type] # a function without parameters
        except smtplib.SMTPResponseException as error:
            raise NotifierUnavailable(f"{place} answered with status {error.smtp_code}; it is tried again") from None
        except smtplib.SMTPRecipientsRefused as error:
            refused = ", ".join(sorted(error.recipients))
            raise NotifierUnavailable(f"{place} takes no mail for {refused}; correct LOGCACHE_ALERT_MAIL_TO") from None
        except smtplib.SMTPNotSupportedError:
            raise NotifierUnavailable(
                f"{place} offers no TLS or no login; correct LOGCACHE_ALERT_MAIL_TLS, or the port"
            ) from None
        except (OSError, ValueError, smtplib.SMTPException) as error:
            raise NotifierUnavailable(f"{place} does not answer ({kind_of(error)}); it is tried again") from None

    @contextmanager
    def _connected(self) -> "Iterator[smtplib.SMTP]":
        import smtplib  # noqa: PLC0415 - see the module's docstring
        import ssl  # noqa: PLC0415 - as above

        server = self.server
        context = ssl.create_default_context(cafile=server.authority)
        if server.tls == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self.seconds, context=context)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=self.seconds)
        with client:
            if server.tls == "starttls":
                client.starttls(context=context)
            if server.login and server.password:
                client.login(server.login, server.password.read())
            yield client

    def _mail(self, message: Message) -> "EmailMessage":
        from email.message import EmailMessage  # noqa: PLC0415 - see the module's docstring
        from email.utils import format_datetime, make_msgid  # noqa: PLC0415 - as above

        mail = EmailMessage()
        mail["Subject"] = f"{self.sender}: {message.subject}"
        mail["From"] = self.from_address
        mail["To"] = ", ".join(self.to_addresses)
        mail["Date"] = format_datetime(message.made_at)
        mail["Message-ID"] = make_msgid(domain=self.from_address.rpartition("@")[2] or None)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join([*message.lines, *([message.link] if message.link else [])]) + "\n")
        return mail
