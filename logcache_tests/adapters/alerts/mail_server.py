"""A mail server on loopback, with TLS and a login."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from logcache_tests.servers.certificates import Certificate

LOGIN, PASSWORD = "logcache", "a pass-word of its own"


class Mailbox:
    """Keeps the mail that was handed in; refuses recipients whose name begins with `nobody`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_RCPT(  # noqa: N802 - the library's
        self,
        _server: object,
        _session: object,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take a recipient, or not."""
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a mail."""
        self.recipients += envelope.rcpt_tos
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def _authenticated(_server: object, _session: object, _envelope: object, _how: str, given: object) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and given == LoginPassword(LOGIN.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


def _free_port() -> int:
    """The library cannot ask for any port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running_mail_server(certificate: Certificate | None = None) -> Iterator[tuple[Mailbox, int]]:
    """A server during the block, with its port; with a certificate it demands TLS and a login."""
    mailbox = Mailbox()
    options: dict[str, Any] = {}
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.file, certificate.key)
        options = {
            "tls_context": context,
            "require_starttls": True,
            "authenticator": _authenticated,
            "auth_required": True,
        }
    controller = Controller(mailbox, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()
