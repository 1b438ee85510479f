"""Writes without an answer, and branches that others write: one commit, one pull request, nothing of others lost."""

import pytest

from logcache_assets.adapters.github.faults import WriteInDoubt
from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.ports import BranchMovedError
from logcache_tests.adapters.github.conftest import with_audience
from logcache_tests.adapters.itaipu_worlds import BRANCH, MAP, base, candidate
from logcache_tests.servers.github.faults import Fault
from logcache_tests.servers.github.hub import GitHub

OK = MergeStatus(state="success", sentence="Approved")


def push_at(github: GitHub, request: str, sha: str) -> None:
    """Somebody pushes to the candidate's branch when this request comes."""

    class Push(Fault):
        """Pushes, and disturbs nothing."""

        def fits(self, asked: str) -> bool:
            """Push once."""
            if asked == request and not self.met:
                self.met = 1
                github.bare.run("update-ref", f"refs/heads/{BRANCH}", sha)
            return False

    github.faults.append(Push())


@pytest.mark.parametrize(
    "on",
    [
        pytest.param("POST git/blobs", id="blob"),
        pytest.param("POST git/trees", id="tree"),
        pytest.param("POST git/commits", id="commit"),
        pytest.param("POST graphql", id="branch"),
    ],
)
@pytest.mark.parametrize("kind", ["drop", "drop after", "cut"])
def test_a_lost_reply_never_makes_a_second_commit(
    github: GitHub, repository: GitHubRepository, on: str, kind: str
) -> None:
    """Whoever wrote looks first: the branch is one commit on its parent, the one that is returned."""
    github.faults.append(Fault(on=on, kind=kind))  # type: ignore[arg-type]

    sha = candidate(repository)

    assert github.bare.heads()[BRANCH] == sha
    assert github.bare.described(sha)["parents"] == base(repository)
    assert github.bare.text("diff", "--name-only", base(repository), sha) == MAP
    assert candidate(repository) == sha


@pytest.mark.parametrize("on", ["POST pulls", "POST issues/1/labels", "POST pulls/1/requested_reviewers"])
@pytest.mark.parametrize("kind", ["drop", "drop after", "cut", "answer"])
def test_a_lost_reply_never_opens_a_second_pull_request(github: GitHub, on: str, kind: str) -> None:
    """There is one, with the labels and reviewers that were asked for, each once."""
    repository = with_audience(github)
    candidate(repository)
    github.faults.append(Fault(on=on, kind=kind))  # type: ignore[arg-type]

    shown = repository.propose(branch=BRANCH, title="Renew", body="Evidence")

    (request,) = github.board.requests.values()
    assert (shown.number, request.labels, request.reviewers) == (1, ["log-cache"], ["ana"])


@pytest.mark.parametrize("on", ["PATCH pulls/1", "POST issues/1/comments"])
@pytest.mark.parametrize("kind", ["drop", "drop after", "answer"])
def test_a_lost_reply_never_says_a_comment_twice(
    github: GitHub, repository: GitHubRepository, on: str, kind: str
) -> None:
    """The pull request is closed with one comment."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="Evidence")
    github.faults.append(Fault(on=on, kind=kind))  # type: ignore[arg-type]

    closed = repository.close(1, comment="Superseded.")

    assert closed.state == "closed"
    assert github.board.requests[1].comments == [("logcache-bot", "Superseded.")]


@pytest.mark.parametrize("kind", ["drop", "drop after", "answer"])
def test_a_lost_reply_never_sets_a_status_twice(github: GitHub, repository: GitHubRepository, kind: str) -> None:
    """A commit has room for a thousand of them."""
    sha = candidate(repository)
    github.faults.append(Fault(on="POST statuses/.*", kind=kind))  # type: ignore[arg-type]

    repository.set_merge_status(sha, OK)

    assert [status.state for status in github.board.statuses] == ["success"]


def test_a_write_that_is_never_answered_is_an_outage(github: GitHub, repository: GitHubRepository) -> None:
    """After a few attempts, each of which looked first; nothing is left behind but objects that nobody sees."""
    github.faults.append(Fault(on="POST graphql", status=502, times=99))

    with pytest.raises(WriteInDoubt, match="GitHub could not answer mutation MoveBranch"):
        candidate(repository)

    assert BRANCH not in github.bare.heads()
    assert sum(asked == "POST graphql" for asked in github.asked) == 4


def test_a_branch_that_others_moved_is_left_to_them(github: GitHub, repository: GitHubRepository) -> None:
    """Between the look and the write somebody pushes: their commit stays."""
    first = candidate(repository, "1\n")
    tree = github.bare.described(first)["tree"]
    theirs = github.bare.commit(tree=tree, parents=[first], message="Push")
    push_at(github, "POST git/commits", theirs)

    with pytest.raises(BranchMovedError, match=f"it is at {theirs}; look who wrote it"):
        candidate(repository, "2\n")

    assert github.bare.heads()[BRANCH] == theirs


def test_a_branch_that_others_made_is_left_to_them(github: GitHub, repository: GitHubRepository) -> None:
    """The same where there was none."""
    push_at(github, "POST git/commits", base(repository))

    with pytest.raises(BranchMovedError, match=f"was not moved from nothing to .*: it is at {base(repository)}"):
        candidate(repository)

    assert github.bare.heads()[BRANCH] == base(repository)
