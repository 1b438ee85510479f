"""What an error of the AWS SDK means: whether asking again may help, what was found, and what to do.

This is what all services share: credentials, permission, region, network, too many requests. An adapter says itself
what its service's own errors mean, and gives what this module finds the port's error. Messages leave out what a
signature's error repeats: the request's headers, a session token among them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.domain.plain_text import shortened

NETWORK_REMEDY = "check the network, the region and the endpoint, then run again"
SIGN_IN = "sign in again or renew them, then run again"

_BUSY = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
_BADLY_SIGNED = frozenset(
    {
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"})
_OF_SESSIONS = {"AssumeRole": "sts:AssumeRole", "GetRoleCredentials": "sso:GetRoleCredentials"}
"""Operation by which the SDK takes credentials → its action."""
_SERVER_FAULT = 500
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsFault:
    """What an error means."""

    is_outage: bool
    """Nothing is known, and the same request may succeed later."""
    found: str
    remedy: str


_BY_KIND: Mapping[str, tuple[bool, str, str]] = {
    "NoCredentialsError": (
        True,
        "no AWS credentials were found",
        "sign in (for example `aws sso login`), or set LOGCACHE_AWS_PROFILE or AWS's own variables",
    ),
    "PartialCredentialsError": (False, "the AWS credentials are incomplete ({})", "complete them"),
    "CredentialRetrievalError": (True, "no AWS credentials could be taken ({})", SIGN_IN),
    "MetadataRetrievalError": (True, "no AWS credentials could be taken ({})", SIGN_IN),
    "SSOError": (True, "the AWS sign-in is no longer valid ({})", SIGN_IN),
    "LoginError": (True, "the AWS sign-in is no longer valid ({})", SIGN_IN),
    "TokenRetrievalError": (True, "the AWS sign-in is no longer valid ({})", SIGN_IN),
    "ProfileNotFound": (False, "{}", "correct LOGCACHE_AWS_PROFILE or AWS_PROFILE, or add that profile"),
    "NoRegionError": (False, "no AWS region is known", "set LOGCACHE_AWS_REGION"),
    "InvalidRegionError": (False, "{}", "correct LOGCACHE_AWS_REGION"),
    "SSLError": (False, "the server's certificate is not trusted ({})", "correct the endpoint, or trust its authority"),
    "ConnectionError": (True, "{}", NETWORK_REMEDY),
    "HTTPClientError": (True, "{}", NETWORK_REMEDY),
    "IncompleteReadError": (True, "the answer was cut short ({})", NETWORK_REMEDY),
    "ChecksumError": (True, "the answer was damaged on its way ({})", NETWORK_REMEDY),
    "ResponseParserError": (True, "the answer cannot be read ({})", NETWORK_REMEDY),
    "BotoCoreError": (False, "{}", "correct the settings of AWS"),
}
"""Name of an error's class → is_outage, found (with the error's own words), remedy."""


def sdk_errors() -> tuple[type[Exception], ...]:
    """Every error that the SDK raises."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second, where AWS is used
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

    return ClientError, BotoCoreError, ResponseParserError


def code_of(error: Exception) -> str:
    """The service's code of an error, for example `AccessDenied`; empty if the service did not answer."""
    answer = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))


def is_expired(error: Exception) -> bool:
    """True if the credentials have expired; new ones may lie where the old ones were taken from."""
    return code_of(error) in _EXPIRED


def words_of(error: Exception, *, endpoint_url: str | None = None) -> str:
    """The words of an error, short and without secrets."""
    answer = getattr(error, "response", None)
    text = str(answer.get("Error", {}).get("Message") or error) if answer else str(error)
    of_environment, of_endpoint = Blanker.of_environment(os.environ), Blanker(urls=[endpoint_url or ""])
    return shortened(of_endpoint(of_environment(text)).rstrip(". \n"))


def find_fault(
    error: Exception, *, service: str, actions: Mapping[str, str] | None = None, endpoint_url: str | None = None
) -> AwsFault:
    """What an error of the SDK means.

    Args:
        error: one of `sdk_errors()`.
        service: that was asked, as its actions begin in a policy.
        actions: operation → action that a policy must allow for it, where that is not `service:operation`.
        endpoint_url: whose password is not told.
    """
    words = words_of(error, endpoint_url=endpoint_url)
    if code_of(error):
        operation = getattr(error, "operation_name", "")
        own = {**_OF_SESSIONS, **(actions or {})}
        return _answered(error, words, own.get(operation, f"{service}:{operation}"))
    named = (_BY_KIND[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _BY_KIND)
    is_outage, found, remedy = next(named, (False, "{}", "correct the settings of AWS"))
    return AwsFault(is_outage=is_outage, found=found.format(words), remedy=remedy)


def _answered(error: Exception, words: str, action: str) -> AwsFault:
    """What a refusal of the service means."""
    code, answer = code_of(error), getattr(error, "response", {})
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if is_expired(error):
        return AwsFault(is_outage=True, found=f"the AWS credentials have expired ({code})", remedy=SIGN_IN)
    if code in _UNKNOWN:
        remedy = "check which account and profile they are of, and sign in again"
        return AwsFault(is_outage=False, found=f"the AWS credentials are not known ({code})", remedy=remedy)
    if code in _BADLY_SIGNED:
        remedy = "correct the secret key, or set this computer's clock"
        return AwsFault(is_outage=False, found=f"the request's signature is refused ({code})", remedy=remedy)
    if code in _DENIED:
        return AwsFault(is_outage=False, found=f"{action} is not allowed ({words})", remedy=f"allow {action} there")
    if code in _BUSY or status == _TOO_MANY_REQUESTS:
        return AwsFault(
            is_outage=True, found=f"too many requests ({code})", remedy="run again later, or raise the service's limits"
        )
    return AwsFault(
        is_outage=status >= _SERVER_FAULT,
        found=f"{code}: {words}",
        remedy="run again later" if status >= _SERVER_FAULT else "correct the settings of AWS",
    )
