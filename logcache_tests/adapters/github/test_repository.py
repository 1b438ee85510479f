"""What only GitHub has: sizes, forks, names, requests that are counted, reviewers who reviewed."""

from datetime import timedelta

import pytest

from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.domain.merge_status import STATUS_NAME, MergeStatus
from logcache_assets.domain.pull_request import BODY_CHARACTERS
from logcache_assets.ports import RepositoryDenied, RepositoryUnavailable, RepositoryWrongData
from logcache_tests.adapters.github.conftest import with_audience
from logcache_tests.adapters.itaipu_worlds import BRANCH, MAP, access_of, base, candidate, github_repository
from logcache_tests.servers.github.faults import Fault
from logcache_tests.servers.github.hub import GitHub


def propose(repository: GitHubRepository) -> int:
    """Commit the candidate and open its pull request."""
    candidate(repository)
    return repository.propose(branch=BRANCH, title="Renew", body="Evidence").number


def test_what_is_done_already_writes_nothing(github: GitHub) -> None:
    """The second time objects are named again, which changes nothing, and nobody is asked again."""
    repository = with_audience(github)
    propose(repository)
    repository.set_merge_status(github.bare.heads()[BRANCH], MergeStatus(state="success", sentence="Approved"))
    heads, before = github.bare.heads(), len(github.writes())

    propose(with_audience(github))
    repository.set_merge_status(heads[BRANCH], MergeStatus(state="success", sentence="Approved"))

    asked = [write for write in github.writes()[before:] if write != "POST graphql"]
    assert asked == ["POST git/blobs", "POST git/trees"]
    assert github.bare.heads() == heads
    assert (len(github.board.requests), len(github.board.statuses)) == (1, 1)


def test_a_map_of_several_megabytes_is_committed_and_read(repository: GitHubRepository) -> None:
    """The API for file contents ends at one."""
    text = "é" * 3_000_000 + "\n"

    sha = candidate(repository, text)

    assert repository.read(MAP, ref=sha) == text


def test_a_damaged_file_is_asked_for_again(github: GitHub, repository: GitHubRepository) -> None:
    """Git's name for the content proves it."""
    blob = github.bare.text("rev-parse", f"main:{MAP}")
    wrong = {
        "sha": blob,
        "content": "e30K",
        "encoding": "base64",
        "size": 3,
        "node_id": "x",
        "url": "https://x.invalid",
    }
    whole = {**wrong, "content": "e31K"}
    github.faults += [Fault(on="GET git/blobs/.*", status=200, body=body) for body in (whole,)]

    with pytest.raises(RepositoryUnavailable, match="was damaged on its way"):
        repository.read(MAP, ref="main")

    assert repository.read(MAP, ref="main") == "{}\n"


def test_a_folder_with_more_files_than_github_lists_is_refused(github: GitHub, repository: GitHubRepository) -> None:
    """A part of it would look like the whole."""
    tree = github.bare.text("rev-parse", "main^{tree}")
    github.faults.append(
        Fault(on="GET git/trees/.*", status=200, body={"sha": tree, "tree": [], "truncated": True}, times=9)
    )

    with pytest.raises(RepositoryWrongData, match="more entries than GitHub lists"):
        repository.read(MAP, ref="main")


def test_a_tag_is_no_branch(github: GitHub, repository: GitHubRepository) -> None:
    """Also one whose name looks like a sha."""
    github.bare.run("update-ref", "refs/tags/v1", base(repository))
    github.bare.run("update-ref", "refs/tags/abcd1234", base(repository))

    for ref in ("v1", "abcd1234"):
        with pytest.raises(RepositoryWrongData, match="name one that exists"):
            repository.read(MAP, ref=ref)


def test_a_branch_whose_name_goes_on_is_another(github: GitHub, repository: GitHubRepository) -> None:
    """An older server answers with it."""
    other = {"ref": "refs/heads/main-2", "object": {"sha": base(repository), "type": "commit"}}
    github.faults.append(Fault(on="GET git/ref/heads/main", status=200, body=other))

    assert repository.head("main") is None


