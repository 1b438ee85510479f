"""How AWS is reached: the one place that makes SDK sessions and clients.

An AwsAccess is a value that can be pickled; credentials are not in it. Each process, Spark's workers included, takes
its own from where the SDK finds them: variables, the profile, the machine's role. They are renewed by the SDK.
"""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.session import Session

POOL_CONNECTIONS = 64
"""Connections that a client keeps: as many as threads use it at once."""
_ASKED_EVERY_SECONDS = 300
"""The SDK renews credentials up to 15 minutes before they expire, so those it gives now hold that long."""
_ROLE_SESSION = "logcache"
_MAKING = RLock()
"""One thread at a time makes sessions and clients, as the SDK demands; clients are then used by all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """Profile, role, region, endpoint and retries, as Dagster's AWS resources have them."""

    profile: str | None = None
    """A profile of the SDK's configuration files; None for its own choice."""
    role_arn: str | None = None
    """A role that is assumed with the profile's credentials."""
    region: str | None = None
    """None for that of the environment or the profile."""
    endpoint_url: str | None = None
    """Of a server other than Amazon's; None for the service's own."""
    max_attempts: int = 10
    """How often a request is sent at most, the first time included; pauses grow, with jitter."""
    verify: bool | str = True
    """Whether certificates are verified, or the file of the authorities that are trusted."""

    def session(self) -> "Session":
        """The session of this process."""
        with _MAKING:
            return _session(self)

    def client(self, service: str) -> Any:  # noqa: ANN401 - clients are made from service descriptions when they run
        """The client of a service in this process, safe to use from several threads."""
        with _MAKING:
            return _client(self, service)

    def forget_credentials(self) -> None:
        """Take them anew for the next request: those of a file or a variable are never renewed by the SDK."""
        with _MAKING:
            _session.cache_clear()
            _client.cache_clear()

    def crt_credentials(self) -> Any:  # noqa: ANN401 - awscrt has no types
        """The session's current credentials, as Amazon's C client takes them for each request."""
        from awscrt.auth import AwsCredentials  # noqa: PLC0415 - 30 ms, and most commands never copy

        current = self._current()
        return AwsCredentials(current.access_key, current.secret_key, current.token)

    def require_credentials(self) -> None:
        """Raise the SDK's error if this process has no credentials."""
        self._current()

    def _current(self) -> Any:  # noqa: ANN401 - botocore has no types
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - with the SDK, where AWS is used

        credentials = self.session().get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return credentials.get_frozen_credentials()

    def polars_options(self) -> dict[str, str]:
        """The options with which polars reaches the service; credentials are asked for apart."""
        options = {"aws_region": self.session().region_name or "us-east-1"}
        if self.endpoint_url is not None:
            options |= {"aws_endpoint_url": self.endpoint_url.rstrip("/"), "aws_virtual_hosted_style_request": "false"}
            options |= {"aws_allow_http": "true"} if self.endpoint_url.startswith("http:") else {}
        return options

    def polars_credentials(self) -> "PolarsCredentials":
        """Gives polars the session's current credentials whenever it asks."""
        return PolarsCredentials(self)


@dataclass(frozen=True, slots=True)
class PolarsCredentials:
    """A credential provider of polars. It holds no credentials, so it can be shown and pickled."""

    access: AwsAccess

    def __call__(self) -> tuple[dict[str, str], int]:
        """The current credentials, and until when polars may use them before it asks again (seconds since 1970)."""
        current = self.access._current()  # noqa: SLF001 - of the same module
        given = {
            "aws_access_key_id": current.access_key,
            "aws_secret_access_key": current.secret_key,
            "aws_session_token": current.token,
        }
        return {name: value for name, value in given.items() if value}, int(time.time()) + _ASKED_EVERY_SECONDS


@cache
def _session(access: AwsAccess) -> "Session":
    import boto3  # noqa: PLC0415 - half a second, spent only where AWS is used
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - as above

    # Of Amazon's SDKs boto3 alone does not read AWS_REGION, which its own servers set.
    region = access.region or os.environ.get("AWS_REGION")
    base = boto3.Session(profile_name=access.profile, region_name=region)
    if base.get_credentials() is None:
        # Now, because a client that was made without them would never look for them again.
        raise NoCredentialsError
    if access.role_arn is not None:
        base = boto3.Session(botocore_session=_in_role(base, access), region_name=base.region_name)
    # Otherwise half of the time of a long listing goes into guessing the format of timestamps.
    parsers = base._session.get_component("response_parser_factory")  # noqa: SLF001 - boto3 has no way to it
    parsers.set_parser_defaults(timestamp_parser=parse_instant)
    return base


def parse_instant(value: Any) -> datetime:  # noqa: ANN401 - as answers of AWS have it: a text or a number
    """An instant in an answer of AWS: at once if it is ISO-8601, otherwise as the SDK reads it."""
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - with the SDK, where AWS is used

    try:
        instant: datetime = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = parse_timestamp(value)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _in_role(base: "Session", access: AwsAccess) -> Any:  # noqa: ANN401 - botocore has no types
    """A session with the role's credentials, which are taken when first needed and renewed before they expire."""
    from botocore.credentials import (  # noqa: PLC0415 - as above
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )
    from botocore.session import get_session  # noqa: PLC0415 - as above

    source = base._session  # noqa: SLF001 - boto3 offers no other way to a client creator
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=source.create_client,
        source_credentials=base.get_credentials(),
        role_arn=access.role_arn,
        extra_args={"RoleSessionName": _ROLE_SESSION},
    )
    session = get_session()
    session._credentials = DeferredRefreshableCredentials(  # noqa: SLF001 - as above
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return session


@cache
def _client(access: AwsAccess, service: str) -> Any:  # noqa: ANN401 - as AwsAccess.client
    from botocore.config import Config  # noqa: PLC0415 - as above

    config = Config(
        # Not `adaptive`: it slows down for minutes after a few refusals.
        retries={"mode": "standard", "total_max_attempts": access.max_attempts},
        max_pool_connections=POOL_CONNECTIONS,
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="logcache",
        s3={"addressing_style": "path" if access.endpoint_url else "auto"},
    )
    return access.session().client(service, config=config, endpoint_url=access.endpoint_url, verify=access.verify)
