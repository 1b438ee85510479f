"""Files and commits of the repository, by the objects of git: a blob of any size, a folder with any number of files.

The API for file contents ends at 1 MB and at 1,000 files of a folder. Objects never change, so the last ones that were
read are kept.
"""

import base64
import binascii
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote

from logcache_assets.adapters.github.answers import Blob, Commit, Compared, Entry, ListedCommit, Named, Ref, Tree
from logcache_assets.adapters.github.api import GitHubApi
from logcache_assets.adapters.github.faults import GitHubRefused
from logcache_assets.domain.branch_names import is_branch_name
from logcache_assets.ports import (
    BranchMovedError,
    FileVersion,
    PathNotFoundError,
    RepositoryUnavailable,
    RepositoryWrongData,
)

FULL_SHA = re.compile(r"[0-9a-f]{40}")
_SHA = re.compile(r"[0-9a-f]{4,40}")
_NO_COMMIT = "0" * 40
_KEPT = 64
MOVE_BRANCH = """\
mutation MoveBranch($repository: ID!, $branch: GitRefname!, $seen: GitObjectID!, $sha: GitObjectID!) {
  updateRefs(input: {
    repositoryId: $repository
    refUpdates: [{name: $branch, beforeOid: $seen, afterOid: $sha, force: true}]
  }) { clientMutationId }
}
"""
"""The one way to move a branch only if it is where it was seen: the REST API has no such condition."""
_Object = TypeVar("_Object")