def test_the_pull_request_of_a_fork_is_not_ours(github: GitHub, repository: GitHubRepository) -> None:
    """Its branch may have the name of ours; its owner stands in front."""
    theirs = github.bare.commit(
        tree=github.bare.described(candidate(repository))["tree"], parents=[base(repository)], message="Theirs"
    )
    github.board.open(author="eve", title="Mine", body=None, branch=BRANCH, base="main", head_sha=theirs, fork="eve")

    ours = repository.propose(branch=BRANCH, title="Renew", body="Evidence")

    assert (ours.number, ours.head_sha) == (2, repository.head(BRANCH))
    assert repository.pull_request(1).branch == f"eve:{BRANCH}"
    assert repository.pull_request(1).body == ""
    assert [shown.branch for shown in repository.open_pull_requests(changing=MAP)] == [BRANCH, f"eve:{BRANCH}"]
    assert repository.head(f"eve:{BRANCH}") is None


def test_pull_requests_into_other_branches_are_not_ours(github: GitHub, repository: GitHubRepository) -> None:
    """They publish nothing."""
    github.bare.run("update-ref", "refs/heads/other", base(repository))
    sha = candidate(repository)
    github.board.open(author="ana", title="Other", body="", branch=BRANCH, base="other", head_sha=sha)

    assert repository.open_pull_request(BRANCH) is None
    assert list(repository.open_pull_requests(changing=MAP)) == []
    with pytest.raises(RepositoryWrongData, match="pull request 1 goes into other, not into main"):
        repository.pull_request(1)


def test_hundreds_of_other_pull_requests_cost_a_few_requests(github: GitHub, repository: GitHubRepository) -> None:
    """One request tells for fifty of them whether they change the map."""
    leaves = github.bare.tree_with(
        base(repository), [{"mode": "100644", "path": "README.md", "sha": github.bare.text("rev-parse", f"main:{MAP}")}]
    )
    sha = github.bare.commit(tree=leaves, parents=[base(repository)], message="Docs")
    for n in range(60):
        github.bare.run("update-ref", f"refs/heads/docs-{n}", sha)
        github.board.open(author="ana", title="Docs", body="", branch=f"docs-{n}", base="main", head_sha=sha)
    number = propose(repository)
    before = len(github.asked)

    found = [shown.number for shown in repository.open_pull_requests(changing=MAP)]

    assert found == [number]
    assert github.asked[before:] == ["POST graphql"] * 2


def test_one_that_changes_more_files_than_are_told_is_judged(github: GitHub, repository: GitHubRepository) -> None:
    """What is not told may be the map."""
    blob = github.bare.text("rev-parse", f"main:{MAP}")
    many = [{"mode": "100644", "path": f"a/{n}", "sha": blob} for n in range(101)]
    sha = github.bare.commit(
        tree=github.bare.tree_with(base(repository), many), parents=[base(repository)], message="Many"
    )
    github.bare.run("update-ref", "refs/heads/many", sha)
    github.board.open(author="ana", title="Many", body="", branch="many", base="main", head_sha=sha)

    assert [shown.branch for shown in repository.open_pull_requests(changing=MAP)] == ["many"]


def test_a_person_who_edits_the_text_by_web_is_no_reason_to_write(github: GitHub, repository: GitHubRepository) -> None:
    """A web form changes the ends of lines."""
    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="# Evidence\n\nAll\n")
    github.board.requests[1].body = "# Evidence\r\n\r\nAll"
    before = len(github.writes())

    repository.propose(branch=BRANCH, title="Renew", body="# Evidence\n\nAll\n")

    assert github.writes()[before:] == []


def test_the_longest_text_is_accepted(github: GitHub, repository: GitHubRepository) -> None:
    """One that is a character longer is not, and GitHub says it."""
    candidate(repository)

    shown = repository.propose(branch=BRANCH, title="Renew", body="x" * BODY_CHARACTERS)

    assert len(shown.body) == BODY_CHARACTERS
    with pytest.raises(RepositoryWrongData, match="body is too long"):
        repository.propose(branch=BRANCH, title="Renew", body="x" * (BODY_CHARACTERS + 1))
    assert github.board.requests[1].body == "x" * BODY_CHARACTERS


def test_nobody_is_asked_for_a_review_of_their_own(github: GitHub) -> None:
    """GitHub refuses the author of a pull request, and with them all others."""
    github.people.collaborators.add("logcache-bot")

    propose(with_audience(github, reviewers=("logcache-bot", "ana"), team_reviewers=("data-platform",)))

    assert (github.board.requests[1].reviewers, github.board.requests[1].teams) == (["ana"], ["data-platform"])


