"""What a refusal of GitHub means: whether asking again may help, what was found, and what to do; pure.

Sources: "Troubleshooting the REST API" and the pages of the endpoints in GitHub's documentation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from logcache_assets.ports import RepositoryDenied, RepositoryError, RepositoryUnavailable, RepositoryWrongData

_SERVER_FAULT = 500
_UNAUTHORIZED, _FORBIDDEN, _MISSING, _CONFLICT, _UNPROCESSABLE = 401, 403, 404, 409, 422
_BY_LAW = 451


class GitHubRefused(RepositoryWrongData):
    """GitHub understood the question, and refuses it.

    Args:
        sentence: for a person.
        refusal: the answer.
    """

    def __init__(self, sentence: str, refusal: "Refusal") -> None:
        super().__init__(sentence)
        self.refusal = refusal


class LimitReached(RepositoryDenied):
    """GitHub wants to be left alone for longer than a request waits."""


class WriteInDoubt(RepositoryUnavailable):
    """A write had no answer: it may have had its effect. Whoever wrote looks, and only then writes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is no success."""

    asked: str
    """What was asked, `GET /repos/acme/itaipu/pulls`."""
    status: int
    words: str
    """GitHub's own, short and without secrets."""
    needs: str = ""
    """The permissions that GitHub names in a header, `contents=write`."""

    @property
    def is_missing(self) -> bool:
        """True if there is no such thing, or if it may not be seen."""
        return self.status == _MISSING

    @property
    def is_unprocessable(self) -> bool:
        """True if the request contradicts what is there."""
        return self.status == _UNPROCESSABLE

    def says(self, *words: str) -> bool:
        """True if GitHub's words contain one of these."""
        return any(word in self.words.lower() for word in words)

    @override
    def __str__(self) -> str:
        return f"GitHub refused {self.asked} ({self.status}: {self.words})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A refusal that GitHub documents."""

    status: frozenset[int]
    words: Sequence[str]
    """One of them is said; none for every refusal with this status."""
    sentence: str
    """With {repository}, {words}, {needs}."""


_DENIALS: Sequence[_Known] = (
    _Known(
        status=frozenset({_UNAUTHORIZED}),
        words=("json web token", "integration", "expiration time", "issued at"),
        sentence="GitHub does not accept the signature of the App ({words}); check that LOGCACHE_GITHUB_APP_ID and "
        "LOGCACHE_GITHUB_APP_KEY belong together, that the key was not deleted, and this computer's clock",
    ),
    _Known(
        status=frozenset({_UNAUTHORIZED}),
        words=(),
        sentence="GitHub does not accept the credentials ({words}); renew LOGCACHE_GITHUB_TOKEN",
    ),
    _Known(
        status=frozenset({_FORBIDDEN}),
        words=("suspended",),
        sentence="the installation of the GitHub App is suspended; have an owner of {repository} unsuspend it",
    ),
    _Known(
        status=frozenset({_FORBIDDEN}),
        words=("saml",),
        sentence="the owner of {repository} asks for single sign-on; authorize the token for that organization",
    ),
    _Known(
        status=frozenset({_FORBIDDEN}),
        words=("ip allow list",),
        sentence="the owner of {repository} accepts listed addresses alone; have this computer's address listed",
    ),
    _Known(
        status=frozenset({_FORBIDDEN}),
        words=("resource not accessible", "must have", "not permitted", "denied"),
        sentence="the token or App may not do this to {repository} ({words}); allow it {needs}",
    ),
)
"""Refusals that a person must lift; the first that fits is meant."""
_REFUSALS: Sequence[_Known] = (
    _Known(
        status=frozenset({_FORBIDDEN}),
        words=("archived",),
        sentence="the repository {repository} is archived, so nothing can be written; unarchive it, or correct "
        "LOGCACHE_GITHUB_REPOSITORY",
    ),
    _Known(
        status=frozenset({_CONFLICT}),
        words=("empty",),
        sentence="the repository {repository} is empty; push its base branch with the map and the definitions first",
    ),
    _Known(
        status=frozenset({_FORBIDDEN, _CONFLICT, _UNPROCESSABLE}),
        words=("protected branch", "rule violations", "repository rule"),
        sentence="a rule of {repository} protects the branch ({words}); let the token or App create and replace "
        "branches that begin with log-cache/",
    ),
    _Known(
        status=frozenset({_BY_LAW}),
        words=(),
        sentence="the repository {repository} is blocked ({words}); ask its owner",
    ),
)
"""Refusals that say what the repository is."""


def error_of(refusal: Refusal, *, repository: str, writes: bool) -> RepositoryError:
    """The error for a refusal that is no rate limit.

    Args:
        refusal: the answer.
        repository: owner and name.
        writes: whether something was to be written; then no answer leaves its effect in doubt.
    """
    if refusal.status >= _SERVER_FAULT:
        return no_answer(refusal.asked, f"{refusal.status} {refusal.words}".strip(), writes=writes)
    if denied := _sentence(_DENIALS, refusal, repository):
        return RepositoryDenied(denied)
    if known := _sentence(_REFUSALS, refusal, repository):
        return GitHubRefused(known, refusal)
    if refusal.status == _FORBIDDEN:
        return RepositoryDenied(f"{refusal}; allow the token or App {_needs(refusal)} on {repository}")
    return GitHubRefused(f"{refusal}; correct what it names", refusal)


def no_answer(asked: str, cause: str, *, writes: bool) -> RepositoryUnavailable:
    """The error of a question without an answer."""
    kind = WriteInDoubt if writes else RepositoryUnavailable
    return kind(f"GitHub could not answer {asked} ({cause}); see whether it is up, then run again")


def unseen(repository: str, url: str) -> RepositoryDenied:
    """The error for a repository that does not exist, or is not shown: GitHub tells both by 404."""
    return RepositoryDenied(
        f"there is no repository {repository} at {url}, or the token or App may not see it; correct "
        "LOGCACHE_GITHUB_REPOSITORY, or give it access to that repository"
    )


def _sentence(known: Sequence[_Known], refusal: Refusal, repository: str) -> str:
    """The sentence of the first that fits; empty if none does."""
    for one in known:
        if refusal.status in one.status and (not one.words or refusal.says(*one.words)):
            return one.sentence.format(repository=repository, words=refusal.words, needs=_needs(refusal))
    return ""


def _needs(refusal: Refusal) -> str:
    return refusal.needs or "what docs/operations.md lists"


def words_of(answer: object) -> str:
    """The message of an error's body, with the messages of its single errors; others' words, as they are."""
    if not isinstance(answer, Mapping):
        return ""
    message = answer.get("message") or answer.get("data") or ""
    return ": ".join(filter(None, [str(message), "; ".join(_details(answer.get("errors")))]))


def _details(errors: object) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            said = error.get("message") or " ".join(str(error[key]) for key in ("field", "code") if key in error)
            yield str(said)
        else:
            yield str(error)
