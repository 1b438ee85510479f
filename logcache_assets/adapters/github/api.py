"""Asks GitHub one question at a time, and says in the port's errors why there is no answer.

Reads are repeated. A write is sent again only after a rate limit, which had no effect; without an answer its effect is
in doubt (`WriteInDoubt`). PyGithub's own retry is off: it repeats POST and PUT, and may sleep for an hour.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from logcache_assets.adapters.github.access import GitHubAccess
from logcache_assets.adapters.github.answers import About, GraphAnswer
from logcache_assets.adapters.github.faults import GitHubRefused, Refusal, error_of, no_answer, unseen, words_of
from logcache_assets.adapters.github.questions import Question, converted, graph_error, limit_reached, not_understood
from logcache_assets.adapters.github.rate_limits import find_rate_limit
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.plain_text import shortened
from logcache_assets.ports import RepositoryDenied, RepositoryWrongData

if TYPE_CHECKING:
    from github import Github, GithubException

_PAGE = 100
_TOKEN = "the token of the App's installation"  # noqa: S105 - what is asked for
_Shape = TypeVar("_Shape")


class GitHubApi:
    """Questions about one repository; threads may share it.

    Args:
        access: where it is, and who asks.
        reads: how often a read without an answer is repeated.
    """

    def __init__(self, access: GitHubAccess, *, reads: RepeatedReads | None = None) -> None:
        self.access = access
        self.reads = reads or RepeatedReads()
        self._of_thread = threading.local()
        self._about: About | None = None

    def __reduce__(self) -> tuple[Callable[..., "GitHubApi"], tuple[GitHubAccess, RepeatedReads]]:
        return _api, (self.access, self.reads)

    @property
    def about(self) -> About:
        """The repository as it was when first asked.

        Raises:
            RepositoryDenied: there is none, or it may not be seen.
            RepositoryWrongData: it has another name now. GitHub redirects, but without what was asked for.
        """
        if self._about is None:
            found = self._ask_about()
            if found.full_name.lower() != self.access.repository.lower():
                raise RepositoryWrongData(
                    f"the repository {self.access.repository} is called {found.full_name} now; set "
                    f"LOGCACHE_GITHUB_REPOSITORY to {found.full_name}"
                )
            self._about = found
        return self._about

    def get(self, path: str, shape: type[_Shape], /, **parameters: object) -> _Shape:
        """What lies at a path below the repository."""
        _ = self.about
        return self._page(self._below(path), shape, parameters)[0]

    def find(self, path: str, shape: type[_Shape], /, **parameters: object) -> _Shape | None:
        """As `get`; None if there is no such thing in a repository that is there."""
        try:
            return self.get(path, shape, **parameters)
        except GitHubRefused as refused:
            if not refused.refusal.is_missing:
                raise
            self._ask_about()
            return None

    def pages(self, path: str, shape: type[_Shape], /, **parameters: object) -> Iterator[_Shape]:
        """All items of a list, page by page."""
        _ = self.about
        number = 1
        while number:
            asked = {**parameters, "per_page": _PAGE, "page": number}
            items, headers = self._page(self._below(path), tuple[shape, ...], asked)  # type: ignore[valid-type]
            yield from items
            number = number + 1 if 'rel="next"' in headers.get("link", "") else 0

    def post(self, path: str, shape: type[_Shape], body: Mapping[str, object]) -> _Shape:
        """Create something below the repository."""
        _ = self.about
        return self._ask(Question(verb="POST", url=self._below(path), body=body, writes=True), shape)[0]

    def patch(self, path: str, shape: type[_Shape], body: Mapping[str, object]) -> _Shape:
        """Change something below the repository."""
        _ = self.about
        return self._ask(Question(verb="PATCH", url=self._below(path), body=body, writes=True), shape)[0]

    @repeated
    def query(self, document: str, variables: Mapping[str, object], shape: type[_Shape]) -> _Shape:
        """The answer to a query of GraphQL; raises GitHubRefused with the first reason."""
        _ = self.about
        return self._graph(document, variables, shape, writes=False)

    def mutate(self, document: str, variables: Mapping[str, object]) -> None:
        """Send a mutation of GraphQL; raises GitHubRefused with the first reason."""
        self._graph(document, variables, object, writes=True)

    def _graph(self, document: str, variables: Mapping[str, object], shape: type[_Shape], *, writes: bool) -> _Shape:
        sent = {"query": document, "variables": variables}
        question = Question(verb="POST", url=self._client.requester.graphql_url, body=sent, writes=writes)
        answer, headers = self._ask(question, GraphAnswer)
        if not answer.errors:
            return converted(answer.data, shape, asked=str(question))
        error, repository = answer.errors[0], self.access.repository
        words, now = self._plain(error.message), datetime.now(UTC)
        raise graph_error(error, words, headers, question=question, repository=repository, now=now)

    @repeated
    def _ask_about(self) -> About:
        try:
            return self._ask(Question(verb="GET", url=self._below("")), About)[0]
        except GitHubRefused as refused:
            if not refused.refusal.is_missing:
                raise
            raise unseen(self.access.repository, self.access.url) from refused

    @repeated
    def _page(
        self, url: str, shape: type[_Shape], parameters: Mapping[str, object]
    ) -> tuple[_Shape, Mapping[str, str]]:
        return self._ask(Question(verb="GET", url=url, parameters=parameters), shape)

    def _below(self, path: str) -> str:
        return f"/repos/{self.access.repository}/{path}".rstrip("/")

    @property
    def _client(self) -> "Github":
        client: Github | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = self._of_thread.client = self.access.client()
        return client

    def app_permissions(self) -> Mapping[str, str] | None:
        """Permission → level of the App; None for a token, which does not tell its own."""
        with self._asking(Question(verb="POST", url=_TOKEN)):
            return self.access.app_permissions()

    def _ask(self, question: Question, shape: type[_Shape]) -> tuple[_Shape, Mapping[str, str]]:
        """The answer to one request and its headers, after the waits that GitHub asks for."""
        self._sign_in()
        waited = 0.0
        while True:
            with self._asking(question):
                try:
                    headers, answer = self._client.requester.requestJsonAndCheck(
                        question.verb, question.url, parameters=dict(question.parameters), input=question.body
                    )
                    return converted(answer, shape, asked=str(question)), headers
                except _refusals() as error:
                    waited += self._pause(error, waited=waited, asked=str(question))

    def _sign_in(self) -> None:
        """Renew an App's token if its time is over, so that its refusal is not taken for one of the repository."""
        try:
            with self._asking(Question(verb="POST", url=_TOKEN)):
                _ = getattr(self._client.requester.auth, "token", None)
        except GitHubRefused as refused:
            if not refused.refusal.is_missing:
                raise
            raise RepositoryDenied(
                "GitHub has no such App or installation; correct LOGCACHE_GITHUB_APP_ID and "
                "LOGCACHE_GITHUB_APP_INSTALLATION, or install the App for the repository's owner"
            ) from refused

    def _pause(self, error: "GithubException", *, waited: float, asked: str) -> float:
        """Wait as long as a rate limit says; other refusals, and limits that take too long, are raised."""
        headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
        words = words_of(error.data)
        limit = find_rate_limit(error.status, headers, words, now=datetime.now(UTC))
        if limit is None:
            raise error
        if waited + limit.seconds > self.access.longest_wait_seconds:
            raise limit_reached(limit, asked) from error
        time.sleep(limit.seconds)
        return max(limit.seconds, 1.0)

    @contextmanager
    def _asking(self, question: Question) -> Iterator[None]:
        """Raise what PyGithub and its network library raise as errors of the port."""
        from requests import exceptions as failed  # noqa: PLC0415 - with PyGithub, where GitHub is used

        try:
            yield
        except _refusals() as error:
            headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
            refusal = Refusal(
                asked=str(question),
                status=error.status,
                words=self._plain(words_of(error.data)),
                needs=headers.get("x-accepted-github-permissions", ""),
            )
            raise error_of(refusal, repository=self.access.repository, writes=question.writes) from error
        except failed.SSLError as error:
            raise RepositoryWrongData(
                f"the certificate of {self.access.url} is not trusted ({self._plain(str(error))}); correct "
                "LOGCACHE_GITHUB_URL, or name its authority in REQUESTS_CA_BUNDLE"
            ) from error
        except failed.RequestException as error:
            raise no_answer(str(question), type(error).__name__, writes=question.writes) from error
        except RuntimeError as error:  # PyGithub's word for a redirection to another scheme or host
            raise RepositoryWrongData(
                f"{self.access.url} sends elsewhere ({self._plain(str(error))}); correct LOGCACHE_GITHUB_URL"
            ) from error
        except (ValueError, AttributeError) as error:  # PyGithub reads the message of an error that is no object
            raise not_understood(str(question), self._plain(str(error))) from error

    def _plain(self, words: str) -> str:
        return shortened(self.access.blanker(words)) or "it gave no reason"


def _api(access: GitHubAccess, reads: RepeatedReads) -> GitHubApi:
    return GitHubApi(access, reads=reads)


def _refusals() -> "type[GithubException]":
    from github import GithubException  # noqa: PLC0415 - 0.4 s, where GitHub is used

    return GithubException