def test_who_reviewed_is_not_asked_again(github: GitHub) -> None:
    """GitHub takes them off its list of those who were asked."""
    propose(with_audience(github))
    request = github.board.requests[1]
    request.reviewers, request.reviews = [], [("ana", "APPROVED")]

    propose(with_audience(github, labels=("log-cache", "data")))

    assert (request.reviewers, request.labels) == ([], ["log-cache", "data"])


def test_a_merged_pull_request_is_merged_however_it_was_done(github: GitHub, repository: GitHubRepository) -> None:
    """Squashed, its commit is not on main; it cannot be closed."""
    propose(repository)

    github.merge(1, merge_method="squash")

    assert repository.pull_request(1).state == "merged"
    with pytest.raises(RepositoryWrongData, match="pull request 1 is merged, so it cannot be closed; revert it"):
        repository.close(1, comment="Superseded.")


def test_what_main_holds_already_is_not_proposed(github: GitHub, repository: GitHubRepository) -> None:
    """There would be nothing to merge."""
    github.bare.run("update-ref", "refs/heads/again", base(repository))

    with pytest.raises(
        RepositoryWrongData, match="main already holds everything on again: there is nothing to propose"
    ):
        repository.propose(branch="again", title="t", body="b")

    assert github.board.requests == {}


def test_the_status_is_required_before_a_merge(github: GitHub, repository: GitHubRepository) -> None:
    """The protection of the base branch knows it by name; a newer status replaces an older one."""
    sha = candidate(repository)
    propose(repository)
    github.board.required = [STATUS_NAME]
    refused = MergeStatus(state="failure", sentence="é" * 140, url="https://reports.invalid/r.html")

    repository.set_merge_status(sha, refused)

    assert repository.merge_status(sha) == refused
    with pytest.raises(Exception, match="Required status check"):
        github.merge(1)
    repository.set_merge_status(sha, MergeStatus(state="success", sentence="Approved"))
    assert github.merge(1) == github.bare.heads()["main"]


def test_statuses_of_others_are_left_alone(github: GitHub, repository: GitHubRepository) -> None:
    """Builds have statuses, too."""
    sha = candidate(repository)
    said = {"sha": sha, "description": None, "url": None, "creator": "ci"}
    for n in range(120):
        github.board.say(name=f"build {n}", state="error", **said)  # type: ignore[arg-type]
    github.board.say(name=STATUS_NAME, state="error", **said)  # type: ignore[arg-type]

    assert repository.merge_status(sha) == MergeStatus(state="failure", sentence="")
    assert repository.merge_status(base(repository)) is None


def test_a_renamed_repository_says_its_new_name(github: GitHub, repository: GitHubRepository) -> None:
    """GitHub redirects, but without the filters of what was asked."""
    github.renamed_to = "acme/itaipu-2"

    with pytest.raises(RepositoryWrongData, match="is called acme/itaipu-2 now; set LOGCACHE_GITHUB_REPOSITORY"):
        repository.head("main")


def test_a_repository_that_vanishes_is_no_missing_branch(github: GitHub, repository: GitHubRepository) -> None:
    """GitHub tells both by 404, so the repository is asked for again."""
    repository.head("main")
    github.faults.append(Fault(status=404, body={"message": "Not Found"}, times=9))

    with pytest.raises(RepositoryDenied, match="there is no repository acme/itaipu"):
        repository.head("none")


def test_an_enterprise_server_has_a_path_of_its_own(github: GitHub) -> None:
    """REST below /api/v3, GraphQL below /api."""
    github.prefix = "/api/v3"

    sha = candidate(github_repository(github))

    assert github.bare.heads()[BRANCH] == sha


def test_the_clock_of_a_commit_is_githubs(github: GitHub, repository: GitHubRepository) -> None:
    """No author is given, so that GitHub signs what an App commits."""
    sha = candidate(repository)

    (newest, *_) = repository.versions(MAP, ref=sha)

    assert newest.committed_at - github.now() < timedelta(seconds=1)
    assert github.bare.described(sha)["author"] == "logcache[bot]"
    assert access_of(github).owner == "acme"
