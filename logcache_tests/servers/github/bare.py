"""A bare git repository, asked by git's own commands: the truth about commits, whoever writes them."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

AUTHOR = "logcache[bot]"


class GitError(Exception):
    """Git refused a command; the text is git's own."""


class Bare:
    """A bare repository at a path.

    Args:
        folder: of the repository.
        now: dates commits.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.folder = folder
        self._now = now

    def run(self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None) -> bytes:
        """What git prints; raises GitError."""
        own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_LITERAL_PATHSPECS": "1"}
        done = subprocess.run(
            ["git", f"--git-dir={self.folder}", *arguments],  # noqa: S607 - the one that is there
            input=stdin,
            capture_output=True,
            check=False,
            env={**os.environ, **own, **(variables or {})},
        )
        if done.returncode:
            raise GitError(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def text(self, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        """What git prints, as text without the last line end."""
        return self.run(*arguments, variables=variables).decode("utf-8", "replace").rstrip("\n")

    def heads(self) -> dict[str, str]:
        """Branch → sha."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/").splitlines()
        pairs = (line.split() for line in lines)
        return {name.removeprefix("refs/heads/"): sha for name, sha in pairs}

    def kind(self, sha: str) -> str | None:
        """`commit`, `tree` or `blob`; None if there is no such object."""
        try:
            return self.text("cat-file", "-t", sha)
        except GitError:
            return None

    def commit_of(self, ref: str) -> str | None:
        """The full sha of a branch or a (short) sha; None if it is neither."""
        if ref in (heads := self.heads()):
            return heads[ref]
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        except GitError:
            return None

    def described(self, sha: str) -> dict[str, str]:
        """Tree, parents, instants and message of a commit."""
        names = ("tree", "parents", "authored", "committed", "author", "message")
        shown = self.text("show", "--no-patch", "--format=%T%x00%P%x00%aI%x00%cI%x00%an%x00%B", sha)
        return dict(zip(names, shown.split("\0"), strict=True))

    def entries(self, tree: str) -> list[tuple[str, str, str, str]]:
        """Mode, kind, sha and name of the entries of a tree."""
        rows = self.run("ls-tree", "-z", tree).decode("utf-8", "surrogateescape").split("\0")
        parted = (row.partition("\t") for row in rows if row)
        return [(*about.split(), name) for about, _, name in parted]  # type: ignore[misc]

    def tree_with(self, base: str | None, entries: Sequence[Mapping[str, str]]) -> str:
        """Write a tree: the base's entries, some of them replaced."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if base:
                self.run("read-tree", base, variables=index)
            for entry in entries:
                added = f"{entry['mode']},{entry['sha']},{entry['path']}"
                self.run("update-index", "--add", "--cacheinfo", added, variables=index)
            return self.text("write-tree", variables=index)

    def commit(self, *, tree: str, parents: Sequence[str], message: str) -> str:
        """Write a commit without moving a branch."""
        when = f"{int(self._now().timestamp())} +0000"
        people = {f"GIT_{role}_NAME": AUTHOR for role in ("AUTHOR", "COMMITTER")}
        mails = {f"GIT_{role}_EMAIL": "bot@github.invalid" for role in ("AUTHOR", "COMMITTER")}
        dates = {f"GIT_{role}_DATE": when for role in ("AUTHOR", "COMMITTER")}
        of = [part for parent in parents for part in ("-p", parent)]
        out = self.run("commit-tree", tree, *of, stdin=message.encode(), variables={**people, **mails, **dates})
        return out.decode().strip()

    def move(self, branch: str, sha: str, *, seen: str | None) -> None:
        """Move a branch; raises GitError if it is not where it was seen (None: it must not exist)."""
        self.run("update-ref", f"refs/heads/{branch}", sha, seen or "0" * 40)

    def is_ancestor(self, sha: str, of: str) -> bool:
        """True if a commit is another one, or was before it."""
        try:
            self.run("merge-base", "--is-ancestor", sha, of)
        except GitError:
            return False
        return True

    def merged_tree(self, base: str, head: str) -> str:
        """The tree of a merge; raises GitError on a conflict."""
        return self.text("merge-tree", "--write-tree", base, head)
