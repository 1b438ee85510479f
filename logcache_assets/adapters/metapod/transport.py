"""How metapod is reached: HTTPS with a client's certificate or a bearer token, and no redirects.

requests and gql are imported inside functions: they cost half a second, and most commands never ask metapod.
"""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.adapters.secret import Secret
from logcache_assets.ports import MetapodDenied

if TYPE_CHECKING:
    from gql.transport import Transport
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter
    from requests.auth import AuthBase
    from urllib3 import HTTPResponse

TOLD_STATUSES = frozenset({401, 403, 404, 407, 429})
"""Refusals of a gateway as well as of metapod: the status tells more than the body."""
_PIECE_BYTES = 1 << 16
_REDIRECT = 300
_REFUSED = 400
_SERVER_FAULT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsTransports:
    """Makes a transport to a real metapod over HTTPS for each query; files are read each time, so they may be renewed.

    Attributes:
        url: of the GraphQL endpoint.
        token: sent as bearer token.
        client_certificate: certificate and key, PEM files.
        authority: PEM file of the authorities that sign the server's certificate; the system's by default.
        timeout_seconds: of one attempt, with its whole answer.
        retries: how often a connection that fails is tried again within one attempt.
    """

    url: str
    token: Secret | None = None
    client_certificate: tuple[Path, Path] | None = None
    authority: Path | None = None
    timeout_seconds: float = 30
    retries: int = 0

    @property
    def blanker(self) -> Blanker:
        """Blanks the token, and the password if the URL has one."""
        return Blanker([self.token.read_for_header()] if self.token else [], urls=[self.url])

    def __call__(self) -> "Transport":
        """Return a transport for one query, not yet connected; raises MetapodDenied if a file cannot be used."""
        from gql.transport.requests import RequestsHTTPTransport  # noqa: PLC0415 - see the module's docstring

        bearer = _bearer(self.token.read_for_header()) if self.token else None
        is_https = self.url.startswith("https:")
        adapter = https_adapter(self._tls() if is_https else None, self.timeout_seconds, self.retries)

        class Https(RequestsHTTPTransport):
            def connect(self) -> None:
                super().connect()  # type: ignore[no-untyped-call] # gql's
                assert self.session is not None  # noqa: S101 - as `connect` promises
                self.session.hooks["response"].append(_refuse_by_status)
                for scheme in ("http://", "https://"):
                    self.session.mount(scheme, adapter)

        return Https(
            self.url,
            auth=bearer,
            timeout=self.timeout_seconds,  # type: ignore[arg-type] # requests takes parts of a second
            json_deserialize=_object_of_json,
        )

    def _tls(self) -> ssl.SSLContext:
        context = _trusting(self.authority)
        if self.client_certificate is not None:
            _present(context, *self.client_certificate)
        return context


def _trusting(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ValueError) as error:
        raise MetapodDenied(
            f"the authorities in {authority} cannot be read ({_short(error)}); "
            "name a PEM file of certificates in LOGCACHE_METAPOD_AUTHORITY"
        ) from error


