"""Sends requests through awscrt, Amazon's client in C, with the SDK session's credentials.

boto3 costs 2 ms of the processor for a request, this client a quarter of it. So copies and reads of whole objects, of
which there are thousands, go this way (docs/decisions/0010-copies-in-c.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import quote, urlsplit

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_errors import Reply
from logcache_assets.adapters.aws.s3_objects import split_object

_TARGET_GBPS = 100
"""Sets how many connections the client may open; those of small objects are many."""
_MEMORY_BYTES = 1 << 30
"""The least limit that the client takes; copies need none of it."""
_RETRIES = 8
_PATIENT_TOKENS = 100_000
"""The client stops repeating when so many requests failed; the default of 500 is used up by a busy minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request about one object."""

    operation: str
    method: str
    uri: str
    headers: Sequence[tuple[str, str]]


class CrtClient:
    """Sends requests for one way to reach S3, in this process.

    Args:
        access: how S3 is reached.
        at_once: how many connections are used.
    """

    def __init__(self, access: AwsAccess, at_once: int) -> None:
        from awscrt.auth import AwsCredentialsProvider  # noqa: PLC0415 - 30 ms, and most commands never copy
        from awscrt.s3 import S3Client, S3RequestTlsMode, S3RetryConfig, create_default_s3_signing_config  # noqa: PLC0415

        client = access.client("s3")
        self._endpoint = urlsplit(client.meta.endpoint_url)
        self._path_style = access.endpoint_url is not None
        region = client.meta.region_name or "us-east-1"
        credentials = AwsCredentialsProvider.new_delegate(access.crt_credentials)
        self._client = S3Client(
            region=region,
            tls_mode=S3RequestTlsMode.ENABLED if self._endpoint.scheme == "https" else S3RequestTlsMode.DISABLED,
            signing_config=create_default_s3_signing_config(region=region, credential_provider=credentials),
            throughput_target_gbps=_TARGET_GBPS,
            memory_limit=_MEMORY_BYTES,
            max_active_connections_override=at_once,
            connect_timeout_ms=10_000,
            retry_config=S3RetryConfig(
                max_retries=_RETRIES,
                backoff_scale_factor_ms=100,
                max_backoff_secs=5,
                initial_bucket_capacity=_PATIENT_TOKENS,
            ),
        )

    def send(self, asked: Request, done: Callable[[Reply], None]) -> None:
        """Send a request; `done` is called with its reply in a thread of the client."""
        from awscrt.http import HttpHeaders, HttpRequest  # noqa: PLC0415 - as above
        from awscrt.s3 import S3RequestType  # noqa: PLC0415 - as above

        bucket, key = split_object(asked.uri)
        host, path = self._address(bucket, key)
        listener = _Listener(done)
        self._client.make_request(
            type=S3RequestType.DEFAULT,
            operation_name=asked.operation,
            request=HttpRequest(asked.method, path, HttpHeaders([("host", host), *asked.headers])),
            on_headers=listener.on_headers,
            on_body=listener.on_body,
            on_done=listener.on_done,
        )

    def _address(self, bucket: str, key: str) -> tuple[str, str]:
        """Host and path: the bucket is part of the host unless that could not have a certificate."""
        if self._path_style or "." in bucket:
            return self._endpoint.netloc, f"/{bucket}/{encoded(key)}"
        return f"{bucket}.{self._endpoint.netloc}", f"/{encoded(key)}"


def encoded(key: str) -> str:
    """A key as it stands in a URL."""
    return quote(key, safe="/~")


@dataclass(slots=True)
class _Listener:
    """Collects the answer to one request."""

    done: Callable[[Reply], None]
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)

    def on_headers(self, status_code: int, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = status_code, {name.lower(): value for name, value in headers}

    def on_body(self, chunk: bytes, offset: int) -> None:  # noqa: ARG002 - the client's signature
        self.body.append(bytes(chunk))

    def on_done(self, *, error: Exception | None, **about: Any) -> None:  # noqa: ANN401 - the client's signature
        """Called once, whatever happened."""
        status, body = about.get("status_code") or self.status, b"".join(self.body)
        if error is None:
            self.done(Reply(status=status, headers=self.headers, body=body))
            return
        headers = {name.lower(): value for name, value in about.get("error_headers") or ()}
        answered = about.get("error_headers") is not None
        self.done(
            Reply(
                status=status if answered else None,
                headers=headers or self.headers,
                body=about.get("error_body") or body,
                failure=getattr(error, "name", type(error).__name__),
            )
        )


def crt_client(access: AwsAccess, at_once: int) -> CrtClient:
    """The client of this process; threads that need the first one at once wait for the same."""
    with _MAKING:
        return _client(access, at_once)


_client = cache(CrtClient)
_MAKING = Lock()
