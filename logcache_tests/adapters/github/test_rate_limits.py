"""Whether a refusal is a rate limit, and how long it lasts."""

from datetime import UTC, datetime

import pytest

from logcache_assets.adapters.github.rate_limits import RateLimit, find_rate_limit

NOW = datetime(2026, 5, 28, 14, 0, tzinfo=UTC)
RESET = str(int(NOW.timestamp()) + 1800)
PRIMARY = "API rate limit exceeded for installation ID 815."
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@pytest.mark.parametrize(
    ("status", "headers", "message", "limit"),
    [
        pytest.param(
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET},
            PRIMARY,
            (1801, True),
            id="the hour's requests",
        ),
        pytest.param(
            429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}, PRIMARY, (1801, True), id="the same as 429"
        ),
        pytest.param(403, {"retry-after": "30"}, SECONDARY, (30, False), id="too many at once, with a time"),
        pytest.param(403, {}, SECONDARY, (60, False), id="too many at once, without one"),
        pytest.param(403, {"retry-after": "7"}, "Forbidden", (7, False), id="a time alone"),
        pytest.param(429, {}, "", (60, False), id="no words at all"),
        pytest.param(429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", (60, False), id="a date for a time"),
        pytest.param(
            403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, PRIMARY, (1, True), id="it is over already"
        ),
        pytest.param(403, {}, "You have triggered an abuse detection mechanism.", (60, False), id="its older words"),
        pytest.param(
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET},
            "Resource not accessible by integration",
            None,
            id="a denial by the hour's last request",
        ),
        pytest.param(401, {"retry-after": "7"}, "Bad credentials", None, id="wrong credentials"),
        pytest.param(503, {"retry-after": "7"}, "", None, id="an outage"),
    ],
)
def test_a_limit_is_told_from_a_denial(
    status: int, headers: dict[str, str], message: str, limit: tuple[float, bool] | None
) -> None:
    """By status, headers and words, as GitHub documents them."""
    found = find_rate_limit(status, headers, message, now=NOW)

    assert found == (None if limit is None else RateLimit(seconds=limit[0], is_primary=limit[1]))
