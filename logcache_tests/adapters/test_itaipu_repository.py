"""What every ItaipuRepository promises of files, versions and commits: one suite for every implementation.

An adapter joins by a factory in itaipu_worlds.WORLDS; test_pull_requests.py has the other half of the port.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_assets.ports import FileVersion, ItaipuRepository, PathNotFoundError, RepositoryError
from logcache_tests.adapters.itaipu_worlds import BASE_FILES, BRANCH, FEED, MAP, WORLDS, World, base, candidate
from logcache_tests.elsewhere import answer_elsewhere


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of each kind."""
    with WORLDS[request.param](tmp_path) as world:
        yield world


@pytest.fixture
def repository(world: World) -> ItaipuRepository:
    """A repository of each kind."""
    return world.repository


def commit_on(repository: ItaipuRepository, parent: str, files: dict[str, str]) -> str:
    """Commit on top of another commit, on a new branch."""
    return repository.commit(branch=f"log-cache/on-{parent[:8]}", parent=parent, files=files, message="Go on")


def test_files_are_read_at_a_branch_and_at_a_sha(repository: ItaipuRepository) -> None:
    """A branch, a full sha and a short sha (an Itaipu version) name the same commit."""
    sha = base(repository)

    for ref in ("main", sha, sha[:8]):
        assert repository.read("contracts/deeper/notes.md", ref=ref) == "São Paulo\n"


def test_a_folder_shows_the_files_directly_in_it(repository: ItaipuRepository) -> None:
    """Whole paths, ascending, without files in subfolders."""
    assert repository.list_files("contracts", ref="main") == ("contracts/double-entry.yaml", "contracts/feed.yaml")
    assert repository.list_files("contracts/deeper/", ref="main") == ("contracts/deeper/notes.md",)
    assert repository.list_files("", ref="main") == ("log_cache_map.json",)


@pytest.mark.parametrize("path", ["contracts/none.yaml", "contracts", "none", "contracts/feed.yaml/x"])
def test_a_missing_file_is_named(repository: ItaipuRepository, path: str) -> None:
    """The error names the path and the ref."""
    with pytest.raises(PathNotFoundError, match=f"'{path}' at 'main'"):
        repository.read(path, ref="main")


@pytest.mark.parametrize("folder", ["none", "contracts/feed.yaml"])
def test_a_missing_folder_is_named(repository: ItaipuRepository, folder: str) -> None:
    """A missing folder is an error, not an empty folder."""
    with pytest.raises(PathNotFoundError, match=f"'{folder}' at 'main'"):
        repository.list_files(folder, ref="main")


@pytest.mark.parametrize("ref", ["none", "0123abcd", "--help", "", "main~0", "HEAD"])
def test_an_unknown_ref_is_an_error(repository: ItaipuRepository, ref: str) -> None:
    """Only branches and commits are refs; other git notation is an error, never an empty answer."""
    for ask in (repository.read, repository.versions):
        with pytest.raises(RepositoryError, match="name one that exists"):
            ask(MAP, ref=ref)


def test_the_versions_of_a_file_come_newest_first(world: World) -> None:
    """Each with its full sha and the instant of its commit; commits that do not change the file are left out."""
    repository = world.repository
    begun = base(repository)
    first_at = world.wait()
    first = commit_on(repository, begun, {MAP: "1\n"})
    world.wait()
    between = commit_on(repository, first, {FEED: "database: feed # mine\n"})
    second_at = world.wait()
    second = commit_on(repository, between, {MAP: "2\n", "contracts/deeper/notes.md": "other\n"})

    *newer, oldest = repository.versions(MAP, ref=second)

    assert newer == [
        FileVersion(sha=second, committed_at=second_at),
        FileVersion(sha=first, committed_at=first_at),
    ]
    assert oldest.sha == begun
    assert oldest.committed_at < first_at
    assert [version.sha for version in repository.versions(FEED, ref=second)] == [between, begun]


def test_versions_end_at_their_ref(repository: ItaipuRepository) -> None:
    """Later commits, and commits on other branches, are not among the versions up to a branch, sha or short sha."""
    first = commit_on(repository, begun := base(repository), {MAP: "1\n"})
    second = commit_on(repository, first, {MAP: "2\n"})
    candidate(repository, "3\n")

    def shas(ref: str) -> list[str]:
        return [version.sha for version in repository.versions(MAP, ref=ref)]

    assert shas("main") == [begun]
    assert shas(first) == shas(first[:8]) == [first, begun]
    assert shas(second) == [second, first, begun]
    assert shas(BRANCH) == [repository.head(BRANCH), begun]


def test_a_commit_of_the_same_bytes_is_no_version(repository: ItaipuRepository) -> None:
    """A commit that writes the same bytes does not change the file."""
    again = commit_on(repository, base(repository), {MAP: BASE_FILES[MAP], FEED: "database: feed # mine\n"})

    assert [version.sha for version in repository.versions(MAP, ref=again)] == [base(repository)]


@pytest.mark.parametrize("path", ["none", "contracts/none.yaml", "contracts/*.yaml", "new/file.txt"])
def test_a_file_that_never_was_has_no_version(repository: ItaipuRepository, path: str) -> None:
    """The answer is empty, not an error; files of other branches do not count, and a path is no pattern."""
    commit_on(repository, base(repository), {"new/file.txt": "x\n"})

    assert repository.versions(path, ref="main") == ()


