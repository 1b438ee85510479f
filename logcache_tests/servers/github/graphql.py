"""The stand-in's GraphQL: open pull requests with what they change, and branches that are moved if nobody did."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

from logcache_tests.servers.github.bare import Bare, GitError
from logcache_tests.servers.github.board import Board, Request
from logcache_tests.servers.github.endpoints_of_git import NODE_ID

SCHEMA = """
scalar GitObjectID
scalar GitRefname
scalar URI
enum PullRequestState { CLOSED MERGED OPEN }
enum IssueOrderField { COMMENTS CREATED_AT UPDATED_AT }
enum OrderDirection { ASC DESC }
input IssueOrder { direction: OrderDirection! field: IssueOrderField! }
type PageInfo { endCursor: String hasNextPage: Boolean! }
type PullRequestChangedFile { path: String! }
type PullRequestChangedFileConnection { nodes: [PullRequestChangedFile] }
type PullRequest {
  body: String!
  changedFiles: Int!
  files(after: String, first: Int): PullRequestChangedFileConnection
  headRefName: String!
  headRefOid: GitObjectID!
  headRepository: Repository
  number: Int!
  title: String!
  url: URI!
}
type PullRequestConnection { nodes: [PullRequest] pageInfo: PageInfo! }
type Repository {
  nameWithOwner: String!
  pullRequests(
    after: String, baseRefName: String, first: Int, orderBy: IssueOrder, states: [PullRequestState!]
  ): PullRequestConnection!
}
type Query { repository(name: String!, owner: String!): Repository }
input RefUpdate { afterOid: GitObjectID! beforeOid: GitObjectID force: Boolean = false name: GitRefname! }
input UpdateRefsInput { clientMutationId: String refUpdates: [RefUpdate!]! repositoryId: ID! }
type UpdateRefsPayload { clientMutationId: String }
type Mutation { updateRefs(input: UpdateRefsInput!): UpdateRefsPayload }
"""
"""The part of GitHub's public schema that is used; a test compares it with the npm package that holds the whole."""
_MOST = 100


@cache
def schema() -> GraphQLSchema:
    """The schema."""
    return build_schema(SCHEMA)


@dataclass
class GraphQLEndpoint:
    """Executes queries and mutations; GraphQL's errors have status 200."""

    name: str
    """Owner and name of the repository."""
    bare: Bare
    board: Board

    def execute(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a document."""
        root = {
            "updateRefs": lambda _info, **asked: self._update(asked["input"]),
            "repository": lambda _info, **asked: self._repository(asked),
        }
        answer = graphql_sync(schema(), body["query"], root_value=root, variable_values=body.get("variables"))
        shown: dict[str, Any] = dict(answer.formatted)
        for error, original in zip(shown.get("errors", []), answer.errors or [], strict=True):
            error.update(getattr(original.original_error, "extensions", None) or {})
        return shown

    def _repository(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if f"{asked['owner']}/{asked['name']}".lower() != self.name.lower():
            raise GraphQLError("Could not resolve to a Repository", extensions={"type": "NOT_FOUND"})
        return {"nameWithOwner": self.name, "pullRequests": lambda _info, **filters: self._pulls(filters)}

    def _pulls(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        if not 1 <= filters.get("first", 0) <= _MOST:
            raise GraphQLError("`first` must be between 1 and 100", extensions={"type": "EXCESSIVE_PAGINATION"})
        order = filters.get("orderBy") or {"direction": "ASC"}
        found = [
            request
            for request in self.board.requests.values()
            if request.state.upper() in filters["states"] and request.base == filters["baseRefName"]
        ]
        found.sort(key=lambda request: request.number, reverse=order["direction"] == "DESC")
        begin = int(filters.get("after") or 0)
        end = begin + filters["first"]
        page = {"hasNextPage": end < len(found), "endCursor": str(min(end, len(found))) if found else None}
        return {"nodes": [self._shown(request) for request in found[begin:end]], "pageInfo": page}

    def _shown(self, request: Request) -> dict[str, Any]:
        origin = self.name if request.fork is None else f"{request.fork}/{self.name.partition('/')[2]}"
        base = self.bare.heads()[request.base]
        left = self.bare.text("merge-base", base, request.head_sha)
        changed = self.bare.text("diff", "--name-only", left, request.head_sha).splitlines()
        return {
            "number": request.number,
            "url": f"https://github.invalid/{self.name}/pull/{request.number}",
            "title": request.title,
            "body": request.body or "",
            "headRefName": request.branch,
            "headRefOid": request.head_sha,
            "headRepository": {"nameWithOwner": origin},
            "changedFiles": len(changed),
            "files": lambda _info, first, after=None: {"nodes": [{"path": path} for path in changed[:first]]},  # noqa: ARG005 - GitHub's
        }

    def _update(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["repositoryId"] != NODE_ID:
            raise GraphQLError("Could not resolve to a node", extensions={"type": "NOT_FOUND"})
        for update in asked["refUpdates"]:
            branch = update["name"].removeprefix("refs/heads/")
            if branch in self.board.protected:
                raise GraphQLError("Repository rule violations found: Cannot update this protected branch.")
            try:
                self._move(branch, update)
            except GitError as error:
                raise GraphQLError("The ref was not where it was expected to be.") from error
        return {"clientMutationId": None}

    def _move(self, branch: str, update: Mapping[str, Any]) -> None:
        head = self.bare.heads().get(branch)
        seen = update.get("beforeOid")
        if head and not update["force"] and not self.bare.is_ancestor(head, update["afterOid"]):
            raise GraphQLError("Update is not a fast-forward")
        self.bare.move(branch, update["afterOid"], seen=head if seen is None else None if seen == "0" * 40 else seen)
