"""The stand-in's endpoints for pull requests, comments and statuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logcache_tests.servers.github import shapes
from logcache_tests.servers.github.bare import Bare, GitError
from logcache_tests.servers.github.board import Board, Request
from logcache_tests.servers.github.people import Caller, People, RefusedError

_TITLE_CHARACTERS = 256
_BODY_CHARACTERS = 65_536
_DESCRIPTION_CHARACTERS = 140


def invalid(**error: str) -> RefusedError:
    """A refusal of what was sent, with its reason."""
    return RefusedError(422, "Validation Failed", errors=[error])


@dataclass
class PullEndpoints:
    """Answers about pull requests."""

    name: str
    """Owner and name of the repository."""
    bare: Bare
    board: Board
    people: People

    def pulls(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The pull requests that a filter leaves; a head without its owner is passed over, as GitHub does."""
        state = query.get("state", "open")
        found = [request for request in self.board.requests.values() if state in {"all", request.state}]
        if "base" in query:
            found = [request for request in found if request.base == query["base"]]
        owner, colon, branch = query.get("head", "").partition(":")
        if colon:
            own = self.name.partition("/")[0]
            found = [one for one in found if (one.fork or own, one.branch) == (owner, branch)]
        newest_first = query.get("direction", "desc" if query.get("sort", "created") == "created" else "asc") == "desc"
        found.sort(key=lambda request: request.number, reverse=newest_first)
        return [self._shown(request, is_whole=False) for request in found]

    def new_pull(self, body: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Open a pull request."""
        heads = self.bare.heads()
        branch, base = body["head"].removeprefix(f"{self.name.partition('/')[0]}:"), body["base"]
        for field, name in (("head", branch), ("base", base)):
            if name not in heads:
                raise invalid(resource="PullRequest", field=field, code="invalid")
        self._check_texts(body)
        own = (one for one in self.board.requests.values() if (one.branch, one.base) == (branch, base))
        if any(one.state == "open" and one.fork is None for one in own):
            owner = self.name.partition("/")[0]
            message = f"A pull request already exists for {owner}:{branch}."
            raise invalid(resource="PullRequest", code="custom", message=message)
        if self.bare.is_ancestor(heads[branch], heads[base]):
            raise invalid(resource="PullRequest", code="custom", message=f"No commits between {base} and {branch}")
        request = self.board.open(
            author=caller.login,
            title=body["title"],
            body=body.get("body"),
            branch=branch,
            base=base,
            head_sha=heads[branch],
        )
        return self._shown(request)

    def pull(self, number: str) -> dict[str, Any]:
        """One pull request."""
        return self._shown(self._request(number))

    def change(self, number: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change its title, text or state."""
        request = self._request(number)
        self._check_texts(body)
        request.title, request.body = body.get("title", request.title), body.get("body", request.body)
        if body.get("state", request.state) != request.state:
            if request.merged_at:
                raise invalid(resource="PullRequest", field="state", code="invalid")
            request.state = body["state"]
        return self._shown(request)

    def merge(self, number: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """Merge it into its base, as a person does on its page."""
        request, asked = self._request(number), body or {}
        if request.state != "open":
            raise RefusedError(405, "Pull Request is not mergeable")
        if asked.get("sha", request.head_sha) != request.head_sha:
            raise RefusedError(409, "Head branch was modified. Review and try the merge again.")
        for name in (*self.board.required, *self.board.ruled):
            status = self.board.newest_statuses(request.head_sha).get(name)
            if status is None or status.state != "success":
                raise RefusedError(405, f'Required status check "{name}" is expected.')
        base = self.bare.heads()[request.base]
        try:
            tree = self.bare.merged_tree(base, request.head_sha)
        except GitError as error:
            raise RefusedError(405, "Pull Request has merge conflicts") from error
        parents = [base] if asked.get("merge_method") == "squash" else [base, request.head_sha]
        message = f"Merge pull request #{number} from {request.branch}\n\n{request.title}"
        sha = self.bare.commit(tree=tree, parents=parents, message=message)
        self.bare.move(request.base, sha, seen=base)
        request.state, request.merged_at, request.merge_sha = "closed", self.board.now(), sha
        return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}

    def reviews(self, number: str) -> list[dict[str, Any]]:
        """The reviews that were given."""
        request = self._request(number)
        return [
            {"id": n, "user": shapes.person(login), "state": state, "body": "", "author_association": "MEMBER"}
            for n, (login, state) in enumerate(request.reviews, 1)
        ]

    def ask_reviewers(self, number: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask people and teams for a review."""
        request = self._request(number)
        people, teams = body.get("reviewers", []), body.get("team_reviewers", [])
        if request.author in people:
            raise RefusedError(422, "Review cannot be requested from pull request author.")
        if not set(people) <= self.people.collaborators or not set(teams) <= self.people.teams:
            raise RefusedError(
                422,
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is "
                f"not a collaborator of the {self.name} repository.",
            )
        request.reviewers += [login for login in people if login not in request.reviewers]
        request.teams += [slug for slug in teams if slug not in request.teams]
        return self._shown(request, is_whole=False)

    def collaborator(self, login: str) -> None:
        """Nothing, if somebody works here."""
        if login not in self.people.collaborators:
            raise RefusedError(404, f"{login} is not a user")

    def add_labels(self, number: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Add labels; those that the repository does not have are made."""
        request = self._request(number)
        request.labels += [label for label in body["labels"] if label not in request.labels]
        return [{"name": label} for label in request.labels]

    def comments(self, number: str) -> list[dict[str, Any]]:
        """What was said."""
        request = self._request(number)
        return [_comment(n, login, text) for n, (login, text) in enumerate(request.comments, 1)]

    def add_comment(self, number: str, body: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Say something."""
        request = self._request(number)
        request.comments.append((caller.login, body["body"]))
        return _comment(len(request.comments), caller.login, body["body"])

    def status(self, ref: str, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the newest statuses of a commit."""
        sha = self.bare.commit_of(ref)
        if sha is None:
            raise RefusedError(404, "Not Found")
        size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
        shown = shapes.combined(list(self.board.newest_statuses(sha).values()), sha, self.name)
        return {**shown, "statuses": shown["statuses"][size * (number - 1) : size * number]}

    def add_status(self, sha: str, body: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Give a commit a status."""
        if self.bare.commit_of(sha) != sha:
            raise RefusedError(422, f"No commit found for SHA: {sha}")
        if len(body.get("description") or "") > _DESCRIPTION_CHARACTERS:
            message = "description is too long (maximum is 140 characters)"
            raise invalid(resource="Status", code="custom", field="description", message=message)
        if not (body.get("target_url") or "https://").startswith(("http://", "https://")):
            raise invalid(
                resource="Status", code="custom", field="target_url", message="target_url must use http(s) scheme"
            )
        added = self.board.say(
            sha=sha,
            name=body.get("context", "default"),
            state=body["state"],
            description=body.get("description"),
            url=body.get("target_url"),
            creator=caller.login,
        )
        return shapes.status(added)

    def _request(self, number: str) -> Request:
        request = self.board.requests.get(int(number)) if number.isdigit() else None
        if request is None:
            raise RefusedError(404, "Not Found")
        return request

    def _check_texts(self, body: Mapping[str, Any]) -> None:
        if not body.get("title", "x") or len(body.get("title", "")) > _TITLE_CHARACTERS:
            raise invalid(resource="PullRequest", code="missing_field", field="title")
        if len(body.get("body") or "") > _BODY_CHARACTERS:
            message = "body is too long (maximum is 65536 characters)"
            raise invalid(resource="PullRequest", code="custom", field="body", message=message)

    def _shown(self, request: Request, *, is_whole: bool = True) -> dict[str, Any]:
        return shapes.pull(request, self.board, self.name, is_whole=is_whole)


def _comment(number: int, login: str, text: str) -> dict[str, Any]:
    return {"id": number, "user": shapes.person(login), "body": text, "author_association": "MEMBER"}
