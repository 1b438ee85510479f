"""One request over HTTP. requests is imported inside functions: it costs half a second."""

import ssl
from urllib.parse import urlsplit

from logcache_assets.adapters.alerts.time_limit import within
from logcache_assets.adapters.secret import Secret
from logcache_assets.ports.notifier import NotifierUnavailable, NotifierWrongData

_TAKEN = 200
_REDIRECT = 300
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_safe(url: str) -> bool:
    """True if nobody can read an address on its way, which is all that is needed to use it."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def call(url: Secret, *, body: dict[str, str] | None, seconds: float) -> None:
    """Post a body as JSON, or get an address; the answer's status alone is looked at.

    Args:
        url: what is called; it is never told.
        body: posted if there is one.
        seconds: for the whole of it.

    Raises:
        NotifierUnavailable: no answer, or one that is no success.
        NotifierWrongData: the address cannot be used.
    """
    address = url.read()
    if not is_safe(address):
        raise NotifierWrongData(f"{url.what} does not begin with https://, so whoever listens could use it; correct it")
    try:
        status = _status_of(address, body, seconds)
    except (OSError, ValueError) as error:
        raise NotifierUnavailable(f"{url.what} does not answer ({kind_of(error)}); it is tried again") from None
    if status >= _REDIRECT or status < _TAKEN:
        raise NotifierUnavailable(f"{url.what} answered with status {status}; it is tried again")


def kind_of(error: Exception) -> str:
    """What kind of error it is: its text would show the address."""
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause.reason or type(cause).__name__}"
    return (isinstance(cause, OSError) and cause.strerror) or type(error).__name__


def _status_of(address: str, body: dict[str, str] | None, seconds: float) -> int:
    import requests  # noqa: PLC0415 - see the module's docstring

    def ask() -> int:
        method = "GET" if body is None else "POST"
        with requests.request(
            method,
            address,
            json=body,
            timeout=seconds,
            allow_redirects=False,
            stream=True,
            auth=lambda request: request,  # an entry of ~/.netrc is not for this server
        ) as answer:
            return int(answer.status_code)

    return within(seconds, ask)
