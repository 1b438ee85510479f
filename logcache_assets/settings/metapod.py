"""The settings of metapod, the metadata service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from logcache_assets.adapters.metapod.transport import RequestsTransports
from logcache_assets.settings.aws import AwsSettings
from logcache_assets.settings.secrets import variable_of

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Url = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s@]+(?:/\S*)?$",
        description="an address that begins with http:// or https://, without a name and a password in it",
    ),
]
"""Without a name and a password: it is shown."""
Page = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s@]+/\S*\{transaction\}\S*\Z",
        description="an address that begins with http:// or https://, without a name and a password, and has "
        "{transaction} in it",
    ),
]
FilePath = Annotated[str, msgspec.Meta(min_length=1)]


class MetapodSettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How metapod is asked."""

    metapod: Literal["local", "graphql"] = "local"
    """The local world's, or a server of GraphQL over HTTPS."""
    metapod_url: Url | None = None
    """Of the GraphQL endpoint."""
    metapod_token: str | None = None
    """Secret; sent as bearer token."""
    metapod_certificate: FilePath | None = None
    """PEM file of the client's certificate."""
    metapod_certificate_key: FilePath | None = None
    """PEM file of its key."""
    metapod_authority: FilePath | None = None
    """PEM file of the authorities that sign the server's certificate; default: the system's."""
    metapod_timeout_seconds: Annotated[int, msgspec.Meta(gt=0, le=600)] = 30
    """Of one attempt to ask, with its whole answer."""
    metapod_queries: FilePath | None = None
    """File of GraphQL with the queries `transaction` and `transactions`; default: those of the local world."""

    metapod_page: Page | None = None
    """Where a browser finds a transaction, `https://metapod.acme.example/transactions/{transaction}`."""

    def transaction_link(self, transaction: str) -> str | None:
        """The address of a transaction's page; None if nobody said where one is."""
        return self.metapod_page.replace("{transaction}", transaction) if self.metapod_page else None

    @property
    def metapod_queries_file(self) -> Path | None:
        """The absolute path of the deployment's own queries."""
        return Path(self.metapod_queries).absolute() if self.metapod_queries else None

    def find_metapod_faults(self) -> Iterator[str]:
        """Sentences that say which settings of metapod do not fit each other."""
        for given, other in (("certificate", "certificate_key"), ("certificate_key", "certificate")):
            if getattr(self, f"metapod_{given}") and not getattr(self, f"metapod_{other}"):
                yield (
                    f"{variable_of('metapod_' + other)} is not set, and {variable_of('metapod_' + given)} is: "
                    "a certificate is shown together with its key; set both or none"
                )
        url = urlsplit(self.metapod_url or "")
        if url.scheme == "http" and url.hostname not in _LOOPBACK and (self.metapod_token or self.metapod_certificate):
            yield (
                f"{variable_of('metapod_url')} begins with http://, so whoever listens would read the credentials; "
                "write https://"
            )

    @property
    def metapod_transports(self) -> RequestsTransports:
        """How metapod's server is reached."""
        certificate, key = self.metapod_certificate, self.metapod_certificate_key
        return RequestsTransports(
            url=self.metapod_url or "",
            token=self.secret("metapod_token") if self.metapod_token else None,
            client_certificate=(Path(certificate).absolute(), Path(key).absolute()) if certificate and key else None,
            authority=Path(self.metapod_authority).absolute() if self.metapod_authority else None,
            timeout_seconds=self.metapod_timeout_seconds,
        )
