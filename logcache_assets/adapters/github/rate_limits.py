"""Whether GitHub refused because too much was asked, and when it may be asked again; pure.

Source: "Rate limits for the REST API" and "Best practices for using the REST API" of GitHub's documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_TOO_MANY_REQUESTS = 429
_LIMITING = frozenset({403, _TOO_MANY_REQUESTS})
_SECONDARY_SECONDS = 60.0
"""How long to wait where the answer does not say."""
_PRIMARY = "api rate limit exceeded"
_SECONDARY = ("secondary rate limit", "abuse detection mechanism", "please wait a few minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A limit that was reached."""

    seconds: float
    """After which GitHub may be asked again."""
    is_primary: bool
    """Whether the hour's requests are used up; if not, too many came at once."""


def find_rate_limit(status: int, headers: Mapping[str, str], message: str, *, now: datetime) -> RateLimit | None:
    """The limit that made GitHub refuse a request; None if it refused for another reason.

    Args:
        status: of the answer.
        headers: of the answer, in lower case.
        message: of the answer.
        now: this computer's time.
    """
    said = message.lower()
    is_primary = said.startswith(_PRIMARY)
    is_secondary = any(words in said for words in _SECONDARY) or "retry-after" in headers
    if status not in _LIMITING or not (is_primary or is_secondary or status == _TOO_MANY_REQUESTS):
        return None
    return RateLimit(seconds=_seconds(headers, now=now), is_primary=is_primary)


def _seconds(headers: Mapping[str, str], *, now: datetime) -> float:
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        # A second more, because the instant lies somewhere in that second.
        return max(0.0, (datetime.fromtimestamp(int(reset), UTC) - now).total_seconds()) + 1
    return _SECONDARY_SECONDS
