"""What every ItaipuRepository promises of pull requests: one suite for every implementation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.ports import ItaipuRepository, RepositoryError, RepositoryWrongData
from logcache_tests.adapters.itaipu_worlds import BRANCH, FEED, MAP, WORLDS, World, base, candidate


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of each kind."""
    with WORLDS[request.param](tmp_path) as world:
        yield world


@pytest.fixture
def repository(world: World) -> ItaipuRepository:
    """A repository of each kind."""
    return world.repository


def test_a_proposal_opens_a_pull_request(repository: ItaipuRepository) -> None:
    """It shows what was proposed."""
    sha = candidate(repository)

    shown = repository.propose(branch=BRANCH, title="Renew", body="# Evidence\r\n\nSão Paulo\n")

    assert (shown.number, shown.branch, shown.title, shown.state, shown.head_sha) == (1, BRANCH, "Renew", "open", sha)
    assert shown.body == "# Evidence\r\n\nSão Paulo\n"
    assert tuple(repository.open_pull_requests(changing=MAP)) == (shown,)


def test_proposing_again_updates_the_open_one(repository: ItaipuRepository) -> None:
    """One pull request per branch, whatever the text says."""
    candidate(repository)
    first = repository.propose(branch=BRANCH, title="Renew", body="old")

    again = repository.propose(branch=BRANCH, title="Renew again", body="new")

    assert again.number == first.number
    assert (again.title, again.body) == ("Renew again", "new")
    assert tuple(repository.open_pull_requests(changing=MAP)) == (again,)


def test_a_pull_request_follows_its_branch(repository: ItaipuRepository) -> None:
    """A new commit shows in the open pull request."""
    candidate(repository, "1\n")
    repository.propose(branch=BRANCH, title="Renew", body="")

    second = candidate(repository, "2\n")

    assert next(repository.open_pull_requests(changing=MAP)).head_sha == second


def test_pull_requests_come_newest_first(repository: ItaipuRepository) -> None:
    """Numbers go up, also past 9."""
    for n in range(11):
        candidate(repository, branch=f"log-cache/{n}")
        repository.propose(branch=f"log-cache/{n}", title=str(n), body="")

    assert [shown.number for shown in repository.open_pull_requests(changing=MAP)] == list(range(11, 0, -1))


def test_a_pull_request_is_found_by_number_and_branch(repository: ItaipuRepository) -> None:
    """No other one is listed; a missing one is an error by number, and None by branch."""
    for n in range(2):
        candidate(repository, branch=f"log-cache/{n}")
        repository.propose(branch=f"log-cache/{n}", title=str(n), body="")

    assert repository.pull_request(1).branch == "log-cache/0"
    assert repository.open_pull_request("log-cache/1") == repository.pull_request(2)
    assert repository.open_pull_request("log-cache/7") is None
    with pytest.raises(RepositoryWrongData, match="pull request 7 does not exist"):
        repository.pull_request(7)


def test_a_branch_that_does_not_exist_cannot_be_proposed(repository: ItaipuRepository) -> None:
    """Nothing is opened."""
    with pytest.raises(RepositoryError, match="no branch"):
        repository.propose(branch=BRANCH, title="t", body="b")

    assert tuple(repository.open_pull_requests(changing=MAP)) == ()


def test_a_pull_request_is_closed_with_a_comment(world: World) -> None:
    """It is open no more and can be read by its number; closing it again changes nothing."""
    repository = world.repository
    sha = candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="Evidence")

    closed = repository.close(1, comment="Superseded by #2.")

    assert (closed.state, closed.head_sha, closed.title) == ("closed", sha, "Renew")
    assert closed.body.startswith("Evidence")
    assert tuple(repository.open_pull_requests(changing=MAP)) == ()
    assert repository.close(1, comment="Superseded by #3.") == repository.pull_request(1) == closed
    assert world.comments(1) == ["Superseded by #2."]


def test_a_branch_can_be_proposed_again_after_it_was_closed(repository: ItaipuRepository) -> None:
    """In a pull request of its own; the closed one stays closed."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="Evidence")
    repository.close(1, comment="Superseded.")

    again = repository.propose(branch=BRANCH, title="Renew", body="Evidence")

    assert (again.number, again.state) == (2, "open")
    assert repository.pull_request(1).state == "closed"


def test_a_missing_pull_request_cannot_be_closed(repository: ItaipuRepository) -> None:
    """The error has its number."""
    with pytest.raises(RepositoryWrongData, match="pull request 7 does not exist"):
        repository.close(7, comment="Superseded.")


def test_only_those_that_change_the_file_are_listed(repository: ItaipuRepository) -> None:
    """What counts is what a branch changed since it left main, not how it differs from main today."""
    for branch, files in (("docs", {FEED: "database: feed # mine\n"}), ("map", {MAP: "1\n"})):
        repository.commit(branch=branch, parent=base(repository), files=files, message="By hand")
        repository.propose(branch=branch, title=branch, body="")

    assert [shown.branch for shown in repository.open_pull_requests(changing=MAP)] == ["map"]
    assert [shown.branch for shown in repository.open_pull_requests(changing=FEED)] == ["docs"]
    assert list(repository.open_pull_requests(changing="none")) == []


APPROVED = MergeStatus(state="success", sentence="Approved: São Paulo", url="https://reports.invalid/r.html")


def test_a_commit_has_the_status_that_was_set_last(repository: ItaipuRepository) -> None:
    """None before; each state; with an address or without; a second pull request of it changes nothing."""
    sha = candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="")
    shown = [repository.merge_status(sha)]

    for status in (
        APPROVED,
        MergeStatus(state="pending", sentence="x" * 140),
        MergeStatus(state="failure", sentence="y"),
    ):
        repository.set_merge_status(sha, status)
        shown.append(repository.merge_status(sha))

    assert shown == [
        None,
        APPROVED,
        MergeStatus(state="pending", sentence="x" * 140),
        MergeStatus(state="failure", sentence="y"),
    ]


def test_a_status_is_of_one_commit(repository: ItaipuRepository) -> None:
    """A push leaves it behind; proposing again does not."""
    sha = candidate(repository, "1\n")
    repository.propose(branch=BRANCH, title="Renew", body="")
    repository.set_merge_status(sha, APPROVED)

    repository.propose(branch=BRANCH, title="Renew again", body="")
    kept = repository.merge_status(sha)
    pushed = candidate(repository, "2\n")

    assert kept == APPROVED
    assert repository.merge_status(pushed) is None


def test_a_status_of_no_commit_is_refused(repository: ItaipuRepository) -> None:
    """Nothing is set."""
    with pytest.raises(RepositoryWrongData, match="name one that"):
        repository.set_merge_status("ab" * 20, APPROVED)
