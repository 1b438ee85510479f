"""Stores pull requests as files: `<n>.json` holds the fields of number n, `<n>.md` its text.

A person may edit both, for example set `"state": "closed"`. Whether one is merged is not stored: git knows.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.ports import RepositoryUnavailable, RepositoryWrongData


class PullRequestRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of `<n>.json`."""

    number: Annotated[int, msgspec.Meta(gt=0)]
    branch: str
    title: str
    state: Literal["open", "closed"]
    head_sha: str
    """Commit of the branch when the pull request was last proposed or the branch last written."""
    opened_at: str
    updated_at: str
    status: MergeStatus | None = None
    """What was said of `head_sha`."""


class PullRequestFiles:
    """A folder of pull requests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def records(self) -> tuple[PullRequestRecord, ...]:
        """All pull requests, newest first; none if there is no folder yet.

        Raises:
            RepositoryWrongData: a file is malformed.
            RepositoryUnavailable: the folder or a file could not be read.
        """
        found = (self._record(path) for path in self._paths() if path.suffix == ".json")
        return tuple(sorted((record for record in found if record), key=lambda record: -record.number))

    def find(self, number: int) -> PullRequestRecord | None:
        """The pull request with this number; None when there is none."""
        return self._record(self._folder / f"{number}.json")

    def body(self, number: int) -> str:
        """The text of one pull request."""
        try:
            return self.body_path(number).read_bytes().decode()
        except FileNotFoundError as error:
            raise RepositoryWrongData(f"{self.body_path(number)} is gone; restore the file") from error
        except OSError as error:
            raise RepositoryUnavailable(
                f"{self.body_path(number)} cannot be read ({error}); repair the file or its permissions"
            ) from error
        except UnicodeDecodeError as error:
            raise RepositoryWrongData(f"{self.body_path(number)} cannot be read ({error}); restore the file") from error

    def body_path(self, number: int) -> Path:
        """The path of its text."""
        return self._folder / f"{number}.md"

    def write(self, record: PullRequestRecord, body: str, *, now: datetime) -> None:
        """Store a pull request; nothing is written when only the instants would differ."""
        path = self._folder / f"{record.number}.json"
        if self._record(path) == record and self.body(record.number) == body:
            return
        stamped = msgspec.structs.replace(record, opened_at=record.opened_at or utc_text(now), updated_at=utc_text(now))
        # The body first: a pull request exists once its .json does.
        _replace(self.body_path(record.number), body.encode())
        _replace(path, msgspec.json.format(msgspec.json.encode(stamped), indent=2) + b"\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that admits one writer at a time, across processes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _paths(self) -> list[Path]:
        try:
            return list(self._folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RepositoryUnavailable(
                f"{self._folder} cannot be listed ({error}); repair the folder or its permissions"
            ) from error

    def _record(self, path: Path) -> PullRequestRecord | None:
        """The content of a file; None if there is no such file."""
        try:
            record = decode_json(path.read_bytes(), PullRequestRecord)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RepositoryUnavailable(
                f"{path} cannot be read ({error}); repair the file or its permissions"
            ) from error
        except JsonError as error:
            raise RepositoryWrongData(f"{path} is no pull request: {error}; correct or remove the file") from error
        if path.stem != str(record.number):
            raise RepositoryWrongData(
                f"{path} says it is number {record.number}; correct the number or the file's name"
            )
        return record


def _replace(path: Path, content: bytes) -> None:
    written = path.with_name(f".{path.name}.writing")
    written.write_bytes(content)
    written.replace(path)
