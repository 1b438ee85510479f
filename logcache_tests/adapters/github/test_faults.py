"""Every error that GitHub documents for what the adapter asks, and the sentence that it becomes."""

import re
import time

import pytest

from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.ports import (
    RepositoryDenied,
    RepositoryError,
    RepositoryUnavailable,
    RepositoryWrongData,
)
from logcache_tests.adapters.github.conftest import with_audience
from logcache_tests.adapters.itaipu_worlds import BRANCH, MAP, candidate
from logcache_tests.servers.github.faults import Fault
from logcache_tests.servers.github.hub import GitHub


def refusal(status: int, message: str, **more: object) -> Fault:
    """GitHub's answer to every request."""
    return Fault(status=status, body={"message": message, **more}, times=99)


DENIALS = [
    pytest.param(
        refusal(401, "Bad credentials"), "GitHub does not accept the credentials (Bad credentials); renew", id="401"
    ),
    pytest.param(refusal(401, "Requires authentication"), "GitHub does not accept the credentials", id="401 without"),
    pytest.param(
        refusal(403, "Resource not accessible by integration"),
        "the token or App may not do this to acme/itaipu (Resource not accessible by integration); allow it what",
        id="403 of an App",
    ),
    pytest.param(
        Fault(
            status=403,
            body={"message": "Resource not accessible by personal access token"},
            headers={"X-Accepted-GitHub-Permissions": "contents=write"},
            times=99,
        ),
        "; allow it contents=write",
        id="403 of a token, with what it lacks",
    ),
    pytest.param(refusal(403, "Must have admin rights to Repository."), "may not do this", id="403 rights"),
    pytest.param(refusal(403, "Something else"), "allow the token or App what", id="403 in other words"),
    pytest.param(
        refusal(403, "Resource protected by organization SAML enforcement. You must grant your token access."),
        "asks for single sign-on; authorize the token",
        id="403 single sign-on",
    ),
    pytest.param(
        refusal(
            403,
            "Although you appear to have the correct authorization credentials, the `acme` organization has an "
            "IP allow list enabled, and your IP address is not permitted to access this resource.",
        ),
        "accepts listed addresses alone",
        id="403 address",
    ),
    pytest.param(
        refusal(403, "This installation has been suspended"), "is suspended; have an owner", id="403 suspended"
    ),
    pytest.param(refusal(404, "Not Found"), "there is no repository acme/itaipu at http", id="404"),
]
WRONG = [
    pytest.param(refusal(409, "Git Repository is empty."), "is empty; push its base branch", id="409 empty"),
    pytest.param(refusal(451, "Repository access blocked"), "is blocked (Repository access blocked)", id="451"),
    pytest.param(
        refusal(422, "Validation Failed", errors=[{"resource": "Ref", "field": "sha", "code": "invalid"}]),
        "(422: Validation Failed: sha invalid); correct what it names",
        id="422 with a field",
    ),
    pytest.param(
        refusal(422, "Validation Failed", errors=["too long", {"message": "and wrong"}]),
        "(422: Validation Failed: too long; and wrong)",
        id="422 with sentences",
    ),
    pytest.param(refusal(410, "Gone"), "(410: Gone); correct what it names", id="410"),
    pytest.param(Fault(status=200, body="<html>Sign in</html>", times=99), "is not understood", id="a gateway's page"),
    pytest.param(Fault(kind="garbage", times=99), "is not understood", id="no JSON"),
    pytest.param(Fault(status=400, body='"no object"', times=99), "is not understood", id="an error that is no object"),
    pytest.param(Fault(status=200, body="null", times=99), "is not understood", id="nothing"),
    pytest.param(Fault(status=200, body={"message": "hello"}, times=99), "is not understood", id="another answer"),
    pytest.param(
        Fault(status=301, headers={"Location": "https://elsewhere.invalid/repos"}, times=99),
        "sends elsewhere",
        id="301 to another host",
    ),
]


@pytest.mark.parametrize(("fault", "sentence"), DENIALS)
def test_a_denial_is_lifted_by_a_person(
    github: GitHub, repository: GitHubRepository, fault: Fault, sentence: str
) -> None:
    """It is never taken for an empty answer, and nothing is asked again; the sentence says what to do."""
    github.faults.append(fault)

    with pytest.raises(RepositoryDenied, match=re.escape(sentence)) as denied:
        repository.head("main")

    assert not denied.value.is_passing
    assert github.token not in str(denied.value)
    assert fault.met == 1


@pytest.mark.parametrize(("fault", "sentence"), WRONG)
def test_a_wrong_answer_is_refused(github: GitHub, repository: GitHubRepository, fault: Fault, sentence: str) -> None:
    """It is not asked for again."""
    github.faults.append(fault)

    with pytest.raises(RepositoryWrongData, match=re.escape(sentence)):
        repository.head("main")

    assert fault.met == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=500, body={"message": "Server Error"}, times=2), id="500"),
        pytest.param(Fault(status=502, body="<html>Bad gateway</html>", times=2), id="502"),
        pytest.param(Fault(status=503, body={"message": "Service unavailable"}, times=2), id="503"),
        pytest.param(Fault(kind="drop", times=2), id="a connection that ends"),
        pytest.param(Fault(kind="cut", times=2), id="an answer that ends early"),
    ],
)
def test_a_read_is_asked_again(github: GitHub, repository: GitHubRepository, fault: Fault) -> None:
    """A few times; then it is an outage."""
    github.faults.append(fault)

    assert repository.head("main") == github.bare.heads()["main"]

    github.faults.append(Fault(kind=fault.kind, status=fault.status, body=fault.body, times=99))
    with pytest.raises(RepositoryUnavailable, match="GitHub could not answer GET") as outage:
        repository.head("main")
    assert outage.value.is_passing