def test_a_missing_branch_has_no_head(repository: ItaipuRepository) -> None:
    """None means that there is no such branch."""
    assert repository.head(BRANCH) is None


def test_a_commit_changes_its_files_alone(repository: ItaipuRepository) -> None:
    """The branch has the new files and all others of its parent; main is unchanged."""
    before = base(repository)

    sha = candidate(repository)

    assert repository.head(BRANCH) == sha
    assert repository.read("log_cache_map.json", ref=BRANCH) == '{"s0": {}}\n'
    assert repository.read("contracts/feed.yaml", ref=sha[:8]) == "database: feed\n"
    assert repository.head("main") == before
    assert repository.read("log_cache_map.json", ref="main") == "{}\n"


def test_the_same_commit_again_changes_nothing(world: World) -> None:
    """A stage that runs again later finds its commit."""
    first = candidate(world.repository)
    world.wait()

    assert candidate(world.repository) == first == world.repository.head(BRANCH)


def test_a_branch_is_always_one_commit_on_its_parent(repository: ItaipuRepository) -> None:
    """Another content replaces the commit instead of adding a second one."""
    first = candidate(repository, "1\n")
    second = candidate(repository, "2\n")

    assert first != second
    assert repository.head(BRANCH) == second
    third = repository.commit(
        branch=BRANCH, parent=base(repository), files={"new/file.txt": "3\n"}, message="Renew the log cache"
    )
    assert repository.read("log_cache_map.json", ref=third) == "{}\n"
    assert repository.list_files("new", ref=third) == ("new/file.txt",)


def test_another_message_is_another_commit(repository: ItaipuRepository) -> None:
    """The message is part of the commit."""
    files = {"log_cache_map.json": "1\n"}

    shas = {
        repository.commit(branch=BRANCH, parent=base(repository), files=files, message=message)
        for message in ("One", "Two\n\nwith a body")
    }

    assert len(shas) == 2


def test_the_base_branch_is_never_written(repository: ItaipuRepository) -> None:
    """Neither committed to nor proposed."""
    before = base(repository)

    with pytest.raises(RepositoryError, match="base branch"):
        candidate(repository, branch="main")
    with pytest.raises(RepositoryError, match="base branch"):
        repository.propose(branch="main", title="t", body="b")

    assert repository.head("main") == before


@pytest.mark.parametrize("parent", ["main", "0" * 40, "abc", ""])
def test_a_parent_is_the_full_sha_of_a_commit(repository: ItaipuRepository, parent: str) -> None:
    """A branch's name is refused, because the branch may move."""
    with pytest.raises(RepositoryError):
        repository.commit(branch=BRANCH, parent=parent, files={}, message="m")

    assert repository.head(BRANCH) is None


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", ".git/config", "a/../b", ""])
def test_a_path_outside_the_tree_is_refused(repository: ItaipuRepository, path: str) -> None:
    """Only paths inside the repository can be committed."""
    with pytest.raises(RepositoryError):
        repository.commit(branch=BRANCH, parent=base(repository), files={path: "x"}, message="m")

    assert repository.head(BRANCH) is None


def test_the_base_branch_has_a_name(repository: ItaipuRepository) -> None:
    """It exists, and it is the one that is never written."""
    assert repository.head(repository.base_branch) is not None
    with pytest.raises(RepositoryError, match="base branch"):
        candidate(repository, branch=repository.base_branch)


def test_a_repository_travels_to_another_process(repository: ItaipuRepository) -> None:
    """Pickled and opened elsewhere it reads the same."""
    assert answer_elsewhere(repository.read, MAP, ref=repository.base_branch) == BASE_FILES[MAP]


def test_a_branch_left_main_at_one_commit(repository: ItaipuRepository) -> None:
    """By branch, full or short sha; main itself left nowhere."""
    begun = base(repository)
    first = candidate(repository)

    assert [repository.merge_base(ref) for ref in (BRANCH, first, first[:8], "main")] == [begun] * 4
    with pytest.raises(RepositoryError, match="name one that exists"):
        repository.merge_base("none")


def test_files_that_differ_between_two_commits_are_named(repository: ItaipuRepository) -> None:
    """Added, changed and removed ones, in folders too, from either side; a commit differs from itself in nothing."""
    begun = base(repository)
    files = {MAP: '{"s0": {}}\n', "docs/how/to.md": "new", "contracts/cards.yaml": "new"}
    later = repository.commit(branch=BRANCH, parent=begun, files=files, message="m")

    assert repository.changed_files(begun, BRANCH) == ("contracts/cards.yaml", "docs/how/to.md", MAP)
    assert repository.changed_files(later[:8], begun) == ("contracts/cards.yaml", "docs/how/to.md", MAP)
    assert repository.changed_files(later, later) == ()
    with pytest.raises(RepositoryError, match="name one that exists"):
        repository.changed_files("none", later)


def test_a_branch_without_a_beginning_in_main_is_refused(world: World) -> None:
    """Nothing tells what it changes."""
    world.push_root("alone", {MAP: "1\n"})

    with pytest.raises(RepositoryError, match="no commit in common; begin on the base branch"):
        world.repository.merge_base("alone")
