"""What only the local repository promises: files beside git, merging, independence from the user's git."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.ports import BranchMovedError, RepositoryError, RepositoryUnavailable

NOW = datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC)
BRANCH = "log-cache/2018-05-28-49ae32bb"


@pytest.fixture
def clock(tmp_path: Path) -> LocalClock:
    """The world's date, in 2018."""
    clock = LocalClock(tmp_path / "now")
    clock.set(NOW)
    return clock


@pytest.fixture
def repository(tmp_path: Path, clock: LocalClock) -> LocalItaipuRepository:
    """A repository with one file on main."""
    repository = LocalItaipuRepository(tmp_path / "itaipu.git", tmp_path / "pull_requests", clock)
    repository.initialise({"log_cache_map.json": "{}\n"}, "Begin")
    return repository


def candidate(repository: LocalItaipuRepository, text: str = "1\n") -> str:
    """A commit of a new map on top of main."""
    parent = repository.head("main") or ""
    return repository.commit(branch=BRANCH, parent=parent, files={"log_cache_map.json": text}, message="Renew\n\nBody")


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person does, and return what it prints."""
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - as a person finds it
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    ).stdout.strip()


def test_a_person_can_clone_it(repository: LocalItaipuRepository, tmp_path: Path) -> None:
    """It is a sound git repository, dated by the world and written by logcache."""
    candidate(repository)

    git(tmp_path, "clone", "--quiet", "--branch", BRANCH, "itaipu.git", "clone")

    assert (tmp_path / "clone" / "log_cache_map.json").read_text() == "1\n"
    assert git(tmp_path / "itaipu.git", "fsck", "--strict") == ""
    assert git(tmp_path / "clone", "log", "-1", "--format=%an %cn %at %ct %s") == (
        f"logcache logcache {NOW.timestamp():.0f} {NOW.timestamp():.0f} Renew"
    )


def test_the_users_git_settings_do_not_count(
    tmp_path: Path, clock: LocalClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another GIT_DIR, an identity, and a configuration that breaks every command change nothing."""
    for name in ("broken", ".gitconfig"):
        (tmp_path / name).write_text("[commit\n gpgSign = true")
    for name, value in {
        "GIT_DIR": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere/index",
        "GIT_OBJECT_DIRECTORY": "/nowhere/objects",
        "GIT_AUTHOR_NAME": "somebody",
        "GIT_CONFIG_GLOBAL": str(tmp_path / "broken"),
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    repository = LocalItaipuRepository(tmp_path / "itaipu.git", tmp_path / "pull_requests", clock)

    repository.initialise({"a": "1"}, "Begin")

    assert repository.read("a", ref="main") == "1"


def test_equal_worlds_have_equal_shas(tmp_path: Path, clock: LocalClock) -> None:
    """The same files, message and date make the same commit."""
    shas = {
        LocalItaipuRepository(tmp_path / name, tmp_path / "pull_requests", clock).initialise({"a": "1"}, "Begin")
        for name in ("one.git", "two.git")
    }

    assert len(shas) == 1


def test_a_repository_is_begun_once(repository: LocalItaipuRepository) -> None:
    """An existing world is not overwritten."""
    before = repository.head("main")

    with pytest.raises(RepositoryError, match="has commits already"):
        repository.initialise({"log_cache_map.json": "other"}, "Begin")

    assert repository.head("main") == before


def test_a_missing_repository_is_an_error(tmp_path: Path, clock: LocalClock) -> None:
    """Asking an empty folder, or no folder, names it and the remedy."""
    repository = LocalItaipuRepository(tmp_path / "none.git", tmp_path / "pull_requests", clock)

    for ask in (
        lambda: repository.head("main"),
        lambda: repository.read("a", ref="main"),
        lambda: repository.propose(branch=BRANCH, title="", body=""),
        lambda: repository.commit(branch=BRANCH, parent="0" * 40, files={}, message=""),
        lambda: repository.commit_to_base({}, ""),
    ):
        with pytest.raises(RepositoryError, match=r"none\.git is no git repository; .*logcache local reset"):
            ask()
    assert not (tmp_path / "none.git").exists()


def garble_branch(git_dir: Path) -> None:
    """The file of the branch is cut short."""
    (git_dir / "refs/heads" / BRANCH).write_text("0123")


def garble_packed_branches(git_dir: Path) -> None:
    """The file that lists packed branches is damaged."""
    (git_dir / "packed-refs").write_text("not a list of branches")
    (git_dir / "refs/heads" / BRANCH).unlink()


@pytest.mark.parametrize("damage", [garble_branch, garble_packed_branches])
def test_a_branch_that_git_cannot_read_is_not_taken_for_none(
    repository: LocalItaipuRepository, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Otherwise a commit could be overwritten, or a candidate proposed a second time."""
    candidate(repository)
    damage(tmp_path / "itaipu.git")

    with pytest.raises(RepositoryError, match=r"git for-each-ref failed in .*itaipu\.git: "):
        repository.head(BRANCH)


@pytest.mark.parametrize("name", ["log-cache", "log-cache/2018-05-28-49ae32b", "log-cache/*", "main/x", "a..b", ""])
def test_a_branch_is_found_by_its_whole_name(repository: LocalItaipuRepository, name: str) -> None:
    """A folder of branches, a beginning, a pattern and a name that git refuses are no branches."""
    candidate(repository)

    assert repository.head(name) is None


def test_a_folder_that_cannot_be_listed_is_not_taken_for_no_pull_request(tmp_path: Path, clock: LocalClock) -> None:
    """Otherwise a second pull request would be opened; a folder that is not there yet has none."""
    (tmp_path / "loop").symlink_to("loop")
    once = RepeatedReads(attempts=1)
    loop, none = (
        LocalItaipuRepository(tmp_path / "itaipu.git", tmp_path / name, clock, reads=once) for name in ("loop", "none")
    )

    assert none.open_pull_request(BRANCH) is None
    with pytest.raises(RepositoryUnavailable, match="loop cannot be listed"):
        loop.open_pull_request(BRANCH)


def test_a_computer_without_git_is_told(
    repository: LocalItaipuRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(RepositoryError, match="install git"):
        repository.head("main")


def test_a_file_that_is_no_text_is_an_error(repository: LocalItaipuRepository, tmp_path: Path) -> None:
    """A binary file pushed by a person is named, not garbled."""
    git(tmp_path, "clone", "--quiet", "itaipu.git", "clone")
    (tmp_path / "clone" / "log_cache_map.json").write_bytes(b"\xff\xfe")
    git(tmp_path / "clone", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "Break it")
    git(tmp_path / "clone", "push", "--quiet")

    with pytest.raises(RepositoryError, match=r"log_cache_map\.json.*UTF-8"):
        repository.read("log_cache_map.json", ref="main")


def test_a_commit_to_base_moves_it(repository: LocalItaipuRepository) -> None:
    """An analyst's edit: main has it, other files stay."""
    before = repository.head("main")

    sha = repository.commit_to_base({"contracts/feed.yaml": "x"}, "Add feed")

    assert repository.head("main") == sha != before
    assert repository.read("log_cache_map.json", ref="main") == "{}\n"


def test_a_day_later_the_commit_is_still_the_same(repository: LocalItaipuRepository, clock: LocalClock) -> None:
    """The date alone makes no new commit."""
    sha = candidate(repository)
    clock.set(NOW + timedelta(days=1))

    assert candidate(repository) == sha


def test_equal_text_writes_nothing(repository: LocalItaipuRepository, clock: LocalClock, tmp_path: Path) -> None:
    """No file is written, so even its modification time stays, also a day later."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="evidence")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "pull_requests").glob("1.*")}
    clock.set(NOW + timedelta(days=1))

    repository.propose(branch=BRANCH, title="Renew", body="evidence")

    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(before) == 2


def test_the_body_is_a_file_a_person_opens(
    repository: LocalItaipuRepository, clock: LocalClock, tmp_path: Path
) -> None:
    """The URL leads to it; the record beside it knows when it was opened and updated."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="old")
    clock.set(NOW + timedelta(hours=1))

    shown = repository.propose(branch=BRANCH, title="Renew", body="evidence")

    assert shown.url == (tmp_path / "pull_requests" / "1.md").as_uri()
    assert (tmp_path / "pull_requests" / "1.md").read_text() == "evidence"
    record = json.loads((tmp_path / "pull_requests" / "1.json").read_text())
    assert (record["opened_at"], record["updated_at"]) == ("2018-05-28T14:20:23.000Z", "2018-05-28T15:20:23.000Z")


def test_merging_publishes(repository: LocalItaipuRepository) -> None:
    """Main is the candidate, the pull request is merged; merging again changes nothing."""
    sha = candidate(repository)
    number = repository.propose(branch=BRANCH, title="Renew", body="").number

    assert repository.merge(number) == sha
    assert repository.merge(number) == sha
    assert repository.read("log_cache_map.json", ref="main") == "1\n"
    assert state_and_head(repository, number) == ("merged", sha)


def state_and_head(repository: LocalItaipuRepository, number: int) -> tuple[str, str]:
    """The state and head that a pull request's page shows."""
    shown = repository.pull_request(number)
    return shown.state, shown.head_sha


def test_a_merge_by_hand_counts(repository: LocalItaipuRepository, tmp_path: Path) -> None:
    """Git decides what is merged, whoever moved main, even after the branch was made again and then removed."""
    merged = candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="")
    git(tmp_path / "itaipu.git", "update-ref", "refs/heads/main", merged)

    assert state_and_head(repository, 1) == ("merged", merged)
    later = candidate(repository, "2\n")
    assert state_and_head(repository, 1) == ("merged", merged)
    assert repository.propose(branch=BRANCH, title="Renew", body="").number == 2
    git(tmp_path / "itaipu.git", "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert state_and_head(repository, 2) == ("open", later)
    assert state_and_head(repository, 1) == ("merged", merged)
    assert [shown.number for shown in repository.open_pull_requests()] == [2]


def test_a_base_that_moved_is_not_merged_over(repository: LocalItaipuRepository) -> None:
    """The refusal names the pull request; main and the pull request stay."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="")
    moved = repository.commit_to_base({"other": "x"}, "Meanwhile")

    with pytest.raises(BranchMovedError, match=r"main moved to .* pull request 1 is not merged"):
        repository.merge(1)

    assert repository.head("main") == moved
    assert repository.pull_request(1).state == "open"


def test_a_closed_pull_request_stays_closed(repository: LocalItaipuRepository, tmp_path: Path) -> None:
    """A person closes it in its file; it cannot be merged, and the branch gets another one."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="")
    path = tmp_path / "pull_requests" / "1.json"
    path.write_text(path.read_text().replace('"open"', '"closed"'))

    with pytest.raises(RepositoryError, match="pull request 1 is closed"):
        repository.merge(1)
    assert repository.propose(branch=BRANCH, title="Renew", body="").number == 2
    assert [repository.pull_request(number).state for number in (2, 1)] == ["open", "closed"]


def test_a_merged_pull_request_cannot_be_closed(repository: LocalItaipuRepository) -> None:
    """It is published; only a revert takes it back."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="t", body="b")
    repository.merge(1)

    with pytest.raises(RepositoryError, match="pull request 1 is merged"):
        repository.close(1, comment="Superseded.")

    assert repository.pull_request(1).state == "merged"
    assert repository.pull_request(1).body == "b"


def test_an_unknown_pull_request_cannot_be_merged(repository: LocalItaipuRepository) -> None:
    """The number is in the error."""
    with pytest.raises(RepositoryError, match="pull request 7 does not exist"):
        repository.merge(7)


def test_nothing_new_cannot_be_proposed(repository: LocalItaipuRepository) -> None:
    """A branch that main already holds is no pull request."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="")
    repository.merge(1)

    with pytest.raises(RepositoryError, match="nothing to propose"):
        repository.propose(branch=BRANCH, title="Renew", body="")


@pytest.mark.parametrize("text", ["{", '{"number": 1}', '{"number": "1"}', "[]"])
def test_a_malformed_pull_request_is_named(repository: LocalItaipuRepository, tmp_path: Path, text: str) -> None:
    """A malformed file is an error, not a missing pull request."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="")
    (tmp_path / "pull_requests" / "1.json").write_text(text)

    with pytest.raises(RepositoryError, match=r"1\.json is no pull request"):
        next(repository.open_pull_requests())


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "a/", "a//b", "a.lock", "/a", "a\n", "", "a/.b", "a~1"])
def test_a_name_that_git_refuses_is_refused(repository: LocalItaipuRepository, branch: str) -> None:
    """The commit is refused before anything is written."""
    parent = repository.head("main") or ""

    with pytest.raises(RepositoryError, match="no name of a branch"):
        repository.commit(branch=branch, parent=parent, files={"a": "1"}, message="m")
