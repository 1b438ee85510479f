"""The settings of alerts: whom to tell, and where people look."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import msgspec

from logcache_assets.adapters.alerts.calls import LOOPBACK
from logcache_assets.adapters.alerts.mail import MailServer, Tls
from logcache_assets.domain.plain_text import names_in
from logcache_assets.settings.sabesp import SabespSettings
from logcache_assets.settings.secrets import variable_of

Url = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s@]+(?:/\S*)?\Z",
        description="an address that begins with http:// or https://, without a name and a password in it",
    ),
]
"""Without a name and a password: it is shown."""
Addresses = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\s,@]+@[^\s,@]+(?: *, *[^\s,@]+@[^\s,@]+)*\Z",
        description="addresses of mail, separated by commas: ana@acme.example, rui@acme.example",
    ),
]
Address = Annotated[
    str, msgspec.Meta(pattern=r"^[^\s,@]+@[^\s,@]+\Z", description="an address of mail, such as logcache@acme.example")
]
Server = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?\Z",
        description="a host, or a host with its port: mail.acme.example:587",
    ),
]
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class AlertSettings(SabespSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people are told that something is wrong."""

    alert_webhook: str | None = None
    """Secret; the address of a webhook of Slack's form."""
    alert_mail_to: Addresses | None = None
    """Addresses that get mail."""
    alert_mail_from: Address | None = None
    """The address that sends it."""
    alert_mail_server: Server | None = None
    """Host, or host:port, where mail is handed in."""
    alert_mail_tls: Tls = "starttls"
    """`starttls`, `tls` from the first byte, or `none` for a server on this computer."""
    alert_mail_authority: str | None = None
    """PEM file of the authorities that sign the server's certificate; default: the system's."""
    alert_mail_login: str | None = None
    alert_mail_password: str | None = None
    """Secret."""
    alert_wait_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24
    """How long a refresh may wait for something before somebody is told."""
    heartbeat_url: str | None = None
    """Secret; an address that is called while the daemon lives."""
    dagit_url: Url | None = None
    """Where a browser finds Dagit; alerts link to its pages."""

    @property
    def alert_wait(self) -> timedelta:
        """How long a refresh may wait before somebody is told."""
        return timedelta(hours=self.alert_wait_hours)

    @property
    def mail_addresses(self) -> tuple[str, ...]:
        """The addresses that get mail."""
        return names_in(self.alert_mail_to or "")

    @property
    def mail_server(self) -> MailServer:
        """Where mail is handed in; raises BadInput later if the password's variable is not set."""
        host, _, port = (self.alert_mail_server or "localhost").partition(":")
        return MailServer(
            host=host,
            port=int(port or _PORTS[self.alert_mail_tls]),
            tls=self.alert_mail_tls,
            login=self.alert_mail_login,
            password=self.secret("alert_mail_password") if self.alert_mail_login else None,
            authority=self.alert_mail_authority,
        )

    def dagit_link(self, path: str) -> str:
        """The address of a page of Dagit; empty if nobody said where Dagit is."""
        return f"{self.dagit_url.rstrip('/')}/{path}" if self.dagit_url else ""

    def find_alert_faults(self) -> Iterator[str]:
        """Sentences that say which settings of alerts do not fit each other."""
        for setting in ("alert_mail_from", "alert_mail_server"):
            if self.alert_mail_to and not getattr(self, setting):
                yield f"{variable_of(setting)} is not set, and {variable_of('alert_mail_to')} is; set it"
        if self.alert_mail_password and not self.alert_mail_login:
            yield (
                f"{variable_of('alert_mail_login')} is not set, and {variable_of('alert_mail_password')} is; "
                "set both or none"
            )
        if self.alert_mail_tls == "none" and self.alert_mail_server and self.mail_server.host not in LOOPBACK:
            yield (
                f"{variable_of('alert_mail_tls')} is none, so whoever listens would read the mail; "
                "write starttls or tls"
            )
