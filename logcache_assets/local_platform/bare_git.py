"""Reads and writes a bare git repository with git's plumbing commands; there is no working copy.

The user's git configuration is ignored. What branches and pull requests mean is decided in itaipu_repository.py.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from logcache_assets.adapters.processes import blanker_of
from logcache_assets.domain.plain_text import shortened
from logcache_assets.local_platform.clock import REMEDY
from logcache_assets.ports import BranchMovedError, Clock, PathNotFoundError, RepositoryUnavailable, RepositoryWrongData

_SHA = re.compile(r"[0-9a-f]{4,40}")
_NO_COMMIT = "0" * 40
_AUTHOR = {"NAME": "logcache", "EMAIL": "logcache@localhost"}


class BareGit:
    """A bare repository; each method reads one thing or makes one change."""

    def __init__(self, git_dir: Path, clock: Clock) -> None:
        self.git_dir = git_dir.absolute()
        self._clock = clock

    def initialise(self, branch: str) -> None:
        """Create the repository; an existing one is left unchanged."""
        self.git_dir.parent.mkdir(parents=True, exist_ok=True)
        self._checked("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(self.git_dir))

    def branch_head(self, branch: str) -> str | None:
        """Full sha of a branch; None when there is no such branch; raises RepositoryWrongData if git cannot tell."""
        self._require_repository()
        wanted = f"refs/heads/{branch}"
        status, out, errors = self._run("for-each-ref", "--format=%(objectname) %(refname)", wanted)
        shas = (line.removesuffix(f" {wanted}") for line in out.decode().splitlines() if line.endswith(f" {wanted}"))
        sha = next(shas, None)
        # git ends with 0 and only warns when the file of a branch is broken.
        if status or (sha is None and errors):
            raise self._failure("for-each-ref", errors)
        return sha

    def resolve(self, ref: str) -> str:
        """Full sha of a branch or of a (short) sha; raises RepositoryWrongData when it is neither."""
        sha = self.branch_head(ref)
        if sha is None and _SHA.fullmatch(ref):
            status, out, _ = self._run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
            sha = out.decode().strip() if status == 0 else None
        if sha is None:
            raise RepositoryWrongData(
                f"{self.git_dir} has no branch and no single commit {ref!r}; name one that exists"
            )
        return sha

    def is_ancestor(self, sha: str, of: str) -> bool:
        """True if a commit is the other commit or one of its ancestors."""
        status, _, errors = self._run("merge-base", "--is-ancestor", sha, of)
        if status not in {0, 1}:
            raise self._failure("merge-base", errors)
        return status == 0

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that two commits have in common; raises RepositoryWrongData if there is none."""
        status, out, errors = self._run("merge-base", one, other)
        if status == 1 and not errors:
            raise RepositoryWrongData(
                f"{one} and {other} of {self.git_dir} have no commit in common; begin on the base branch"
            )
        if status:
            raise self._failure("merge-base", errors)
        return out.decode().strip()

    def differs(self, path: str, one: str, other: str) -> bool:
        """True if a file is not the same in two commits."""
        return self._entries(one, path) != self._entries(other, path)

    def changed_files(self, before: str, after: str) -> tuple[str, ...]:
        """Paths of the files that differ between the trees of two commits, ascending."""
        listed = self._checked("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
        return tuple(sorted(path.decode() for path in listed.split(b"\0") if path))

    def read(self, path: str, *, ref: str) -> bytes:
        """The bytes of a file; raises PathNotFoundError."""
        for kind, blob, found in self._entries(self.resolve(ref), path):
            if (kind, found) == ("blob", path):
                return self._checked("cat-file", "blob", blob)
        raise PathNotFoundError(
            f"there is no file {path!r} at {ref!r} of {self.git_dir}; name a path that exists there"
        )

    def list_files(self, folder: str, *, ref: str) -> tuple[str, ...]:
        """Paths of the files directly in a folder; raises PathNotFoundError."""
        entries = self._entries(self.resolve(ref), folder.strip("/") and folder.strip("/") + "/")
        if folder.strip("/") and not entries:
            raise PathNotFoundError(
                f"there is no folder {folder!r} at {ref!r} of {self.git_dir}; name a path that exists there"
            )
        return tuple(sorted(path for kind, _, path in entries if kind == "blob"))

    def versions(self, path: str, *, ref: str) -> tuple[tuple[str, datetime], ...]:
        """The commits up to a ref that changed a file, newest first: full sha and when."""
        out = self._checked("log", "--format=%H %ct", self.resolve(ref), "--", path).decode()
        lines = (line.split() for line in out.splitlines())
        return tuple((sha, datetime.fromtimestamp(int(seconds), UTC)) for sha, seconds in lines)

    def tree_with(self, parent: str | None, files: Mapping[str, str]) -> str:
        """Write the parent's tree with these files added or replaced; returns the tree's sha."""
        with tempfile.TemporaryDirectory(prefix="logcache-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if parent is not None:
                self._checked("read-tree", parent, environment=index)
            for path, text in files.items():
                blob = self._checked("hash-object", "-w", "--stdin", stdin=text.encode()).decode().strip()
                entry = f"100644,{blob},{path}"
                self._checked("update-index", "--add", "--cacheinfo", entry, environment=index)
            return self._checked("write-tree", environment=index).decode().strip()

    def is_commit(self, sha: str, *, parent: str, tree: str, message: str) -> bool:
        """True if a commit has exactly this one parent, this tree and this message."""
        shown = self._checked("show", "--no-patch", "--format=%T %P%n%B", sha).decode("utf-8", "replace")
        return shown.rstrip("\n") == f"{tree} {parent}\n{message}".rstrip("\n")

    def make_commit(self, *, tree: str, parent: str | None, message: str) -> str:
        """Create a commit dated by the clock, without moving a branch; returns its sha."""
        parents = () if parent is None else ("-p", parent)
        now = f"{int(self._clock.now().timestamp())} +0000"
        people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _AUTHOR.items()}
        dates = {"GIT_AUTHOR_DATE": now, "GIT_COMMITTER_DATE": now}
        out = self._checked("commit-tree", tree, *parents, stdin=message.encode(), environment=people | dates)
        return out.decode().strip()

    def move_branch(self, branch: str, sha: str, *, seen: str | None) -> None:
        """Move a branch to a commit if it still points to `seen` (None: if it does not exist)."""
        status, _, errors = self._run("update-ref", f"refs/heads/{branch}", sha, seen or _NO_COMMIT)
        if status:
            raise BranchMovedError(
                f"branch {branch} of {self.git_dir} was not moved from {seen or 'nothing'} to {sha}: "
                f"{_text(errors)}; look who wrote it, then run again"
            )

    def _entries(self, commit: str, path: str) -> list[tuple[str, str, str]]:
        """Kind, sha and path of the entry at a path; of all entries of a folder if the path ends with a slash."""
        where = ("--", path) if path else ()
        out = self._checked("ls-tree", "-z", "--full-tree", commit, *where).decode("utf-8", "surrogateescape")
        rows = (entry.partition("\t") for entry in out.split("\0") if entry)
        return [(about.split()[1], about.split()[2], found) for about, _, found in rows]

    def _require_repository(self) -> None:
        if not (self.git_dir / "HEAD").is_file():
            raise RepositoryWrongData(f"{self.git_dir} is no git repository; {REMEDY}")

    def _checked(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        status, out, errors = self._run(*arguments, stdin=stdin, environment=environment)
        if status:
            raise self._failure(arguments[0], errors)
        return out

    def _run(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        git = shutil.which("git")
        if git is None:
            raise RepositoryWrongData("there is no `git` on the PATH; install git, then run again")
        # A git hook that started us sets GIT_DIR and similar variables, which would lead to another repository.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        own = {
            "GIT_DIR": str(self.git_dir),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_LITERAL_PATHSPECS": "1",
            "LC_ALL": "C",
        }
        try:
            ended = subprocess.run(
                [git, *arguments],
                input=stdin,
                capture_output=True,
                check=False,
                env=inherited | own | dict(environment or {}),
            )
        except OSError as error:
            raise RepositoryUnavailable(f"git could not be started ({error}); run again") from error
        if ended.returncode < 0:
            raise RepositoryUnavailable(f"git {arguments[0]} was ended by signal {-ended.returncode}; run again")
        return ended.returncode, ended.stdout, ended.stderr

    def _failure(self, command: str, errors: bytes) -> RepositoryWrongData:
        self._require_repository()
        return RepositoryWrongData(f"git {command} failed in {self.git_dir}: {_text(errors)}; correct what it names")


def _text(errors: bytes) -> str:
    said = blanker_of({})(errors.decode("utf-8", "replace").strip())
    return shortened(said) or "git gave no reason"
