"""What an error of a question to metapod means: the sentence, whether it may pass, and what to do.

An outage passes by itself and is asked again. A denial (credentials, certificates, the address) does not; a person must
act. Both say nothing of what metapod holds. Only a refusal of the query itself is an answer.
"""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from logcache_assets.ports import MetapodDenied, MetapodError, MetapodUnavailable, MetapodWrongData

_READ_CHARACTERS = 10_000
_TOO_MANY_REQUESTS = 429
_REDIRECT = range(300, 400)
_SERVER_FAULT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What went wrong."""

    kind: type[MetapodError]
    why: str
    """A clause; it may repeat the server's words."""
    remedy: str

    @property
    def did(self) -> str:
        """What metapod did with the query."""
        return "refused" if self.kind is MetapodWrongData else "did not answer"


_STATUSES = {
    401: (
        "401: it does not know who asks",
        "set LOGCACHE_METAPOD_TOKEN, or LOGCACHE_METAPOD_CERTIFICATE and its key, to credentials that are valid",
    ),
    403: ("403: whoever asks may not", "let metapod's owners allow these credentials to read transactions"),
    404: ("404: nothing is at this address", "correct LOGCACHE_METAPOD_URL"),
    407: ("407: a proxy wants credentials", "correct HTTPS_PROXY, or add metapod's host to NO_PROXY"),
}
_CODES = {
    "UNAUTHENTICATED": (MetapodDenied, _STATUSES[401][1]),
    "FORBIDDEN": (MetapodDenied, _STATUSES[403][1]),
    "INTERNAL_SERVER_ERROR": (MetapodUnavailable, "ask metapod's owners whether it is up, then run again"),
    "SERVICE_UNAVAILABLE": (MetapodUnavailable, "ask metapod's owners whether it is up, then run again"),
    "TIMEOUT": (MetapodUnavailable, "ask metapod's owners whether it is up, then run again"),
}
"""Codes of errors in answers, as GraphQL servers write them in `extensions`; others are refusals."""
_AGAIN = "check its address, the credentials and whether it is up, then run again"
_AUTHORITY = "name the PEM file of the authority that signs it in LOGCACHE_METAPOD_AUTHORITY"
_CERTIFICATES = (
    (10, "its certificate has expired", "let metapod's owners renew it, or set this computer's clock"),
    (9, "its certificate is not valid yet", "set this computer's clock, or let metapod's owners correct it"),
    (62, "its certificate is for another name", "write the name of the certificate into LOGCACHE_METAPOD_URL"),
    (64, "its certificate is for another address", "write the name of the certificate into LOGCACHE_METAPOD_URL"),
)
"""OpenSSL's codes for a server's certificate that is not accepted; all others say that nobody trusted signs it."""
_OWN_CERTIFICATE = "let metapod's owners issue one, and name it and its key in LOGCACHE_METAPOD_CERTIFICATE and …_KEY"
_ALERTS = (
    (r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE", "it wants a client's certificate, and accepts none of ours"),
    (r"CERTIFICATE_EXPIRED", "the client's certificate has expired"),
    (
        r"UNKNOWN_CA|BAD_CERT|CERTIFICATE_UNKNOWN|REVOKED|UNSUPPORTED_CERT|DENIED",
        "it does not accept the client's certificate",
    ),
)
"""Alerts with which a server ends the handshake."""


def find_fault(error: Exception) -> Fault:
    """What an error of gql or requests means."""
    if errors := getattr(error, "errors", None):
        return _of_answer(errors, str(error))
    response = getattr(error.__cause__, "response", None)
    status = getattr(error, "code", None) or getattr(response, "status_code", None)
    if status is not None:
        location = response.headers.get("Location", "") if response is not None else ""
        return _of_status(status, body=response.text if response is not None else str(error), location=location)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _of_tls(cause)
    return _of_connection(error)


def _of_answer(errors: object, text: str) -> Fault:
    """The first error of an answer; an answer with data and errors is no answer."""
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else None
    extensions = first.get("extensions") if isinstance(first, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    kind, remedy = _CODES.get(code, (MetapodWrongData, _AGAIN)) if isinstance(code, str) else (MetapodWrongData, _AGAIN)
    return Fault(kind=kind, why=str(message or text)[:_READ_CHARACTERS], remedy=remedy)


def _of_status(status: int, *, body: str, location: str) -> Fault:
    said = f" ({body[:_READ_CHARACTERS]})" if body.strip() else ""
    if status in _STATUSES:
        why, remedy = _STATUSES[status]
        return Fault(kind=MetapodDenied, why=f"{why}{said}", remedy=remedy)
    if status in _REDIRECT:
        target = re.sub(r"\?.*", "", location)
        return Fault(
            kind=MetapodDenied,
            why=f"{status}: it sends elsewhere, to {target or 'an address that it does not tell'}",
            remedy="correct LOGCACHE_METAPOD_URL, if it is not metapod's final address, or the credentials",
        )
    if status == _TOO_MANY_REQUESTS:
        return Fault(kind=MetapodUnavailable, why=f"429: it is asked too often{said}", remedy="run again later")
    if status >= _SERVER_FAULT:
        return Fault(kind=MetapodUnavailable, why=f"{status}{said}", remedy=_AGAIN)
    return Fault(kind=MetapodWrongData, why=f"{status}{said}", remedy=_AGAIN)


def _of_tls(error: ssl.SSLError) -> Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        for code, why, remedy in _CERTIFICATES:
            if error.verify_code == code:
                return Fault(kind=MetapodDenied, why=why, remedy=remedy)
        why = f"nobody whom we trust signs its certificate ({error.verify_message})"
        return Fault(kind=MetapodDenied, why=why, remedy=_AUTHORITY)
    reason = error.reason or ""
    for pattern, why in _ALERTS:
        if re.search(pattern, reason):
            return Fault(kind=MetapodDenied, why=f"{why} ({reason})", remedy=_OWN_CERTIFICATE)
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        why = "what answers at its address does not speak TLS"
        return Fault(kind=MetapodDenied, why=why, remedy="correct the port or the scheme in LOGCACHE_METAPOD_URL")
    return Fault(kind=MetapodUnavailable, why=f"TLS ended: {reason or error}", remedy=_AGAIN)


def _of_connection(error: Exception) -> Fault:
    from requests import exceptions as failed  # noqa: PLC0415 - half a second, and something failed already

    cause = error.__cause__
    if isinstance(cause, failed.Timeout):
        return Fault(
            kind=MetapodUnavailable,
            why=f"no answer in time: {cause}",
            remedy="ask metapod's owners whether it is up, or set LOGCACHE_METAPOD_TIMEOUT_SECONDS higher",
        )
    if any(isinstance(found, ConnectionResetError | BrokenPipeError) for found in _causes(error)):
        # A server that wants a client's certificate may end the connection before its alert is read.
        remedy = f"{_AGAIN}; where it wants a client's certificate, name one in LOGCACHE_METAPOD_CERTIFICATE"
        return Fault(kind=MetapodUnavailable, why=str(error)[:_READ_CHARACTERS], remedy=remedy)
    if isinstance(cause, failed.ConnectionError | failed.ChunkedEncodingError):
        return Fault(kind=MetapodUnavailable, why=str(error)[:_READ_CHARACTERS], remedy=_AGAIN)
    return Fault(kind=MetapodWrongData, why=str(error)[:_READ_CHARACTERS], remedy=_AGAIN)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors behind an error; urllib3 keeps some in `reason` or in the arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
