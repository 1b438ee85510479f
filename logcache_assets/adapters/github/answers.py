"""The shapes of GitHub's answers: the fields that are read, of the REST API's published description."""

from datetime import datetime

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Any answer; fields that are not named here are passed over."""


class Named(Answer, frozen=True, kw_only=True):
    """What is told by its sha alone."""

    sha: str


class Rights(Answer, frozen=True, kw_only=True):
    """What the signed-in user may do in a repository."""

    push: bool
    pull: bool


class About(Answer, frozen=True, kw_only=True):
    """A repository."""

    node_id: str
    full_name: str
    archived: bool = False
    permissions: Rights | None = None


class Ref(Answer, frozen=True, kw_only=True):
    """A branch."""

    ref: str
    object: Named


class Commit(Answer, frozen=True, kw_only=True):
    """A commit of git."""

    sha: str
    tree: Named
    parents: tuple[Named, ...]
    message: str


class Entry(Answer, frozen=True, kw_only=True):
    """An entry of a folder."""

    path: str
    type: str
    """`blob`, `tree` or `commit`."""
    sha: str


class Tree(Answer, frozen=True, kw_only=True):
    """A folder."""

    sha: str
    tree: tuple[Entry, ...]
    truncated: bool = False


class Blob(Answer, frozen=True, kw_only=True):
    """The content of a file."""

    sha: str
    content: str
    encoding: str


class Committer(Answer, frozen=True, kw_only=True):
    """Who committed, and when."""

    date: datetime


class Description(Answer, frozen=True, kw_only=True):
    """What a listed commit says of itself."""

    committer: Committer


class ListedCommit(Answer, frozen=True, kw_only=True):
    """A commit in a list."""

    sha: str
    commit: Description


class Person(Answer, frozen=True, kw_only=True):
    """A user."""

    login: str


class Team(Answer, frozen=True, kw_only=True):
    """A team."""

    slug: str


class Label(Answer, frozen=True, kw_only=True):
    """A label."""

    name: str


class Origin(Answer, frozen=True, kw_only=True):
    """The repository of a pull request's branch."""

    full_name: str


class Side(Answer, frozen=True, kw_only=True):
    """One of the two branches of a pull request."""

    ref: str
    sha: str
    repo: Origin | None
    """None if it was deleted."""


class Pull(Answer, frozen=True, kw_only=True):
    """A pull request."""

    number: int
    html_url: str
    title: str
    body: str | None
    state: str
    """`open` or `closed`."""
    merged_at: datetime | None
    head: Side
    base: Side
    user: Person | None = None
    labels: tuple[Label, ...] = ()
    requested_reviewers: tuple[Person, ...] | None = ()
    requested_teams: tuple[Team, ...] | None = ()


class Comment(Answer, frozen=True, kw_only=True):
    """A comment."""

    body: str = ""


class Review(Answer, frozen=True, kw_only=True):
    """A review that somebody gave."""

    state: str


class Status(Answer, frozen=True, kw_only=True):
    """One status of a commit."""

    context: str
    state: str
    description: str | None
    target_url: str | None


class Statuses(Answer, frozen=True, kw_only=True):
    """A page of the newest status of each name."""

    total_count: int
    statuses: tuple[Status, ...]


class GraphError(Answer, frozen=True, kw_only=True):
    """Why a mutation was refused."""

    message: str
    type: str = ""


class GraphAnswer(Answer, frozen=True, kw_only=True):
    """The answer to a query or mutation of GraphQL."""

    data: object = None
    errors: tuple[GraphError, ...] = ()


class Compared(Answer, frozen=True, kw_only=True):
    """Two commits, compared."""

    merge_base_commit: Named


class FoundPull(Answer, frozen=True, kw_only=True, rename="camel"):
    """A pull request in an answer of GraphQL."""

    number: int
    url: str
    title: str
    body: str
    head_ref_name: str
    head_ref_oid: str
    head_repository: "FoundOrigin | None"
    changed_files: int
    files: "FoundFiles | None"


class FoundOrigin(Answer, frozen=True, kw_only=True, rename="camel"):
    """The repository of a pull request's branch."""

    name_with_owner: str


class FoundFile(Answer, frozen=True, kw_only=True):
    """A file that a pull request changes."""

    path: str


class FoundFiles(Answer, frozen=True, kw_only=True):
    """The first files that a pull request changes."""

    nodes: tuple[FoundFile, ...]


class FoundPage(Answer, frozen=True, kw_only=True, rename="camel"):
    """Where a list goes on."""

    has_next_page: bool
    end_cursor: str | None


class FoundPulls(Answer, frozen=True, kw_only=True, rename="camel"):
    """A page of pull requests."""

    nodes: tuple[FoundPull, ...]
    page_info: FoundPage


class FoundPullsOf(Answer, frozen=True, kw_only=True, rename="camel"):
    """The repository that has them."""

    pull_requests: FoundPulls


class FoundInRepository(Answer, frozen=True, kw_only=True):
    """The answer to the query of open pull requests."""

    repository: FoundPullsOf
