"""What one request to GitHub is, and what is made of its answer; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec
from typing_extensions import override

from logcache_assets.adapters.github.answers import GraphError
from logcache_assets.adapters.github.faults import LimitReached, Refusal, error_of, no_answer
from logcache_assets.adapters.github.rate_limits import RateLimit, find_rate_limit
from logcache_assets.domain.known_kinds import prepared
from logcache_assets.ports import RepositoryError, RepositoryWrongData

_FORBIDDEN, _UNPROCESSABLE = 403, 422
_STATUS_OF_TYPE = {"NOT_FOUND": 404, "FORBIDDEN": _FORBIDDEN, "INSUFFICIENT_SCOPES": _FORBIDDEN}
"""Type of an error of GraphQL → the status that the REST API has for it."""
_LIMITED = "RATE_LIMITED"
_OUTAGE = "something went wrong"
"""How GraphQL says, with status 200, that it did not answer in time."""
_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request."""

    verb: str
    url: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    writes: bool = False
    """Whether it may change something, so that without an answer its effect is in doubt."""

    @override
    def __str__(self) -> str:
        document = (self.body or {}).get("query")
        return _name_of(str(document)) if document else f"{self.verb} {self.url}"


def converted(answer: object, shape: type[_Shape], *, asked: str) -> _Shape:
    """An answer in its shape; raises RepositoryWrongData if it has another."""
    try:
        return msgspec.convert(answer, prepared(shape))
    except msgspec.ValidationError as error:
        raise not_understood(asked, str(error)) from error


def not_understood(asked: str, why: str) -> RepositoryWrongData:
    """The error for an answer that is none of GitHub's."""
    return RepositoryWrongData(
        f"GitHub's answer to {asked} is not understood: {why}; see whether a gateway answers in its place, and "
        "correct LOGCACHE_GITHUB_URL"
    )


def _name_of(document: str) -> str:
    """What a GraphQL document calls itself, `mutation MoveBranch`."""
    return document.split("(", maxsplit=1)[0].strip()


def limit_reached(limit: RateLimit, asked: str) -> LimitReached:
    """The error for a limit that lasts longer than a request waits."""
    what = "this hour's requests are used up" if limit.is_primary else "too much was asked at once"
    return LimitReached(
        f"GitHub did not answer {asked}: {what}, and it may be asked again in {limit.seconds:,.0f} s; wait, and give "
        "this deployment a GitHub App of its own if others use the same token"
    )


def graph_error(  # noqa: PLR0913 - an answer, and what it was asked for
    error: GraphError, words: str, headers: Mapping[str, str], *, question: Question, repository: str, now: datetime
) -> RepositoryError:
    """The error for an answer of GraphQL that has one, whatever its status.

    Args:
        error: the first one.
        words: its message, short and without secrets.
        headers: of the answer.
        question: what was asked.
        repository: owner and name.
        now: this computer's time.
    """
    if error.type == _LIMITED:
        limit = find_rate_limit(_FORBIDDEN, headers, "API rate limit exceeded", now=now)
        return limit_reached(limit or RateLimit(seconds=60, is_primary=True), str(question))
    if _OUTAGE in words.lower():
        return no_answer(str(question), words, writes=question.writes)
    status = _STATUS_OF_TYPE.get(error.type, _UNPROCESSABLE)
    refusal = Refusal(asked=str(question), status=status, words=words)
    return error_of(refusal, repository=repository, writes=question.writes)
