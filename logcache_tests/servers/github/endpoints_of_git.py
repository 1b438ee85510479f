"""The stand-in's endpoints for commits, trees, blobs and branches."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logcache_tests.servers.github import shapes
from logcache_tests.servers.github.bare import Bare, GitError
from logcache_tests.servers.github.board import Board
from logcache_tests.servers.github.people import RefusedError

NODE_ID = "R_kgDOstandin"
_LINE = 60
"""Characters of a line of base64."""


@dataclass
class GitEndpoints:
    """Answers from git."""

    bare: Bare
    board: Board

    def ref(self, ref: str) -> dict[str, Any]:
        """One branch."""
        heads = self._heads()
        branch = ref.removeprefix("heads/")
        if not ref.startswith("heads/") or branch not in heads:
            raise RefusedError(404, "Not Found")
        return {"ref": f"refs/{ref}", "object": {"type": "commit", "sha": heads[branch]}}

    def commit(self, commit_sha: str) -> dict[str, Any]:
        """One commit of git, by its full sha."""
        self._heads()
        self._require(commit_sha, "commit", 404, "Not Found")
        return shapes.git_commit(self.bare, commit_sha)

    def new_commit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write a commit."""
        self._require(body["tree"], "tree", 422, "Tree SHA does not exist")
        for parent in body.get("parents", []):
            self._require(parent, "commit", 422, "Parent SHA does not exist or is not a commit object")
        sha = self.bare.commit(tree=body["tree"], parents=body.get("parents", []), message=body["message"])
        return shapes.git_commit(self.bare, sha)

    def commits(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The commits up to a ref, those that changed a file if one is named."""
        heads = self._heads()
        sha = self.bare.commit_of(query.get("sha", "")) if "sha" in query else heads["main"]
        if sha is None:
            raise RefusedError(404, "Not Found")
        where = ("--", query["path"]) if "path" in query else ()
        return [
            shapes.listed_commit(self.bare, found)
            for found in self.bare.text("log", "--format=%H", sha, *where).split()
        ]

    def commit_of(self, ref: str) -> dict[str, Any]:
        """The commit that a branch or a (short) sha names."""
        self._heads()
        sha = self.bare.commit_of(ref)
        if sha is None:
            raise RefusedError(422, f"No commit found for SHA: {ref}")
        return shapes.listed_commit(self.bare, sha)

    def tree(self, tree_sha: str) -> dict[str, Any]:
        """One folder, without what is below its folders."""
        self._require(tree_sha, "tree", 404, "Not Found")
        return shapes.tree(self.bare, tree_sha)

    def new_tree(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write a tree."""
        if not body["tree"]:
            raise RefusedError(422, "Invalid tree info")
        if "base_tree" in body:
            self._require(body["base_tree"], "tree", 422, "base_tree is not a valid tree oid")
        for entry in body["tree"]:
            if {"", ".", "..", ".git"} & set(entry.get("path", "").split("/")):
                raise RefusedError(422, "tree.path contains a malformed path component")
            self._require(entry.get("sha", ""), "blob", 422, f"tree.sha {entry.get('sha')} is not a valid blob")
        try:
            return shapes.tree(self.bare, self.bare.tree_with(body.get("base_tree"), body["tree"]))
        except GitError as error:
            raise RefusedError(422, "GitRPC::BadObjectState") from error

    def blob(self, file_sha: str) -> dict[str, Any]:
        """The content of a file, of any size, in lines of base64."""
        self._require(file_sha, "blob", 404, "Not Found")
        content = self.bare.run("cat-file", "blob", file_sha)
        encoded = base64.b64encode(content).decode()
        lines = [encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)]
        return {
            "sha": file_sha,
            "size": len(content),
            "encoding": "base64",
            "content": "".join(f"{line}\n" for line in lines),
        }

    def new_blob(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write the content of a file."""
        try:
            content = (
                base64.b64decode(body["content"], validate=True)
                if body.get("encoding") == "base64"
                else body["content"].encode()
            )
        except binascii.Error as error:
            raise RefusedError(422, "content is not valid Base64") from error
        return {"sha": self.bare.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()}

    def compare(self, basehead: str) -> dict[str, Any]:
        """Two commits, and the newest that they have in common."""
        one, dots, other = basehead.partition("...")
        shas = [self.bare.commit_of(ref) for ref in (one, other)]
        if not dots or None in shas:
            raise RefusedError(404, "Not Found")
        try:
            base = self.bare.text("merge-base", *(sha or "" for sha in shas))
        except GitError as error:
            raise RefusedError(404, f"No common ancestor between {one} and {other}.") from error
        shown = [shapes.listed_commit(self.bare, sha or "") for sha in (shas[0], base)]
        return {"base_commit": shown[0], "merge_base_commit": shown[1], "commits": []}

    def branch(self, branch: str) -> dict[str, Any]:
        """A branch with its protection."""
        heads = self._heads()
        if branch not in heads:
            raise RefusedError(404, "Branch not found")
        required = self.board.required
        checks: dict[str, Any] = {
            "contexts": required,
            "checks": [{"context": name, "app_id": None} for name in required],
        }
        checks["enforcement_level"] = "everyone" if required else "off"
        return {
            "name": branch,
            "commit": shapes.listed_commit(self.bare, heads[branch]),
            "protected": bool(required),
            "protection": {"enabled": bool(required), "required_status_checks": checks},
        }

    def rules(self, branch: str) -> list[dict[str, Any]]:
        """The rules of rulesets for a branch."""
        self._heads()
        if not self.board.ruled:
            return []
        parameters = {
            "required_status_checks": [{"context": name} for name in self.board.ruled],
            "strict_required_status_checks_policy": False,
        }
        rule = {"type": "required_status_checks", "parameters": parameters, "ruleset_id": 1}
        return [{**rule, "ruleset_source": f"of {branch}", "ruleset_source_type": "Repository"}]

    def _heads(self) -> dict[str, str]:
        heads = self.bare.heads()
        if not heads:
            raise RefusedError(409, "Git Repository is empty.")
        return heads

    def _require(self, sha: str, kind: str, status: int, message: str) -> None:
        if len(sha) != 40 or self.bare.kind(sha) != kind:
            raise RefusedError(status, message)