@pytest.mark.parametrize(
    ("seconds", "waits"), [pytest.param("0", True, id="at once"), pytest.param("3600", False, id="after an hour")]
)
@pytest.mark.parametrize("on", ["GET git/ref/heads/main", "POST git/blobs"])
@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_waited_for_but_not_an_hour(
    github: GitHub, repository: GitHubRepository, on: str, status: int, seconds: str, *, waits: bool
) -> None:
    """A write that was limited had no effect, so it is sent again; what takes too long is an error with the time."""
    headers = {"Retry-After": seconds}
    fault = Fault(on=on, status=status, body={"message": "You have exceeded a secondary rate limit."}, headers=headers)
    github.faults.append(fault)
    begun = time.monotonic()

    try:
        candidate(repository)
        said = ""
    except RepositoryDenied as limited:
        said = str(limited)

    assert (BRANCH in github.bare.heads()) == waits
    assert ("too much was asked at once, and it may be asked again in 3,600 s" in said) == (not waits)
    assert time.monotonic() - begun < 30


def test_the_hours_requests_are_used_up(github: GitHub, repository: GitHubRepository) -> None:
    """The sentence says when they are renewed, and how not to share them."""
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1800)}
    github.faults.append(
        Fault(status=403, body={"message": "API rate limit exceeded for user ID 1."}, headers=reset, times=9)
    )

    with pytest.raises(RepositoryDenied, match=r"this hour's requests are used up, .* in 1,80\d s; wait, and give"):
        repository.head("main")


def test_an_archived_repository_is_not_written(github: GitHub, repository: GitHubRepository) -> None:
    """It can still be read."""
    github.board.is_archived = True

    with pytest.raises(RepositoryWrongData, match="acme/itaipu is archived, so nothing can be written"):
        candidate(repository)

    assert repository.read(MAP, ref="main") == "{}\n"
    assert BRANCH not in github.bare.heads()


def test_a_protected_branch_is_not_moved(github: GitHub, repository: GitHubRepository) -> None:
    """A rule for all branches needs an exception for ours."""
    github.board.protected.add(BRANCH)

    with pytest.raises(RepositoryWrongData, match="a rule of acme/itaipu protects the branch"):
        candidate(repository)

    assert BRANCH not in github.bare.heads()


@pytest.mark.parametrize("type_", ["FORBIDDEN", "INSUFFICIENT_SCOPES"])
def test_a_denial_of_graphql_is_one(github: GitHub, repository: GitHubRepository, type_: str) -> None:
    """Its errors have status 200."""
    errors = [{"message": "Resource not accessible by integration", "type": type_}]
    github.faults.append(Fault(on="POST graphql", status=200, body={"data": None, "errors": errors}, times=99))

    with pytest.raises(RepositoryDenied, match="may not do this"):
        candidate(repository)
    with pytest.raises(RepositoryDenied, match="may not do this"):
        tuple(repository.open_pull_requests(changing=MAP))


def of_graphql(message: str, type_: str | None = None, *, times: int = 99) -> Fault:
    """An error of GraphQL, which has status 200."""
    error = {"message": message} | ({"type": type_} if type_ else {})
    return Fault(on="POST graphql", status=200, body={"data": None, "errors": [error]}, times=times)


def test_a_limit_of_graphql_is_one(github: GitHub, repository: GitHubRepository) -> None:
    """It is no refusal of what was asked."""
    github.faults.append(of_graphql("API rate limit exceeded for installation ID 815.", "RATE_LIMITED"))

    with pytest.raises(RepositoryDenied, match="this hour's requests are used up, and it may be asked again in 60 s"):
        tuple(repository.open_pull_requests(changing=MAP))


def test_an_outage_of_graphql_is_one(github: GitHub, repository: GitHubRepository) -> None:
    """A query is asked again, and a branch is looked at before it is moved again."""
    message = "Something went wrong while executing your query. This may be the result of a timeout."
    github.faults += [of_graphql(message, times=2)]

    assert list(repository.open_pull_requests(changing=MAP)) == []

    github.faults += [of_graphql(message, times=1)]
    assert candidate(repository) == github.bare.heads()[BRANCH]
    github.faults += [of_graphql(message)]
    with pytest.raises(RepositoryUnavailable, match="could not answer query OpenPullRequests"):
        tuple(repository.open_pull_requests(changing=MAP))


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        pytest.param("reviewers", "nobody", "is not a collaborator of the acme/itaipu", id="an unknown person"),
        pytest.param("team_reviewers", "none", "is not a collaborator of the acme/itaipu", id="an unknown team"),
        pytest.param("labels", "log-cache", "Validation Failed: name invalid", id="a label that is refused"),
    ],
)
def test_whoever_cannot_be_asked_is_named(github: GitHub, setting: str, value: str, words: str) -> None:
    """The pull request is open; the sentence has the setting, and after its correction the rest is done."""
    if setting == "labels":
        errors = [{"resource": "Label", "field": "name", "code": "invalid"}]
        github.faults.append(
            Fault(on=".*labels", status=422, body={"message": "Validation Failed", "errors": errors}, times=1)
        )
    candidate(with_audience(github))

    with pytest.raises(
        RepositoryError, match=f"pull request 1 is open, but GitHub refused .*{value} .*{words}.*LOGCACHE_"
    ):
        with_audience(github, **{setting: (value,)}).propose(branch=BRANCH, title="Renew", body="Evidence")
    with_audience(github).propose(branch=BRANCH, title="Renew", body="Evidence")

    (request,) = github.board.requests.values()
    assert (request.labels, request.reviewers) == (["log-cache"], ["ana"])