def _present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let the client show a certificate."""
    for file, variable in ((certificate, "CERTIFICATE"), (key, "CERTIFICATE_KEY")):
        try:
            file.read_bytes()
        except OSError as error:
            raise MetapodDenied(
                f"metapod cannot be asked: {file} cannot be read ({error.strerror}); "
                f"correct LOGCACHE_METAPOD_{variable}, or its rights"
            ) from error
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password=_refuse_encrypted)
    except _EncryptedKey as error:
        raise MetapodDenied(
            f"the key in {key} is encrypted, and nobody is asked for its passphrase; "
            "store it without one, readable by this user alone"
        ) from error
    except (OSError, ValueError) as error:
        mismatch = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
        why = (
            "do not belong together" if mismatch else f"are no PEM files of a certificate and its key ({_short(error)})"
        )
        raise MetapodDenied(
            f"{certificate} and {key} {why}; correct LOGCACHE_METAPOD_CERTIFICATE and LOGCACHE_METAPOD_CERTIFICATE_KEY"
        ) from error


class _EncryptedKey(Exception):
    """A key needs a passphrase."""


def _refuse_encrypted() -> NoReturn:
    raise _EncryptedKey


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__


def https_adapter(context: ssl.SSLContext | None, seconds: float, retries: int = 0) -> "HTTPAdapter":
    """What sends requests with a context of our own, and reads each whole answer within the seconds."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - see the module's docstring

    class OwnContext(HTTPAdapter):
        """Uses our context, and nothing else: requests would trust its own list of authorities, too."""

        # What is passed on is not looked at.
        def init_poolmanager(self, *arguments: object, **named: object) -> None:
            super().init_poolmanager(*arguments, ssl_context=context, **named)  # type: ignore[arg-type] # as above

        def proxy_manager_for(self, proxy: str, **named: Any) -> Any:  # noqa: ANN401 - requests' own
            return super().proxy_manager_for(proxy, ssl_context=context, **named)

        def cert_verify(self, *_arguments: object) -> None:
            """Leave the connection as the context says."""

        def send(self, request: "PreparedRequest", *arguments: object, **named: object) -> "Response":
            ends_at = time.monotonic() + seconds
            # Variables such as REQUESTS_CA_BUNDLE would name other authorities.
            response = super().send(request, *arguments, **{**named, "verify": True})  # type: ignore[arg-type] # as above
            try:
                response._content = b"".join(_pieces(response.raw, ends_at, seconds))  # noqa: SLF001 - as requests itself would
            except BaseException:
                # requests leaves the connection of a broken answer to the garbage collector.
                response.raw.close()
                raise
            return response

    return OwnContext(max_retries=retries)


def _pieces(raw: "HTTPResponse", ends_at: float, seconds: float) -> Iterator[bytes]:
    """The body as it arrives. Requests bounds the wait for each piece alone, so a body that drips would never end."""
    from requests import exceptions as failed  # noqa: PLC0415 - see the module's docstring
    from urllib3 import exceptions as broken  # noqa: PLC0415 - as above

    try:
        while piece := raw.read1(_PIECE_BYTES, decode_content=True):
            yield piece
            if time.monotonic() > ends_at:
                raise failed.ReadTimeout(f"the answer had not ended after {seconds:g} seconds")
    except broken.ReadTimeoutError as error:
        raise failed.ReadTimeout(str(error)) from error
    except broken.HTTPError as error:
        raise failed.ChunkedEncodingError(str(error)) from error


def _refuse_by_status(response: "Response", **_named: object) -> None:
    """Raise HTTPError for an answer whose status says all, before gql looks into its body or a redirect is followed."""
    from requests import HTTPError  # noqa: PLC0415 - see the module's docstring

    status = response.status_code
    if _REDIRECT <= status < _REFUSED or status in TOLD_STATUSES or status >= _SERVER_FAULT:
        raise HTTPError(str(status), response=response)


def _object_of_json(text: str) -> dict[str, object]:
    """Read an answer; gql takes every error that this function raises as an answer that is no JSON.

    gql itself fails on an answer that is a number, `true` or `null`, and Python's own reader accepts half surrogates.
    """
    answer = msgspec.json.decode(text)
    if not isinstance(answer, dict):
        raise TypeError(f"{type(answer).__name__} in place of an object")
    return answer


def requests_transport(  # noqa: PLR0913 - what a deployment sets
    url: str,
    *,
    token: str | None = None,
    token_variable: str | None = None,
    client_certificate: tuple[Path, Path] | None = None,
    authority: Path | None = None,
    timeout_seconds: int = 30,
    retries: int = 0,
) -> RequestsTransports:
    """Return what makes transports to a real metapod; `token_variable` is the variable that holds the token.

    A token that was given without its variable is never sent to another process.
    """
    return RequestsTransports(
        url=url,
        token=Secret("metapod's token", token, variable=token_variable) if token or token_variable else None,
        client_certificate=client_certificate,
        authority=authority,
        timeout_seconds=timeout_seconds,
        retries=retries,
    )


def _bearer(token: str) -> "AuthBase":
    from requests.auth import AuthBase  # noqa: PLC0415 - see the module's docstring

    class Bearer(AuthBase):
        """A plain header would lose against an entry of ~/.netrc for the same host."""

        def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
            request.headers["Authorization"] = f"Bearer {token}"
            return request

    return Bearer()
