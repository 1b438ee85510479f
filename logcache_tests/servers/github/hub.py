"""A repository on the stand-in: who may ask what of it, and which endpoint answers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logcache_tests.servers.github.bare import Bare
from logcache_tests.servers.github.board import Board
from logcache_tests.servers.github.endpoints_of_git import NODE_ID, GitEndpoints
from logcache_tests.servers.github.endpoints_of_pulls import PullEndpoints
from logcache_tests.servers.github.faults import Fault
from logcache_tests.servers.github.graphql import GraphQLEndpoint
from logcache_tests.servers.github.people import ALL_RIGHTS, Caller, People, RefusedError
from logcache_tests.servers.github.published import find_operation
from logcache_tests.servers.github.shapes import instant, person

Answers = Mapping[str, Callable[[], object]]
_NEEDED: Mapping[str, tuple[str, str]] = {
    "git": ("contents", "write"),
    "pulls": ("pull_requests", "write"),
    "issues": ("pull_requests", "write"),
    "statuses": ("statuses", "write"),
}
"""Part of a path → the permission that a write there needs."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request."""

    verb: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass
class GitHub:
    """A repository on the stand-in, and everybody who may use it."""

    folder: Path
    repository: str = "acme/itaipu"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    token: str = "ghp_standin0000000000000000000000000001"  # noqa: S105 - of the stand-in
    prefix: str = ""
    """Of every path, `/api/v3` on an Enterprise Server."""
    port: int = 0
    people: People = field(default_factory=People)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Verb and path below the repository of every request."""
    complaints: list[str] = field(default_factory=list)
    """What requests had that GitHub's description has not."""
    renamed_to: str | None = None

    def __post_init__(self) -> None:
        self.bare = Bare(self.folder, self.now)
        self.board = Board(self.bare, self.now)
        self.git = GitEndpoints(self.bare, self.board)
        self.graphql = GraphQLEndpoint(self.repository, self.bare, self.board)
        self.pulls = PullEndpoints(self.repository, self.bare, self.board, self.people)
        self.people.callers[self.token] = Caller(login="logcache-bot", rights=dict(ALL_RIGHTS))
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def variables(self) -> dict[str, str]:
        """The settings by which this repository is used."""
        return {
            "LOGCACHE_REPOSITORY": "github",
            "LOGCACHE_GITHUB_URL": self.url,
            "LOGCACHE_GITHUB_REPOSITORY": self.repository,
            "LOGCACHE_GITHUB_TOKEN": self.token,
        }

    def writes(self) -> list[str]:
        """The requests that wrote something."""
        return [asked for asked in self.asked if not asked.startswith("GET")]

    def merge(self, number: int, **asked: str) -> str:
        """Merge a pull request as a person does on its page; returns the new head of its base."""
        with self.lock:
            self.board.look()
            return str(self.pulls.merge(str(number), asked)["sha"])

    def answer(self, asked: Asked) -> tuple[int, object]:
        """Status and answer of a request; raises RefusedError."""
        if "user-agent" not in asked.headers:
            raise RefusedError(403, "Request forbidden by administrative rules.")
        self.board.look()
        if asked.path == "/graphql":
            self._caller(asked, "contents", "write" if asked.body["query"].startswith("mutation") else "read")
            return 200, self.graphql.execute(asked.body)
        found = find_operation(asked.verb, asked.path)
        if found is None:
            raise RefusedError(404, "Not Found")
        operation, names = found
        if complaints := operation.complaints(asked.query, asked.body):
            self.complaints += [f"{asked.verb} {asked.path}: {complaint}" for complaint in complaints]
            raise RefusedError(422, f"Invalid request. {'; '.join(complaints)}")
        answer = self._answered(asked, operation.path, names)
        status = (
            201 if asked.verb == "POST" and not asked.path.endswith("/labels") else 200 if answer is not None else 204
        )
        try:
            return status, operation.completed(status, answer)
        except AssertionError as error:
            self.complaints.append(str(error))
            raise RefusedError(501, str(error)) from error

    def _answered(self, asked: Asked, pattern: str, names: Mapping[str, str]) -> object:
        if pattern.startswith("/app/"):
            token, until = self.people.installed(asked.headers.get("authorization"), names["installation_id"])
            return {"token": token, "expires_at": instant(until), "permissions": dict(self.people.app_rights)}
        part = pattern.removeprefix("/repos/{owner}/{repo}").strip("/")
        caller = self._caller(asked, *_needed(asked.verb, part))
        if f"{names['owner']}/{names['repo']}".lower() != self.repository.lower():
            raise RefusedError(404, "Not Found")
        if asked.verb != "GET" and self.board.is_archived:
            raise RefusedError(403, "Repository was archived so is read-only.")
        return self._routes(asked, names, caller)[f"{asked.verb} {part}".strip()]()

    def _routes(self, asked: Asked, names: Mapping[str, str], caller: Caller) -> Answers:
        git, pulls, query, body = self.git, self.pulls, asked.query, asked.body
        number = names.get("pull_number") or names.get("issue_number") or ""
        return {
            "GET": lambda: self._about(caller),
            "GET git/ref/{ref}": lambda: git.ref(names["ref"]),
            "GET git/commits/{commit_sha}": lambda: git.commit(names["commit_sha"]),
            "POST git/commits": lambda: git.new_commit(body),
            "GET git/trees/{tree_sha}": lambda: git.tree(names["tree_sha"]),
            "POST git/trees": lambda: git.new_tree(body),
            "GET git/blobs/{file_sha}": lambda: git.blob(names["file_sha"]),
            "POST git/blobs": lambda: git.new_blob(body),
            "GET commits": lambda: git.commits(query),
            "GET commits/{ref}": lambda: git.commit_of(names["ref"]),
            "GET commits/{ref}/status": lambda: pulls.status(names["ref"], query),
            "GET compare/{basehead}": lambda: git.compare(names["basehead"]),
            "POST statuses/{sha}": lambda: pulls.add_status(names["sha"], body, caller),
            "GET pulls": lambda: pulls.pulls(query),
            "POST pulls": lambda: pulls.new_pull(body, caller),
            "GET pulls/{pull_number}": lambda: pulls.pull(number),
            "PATCH pulls/{pull_number}": lambda: pulls.change(number, body),
            "PUT pulls/{pull_number}/merge": lambda: pulls.merge(number, body),
            "GET pulls/{pull_number}/reviews": lambda: pulls.reviews(number),
            "POST pulls/{pull_number}/requested_reviewers": lambda: pulls.ask_reviewers(number, body),
            "POST issues/{issue_number}/labels": lambda: pulls.add_labels(number, body),
            "GET issues/{issue_number}/comments": lambda: pulls.comments(number),
            "POST issues/{issue_number}/comments": lambda: pulls.add_comment(number, body, caller),
            "GET collaborators/{username}": lambda: pulls.collaborator(names["username"]),
            "GET branches/{branch}": lambda: git.branch(names["branch"]),
            "GET rules/branches/{branch}": lambda: git.rules(names["branch"]),
        }

    def _caller(self, asked: Asked, permission: str, level: str) -> Caller:
        caller = self.people.signed_in(asked.headers.get("authorization"))
        if not caller.may("metadata", "read"):
            raise RefusedError(404, "Not Found")
        if not caller.may(permission, level):
            who = "integration" if caller.is_app else "personal access token"
            refused = RefusedError(403, f"Resource not accessible by {who}")
            refused.headers = {"X-Accepted-GitHub-Permissions": f"{permission}={level}"}
            raise refused
        return caller

    def _about(self, caller: Caller) -> dict[str, Any]:
        name = self.renamed_to or self.repository
        owner, _, own_name = name.partition("/")
        writes = caller.may("contents", "write")
        return {
            "node_id": NODE_ID,
            "full_name": name,
            "name": own_name,
            "owner": person(owner),
            "archived": self.board.is_archived,
            "default_branch": "main",
            "permissions": {"admin": False, "maintain": False, "push": writes, "triage": writes, "pull": True},
        }


def _needed(verb: str, part: str) -> tuple[str, str]:
    """The permission that a request needs, and its level."""
    if verb == "GET":
        return "metadata", "read"
    return ("contents", "write") if part.endswith("/merge") else _NEEDED[part.split("/", maxsplit=1)[0]]