class GitObjects:
    """Reads and writes objects of git, and moves branches."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api
        self._commits: OrderedDict[str, Commit] = OrderedDict()
        self._trees: OrderedDict[str, tuple[Entry, ...]] = OrderedDict()
        self._blobs: OrderedDict[str, bytes] = OrderedDict()

    def __reduce__(self) -> tuple[type["GitObjects"], tuple[GitHubApi]]:
        return GitObjects, (self._api,)

    def branch_head(self, branch: str) -> str | None:
        """Full sha of a branch; None when there is no such branch."""
        if not is_branch_name(branch) or FULL_SHA.fullmatch(branch):
            return None
        found = self._api.find(f"git/ref/heads/{quote(branch)}", Ref)
        # Where there is none, an older server answers with one whose name goes on.
        return found.object.sha if found and found.ref == f"refs/heads/{branch}" else None

    def resolve(self, ref: str) -> str:
        """Full sha of a branch or of a (short) sha; raises RepositoryWrongData when it is neither."""
        is_full = FULL_SHA.fullmatch(ref) is not None
        sha = self.branch_head(ref)
        if is_full:
            found = self._find_commit(ref)
            sha = found.sha if found else None
        elif sha is None and _SHA.fullmatch(ref):
            sha = self._lengthened(ref)
        if sha is None:
            raise RepositoryWrongData(f"{self._name} has no branch and no single commit {ref!r}; name one that exists")
        return sha

    def commit(self, sha: str) -> Commit:
        """The commit with this full sha."""
        found = self._find_commit(sha)
        if found is None:
            raise RepositoryWrongData(f"{self._name} has no commit {sha}; name one that exists")
        return found

    def read(self, path: str, *, ref: str) -> bytes:
        """The bytes of a file; raises PathNotFoundError."""
        *folders, name = path.split("/")
        entries = self._folder(folders, ref=ref)
        found = next((entry for entry in entries or () if entry.path == name and entry.type == "blob"), None)
        if found is None:
            raise PathNotFoundError(
                f"there is no file {path!r} at {ref!r} of {self._name}; name a path that exists there"
            )
        return _kept(self._blobs, found.sha, self._read_blob)

    def list_files(self, folder: str, *, ref: str) -> tuple[str, ...]:
        """Paths of the files directly in a folder; raises PathNotFoundError."""
        path = folder.strip("/")
        entries = self._folder(path.split("/") if path else [], ref=ref)
        if entries is None:
            raise PathNotFoundError(
                f"there is no folder {folder!r} at {ref!r} of {self._name}; name a path that exists there"
            )
        prefix = f"{path}/" if path else ""
        return tuple(sorted(f"{prefix}{entry.path}" for entry in entries if entry.type == "blob"))

    def changed_files(self, before: str | None, after: str | None, folder: str = "") -> Iterator[str]:
        """Paths of the files that differ between two trees; folders that are the same are not read."""
        one, other = ({entry.path: entry for entry in self._entries(tree)} for tree in (before, after))
        for name in one.keys() | other.keys():
            was, now = one.get(name), other.get(name)
            if was is None or now is None or was.sha != now.sha:
                # What was a file may have become a folder.
                if any(entry and entry.type != "tree" for entry in (was, now)):
                    yield f"{folder}{name}"
                yield from self.changed_files(_tree_of(was), _tree_of(now), f"{folder}{name}/")

    def _entries(self, tree: str | None) -> tuple[Entry, ...]:
        return _kept(self._trees, tree, self._read_tree) if tree else ()

    def versions(self, path: str, *, ref: str) -> Iterator[FileVersion]:
        """The commits up to a ref that changed a file, newest first."""
        for listed in self._api.pages("commits", ListedCommit, sha=self.resolve(ref), path=path):
            yield FileVersion(sha=listed.sha, committed_at=listed.commit.committer.date)

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that two commits have in common; raises RepositoryWrongData if there is none."""
        found = self._api.find(f"compare/{one}...{other}", Compared, per_page=1)
        if found is None:
            raise RepositoryWrongData(
                f"{one} and {other} of {self._name} have no commit in common; begin on the base branch"
            )
        return found.merge_base_commit.sha

    def tree_with(self, parent: Commit, files: Mapping[str, str]) -> str:
        """Write the parent's tree with these files added or replaced; returns the tree's sha."""
        if not files:
            return parent.tree.sha
        entries = [
            {"path": path, "mode": "100644", "type": "blob", "sha": self._write_blob(text)}
            for path, text in files.items()
        ]
        return self._api.post("git/trees", Named, {"base_tree": parent.tree.sha, "tree": entries}).sha

    def make_commit(self, *, tree: str, parent: str, message: str) -> str:
        """Create a commit without moving a branch; returns its sha.

        No author is given: so GitHub signs an App's commit, which rules of a repository may ask for.
        """
        return self._api.post("git/commits", Named, {"message": message, "tree": tree, "parents": [parent]}).sha

    def move_branch(self, branch: str, sha: str, *, seen: str | None) -> None:
        """Move a branch to a commit if it still points to `seen` (None: if it does not exist)."""
        variables = {
            "repository": self._api.about.node_id,
            "branch": f"refs/heads/{branch}",
            "seen": seen or _NO_COMMIT,
            "sha": sha,
        }
        try:
            self._api.mutate(MOVE_BRANCH, variables)
        except GitHubRefused as refused:
            self._require_moved(branch, sha, seen=seen, refused=refused)

    def _require_moved(self, branch: str, sha: str, *, seen: str | None, refused: GitHubRefused) -> None:
        """Look where the branch is after a refusal: why GitHub refused is no fixed text."""
        found = self.branch_head(branch)
        if found == sha:
            return
        if found == seen:
            raise refused
        raise BranchMovedError(
            f"branch {branch} of {self._name} was not moved from {seen or 'nothing'} to {sha}: it is at "
            f"{found or 'nothing'}; look who wrote it, then run again"
        ) from refused

    @property
    def _name(self) -> str:
        return self._api.access.repository

    def _find_commit(self, sha: str) -> Commit | None:
        if sha in self._commits:
            return self._commits[sha]
        found = self._api.find(f"git/commits/{sha}", Commit)
        return None if found is None else _kept(self._commits, sha, lambda _sha: found)

    def _lengthened(self, short: str) -> str | None:
        """The full sha of a short one; None if no commit, or more than one, begins with it."""
        try:
            found = self._api.find(f"commits/{short}", Named, per_page=1)
        except GitHubRefused as refused:
            if not refused.refusal.is_unprocessable:
                raise
            return None
        # A tag may have a name that looks like a sha.
        return found.sha if found and found.sha.startswith(short) else None

    def _folder(self, folders: list[str], *, ref: str) -> tuple[Entry, ...] | None:
        """The entries of a folder; None if there is no such folder."""
        entries = _kept(self._trees, self.commit(self.resolve(ref)).tree.sha, self._read_tree)
        for name in folders:
            found = next((entry for entry in entries if entry.path == name and entry.type == "tree"), None)
            if found is None:
                return None
            entries = _kept(self._trees, found.sha, self._read_tree)
        return entries

    def _read_tree(self, sha: str) -> tuple[Entry, ...]:
        tree = self._api.get(f"git/trees/{sha}", Tree)
        if tree.truncated:
            raise RepositoryWrongData(
                f"a folder of {self._name} has more entries than GitHub lists; move the map and the definitions"
            )
        return tree.tree

    def _read_blob(self, sha: str) -> bytes:
        blob = self._api.get(f"git/blobs/{sha}", Blob)
        try:
            content = base64.b64decode(blob.content) if blob.encoding == "base64" else blob.content.encode()
        except binascii.Error:
            content = b""
        if _blob_sha(content) != sha:
            raise RepositoryUnavailable(f"a file of {self._name} was damaged on its way from GitHub; run again")
        return content

    def _write_blob(self, text: str) -> str:
        content = text.encode()
        sent = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return self._api.post("git/blobs", Named, sent).sha


def _tree_of(entry: Entry | None) -> str | None:
    return entry.sha if entry and entry.type == "tree" else None


def _blob_sha(content: bytes) -> str:
    """The name that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()


def _kept(kept: "OrderedDict[str, _Object]", sha: str, read: Callable[[str], _Object]) -> _Object:
    """An object, read unless it is among the last ones that were."""
    found = kept[sha] if sha in kept else read(sha)
    kept[sha] = found
    kept.move_to_end(sha)
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return found
