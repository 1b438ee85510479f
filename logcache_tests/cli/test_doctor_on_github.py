"""`logcache doctor` where the itaipu repository is on GitHub: what would stop a refresh, or let a bad one be merged."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logcache_assets.domain.merge_status import STATUS_NAME
from logcache_assets.local_platform.world import World
from logcache_tests.cli.test_doctor import examined, unwell
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.people import APP_ID, INSTALLATION_ID, app_key
from logcache_tests.servers.github.server import served_github
from logcache_tests.worlds import settings_at


@pytest.fixture
def github(feed_world: World) -> Iterator[GitHub]:
    """The world's repository on the stand-in, as it must be."""
    with served_github(Path(feed_world.files.repository), now=feed_world.clock.now) as github:
        github.board.required = [STATUS_NAME]
        yield github
        assert github.complaints == []


def variables(github: GitHub, *, as_app: bool = False) -> dict[str, str]:
    """The settings of a world on it."""
    own = {name.removeprefix("LOGCACHE_"): value for name, value in github.variables.items()}
    if as_app:
        del own["GITHUB_TOKEN"]
        app = {"APP_ID": str(APP_ID), "APP_INSTALLATION": str(INSTALLATION_ID), "APP_KEY": app_key()}
        own |= {f"GITHUB_{name}": value for name, value in app.items()}
    return own


@pytest.mark.parametrize("as_app", [False, True])
def test_a_repository_as_it_must_be_is_well(feed_world: World, github: GitHub, *, as_app: bool) -> None:
    """Nothing but an object that no commit names is written."""
    settings = settings_at(feed_world.home, **variables(github, as_app=as_app))
    heads = github.bare.heads()

    found = examined(settings)

    assert unwell(settings) == {}
    assert {check for system, check in found if system == "itaipu repository"} == {"map", "rights", "required status"}
    assert github.bare.heads() == heads
    assert [write for write in github.writes() if "access_tokens" not in write] == ["POST git/blobs"]


def require_nothing(github: GitHub) -> None:
    """No rule of the branch."""
    github.board.required = []


def archive(github: GitHub) -> None:
    """The repository becomes read-only."""
    github.board.is_archived = True


def take_rights(github: GitHub) -> None:
    """The App and the token may read alone."""
    github.people.app_rights |= {"contents": "read"}
    caller = github.people.callers[github.token]
    dict.update(caller.rights, {"contents": "read"})


def forget(github: GitHub) -> None:
    """The token is revoked."""
    github.people.callers.clear()


@pytest.mark.parametrize(
    ("change", "check", "mark", "words"),
    [
        pytest.param(require_nothing, "required status", "warning", "main does not require", id="nothing required"),
        pytest.param(archive, "rights", "failed", "acme/itaipu is archived", id="archived"),
        pytest.param(take_rights, "rights", "failed", "may not push to acme/itaipu", id="no right to push"),
        pytest.param(forget, "map", "failed", "GitHub does not accept the credentials", id="a revoked token"),
    ],
)
def test_what_is_wrong_is_shown(
    feed_world: World, github: GitHub, change: Callable[[GitHub], None], check: str, *, mark: str, words: str
) -> None:
    """With what to do."""
    change(github)

    found = examined(settings_at(feed_world.home, **variables(github)))["itaipu repository", check]

    assert found.mark == mark
    assert words in found.found
    assert found.remedy


def test_an_app_that_lacks_a_permission_names_it(feed_world: World, github: GitHub) -> None:
    """Before the first refresh, which would find out at its end."""
    take_rights(github)
    del github.people.app_rights["statuses"]

    found = examined(settings_at(feed_world.home, **variables(github, as_app=True)))["itaipu repository", "rights"]

    assert (found.mark, found.found) == ("failed", "the App lacks contents=write, statuses=write")


def test_a_ruleset_may_require_the_status(feed_world: World, github: GitHub) -> None:
    """Rulesets are the newer way, and are asked for, too."""
    github.board.required, github.board.ruled = [], [STATUS_NAME]

    assert (
        examined(settings_at(feed_world.home, **variables(github)))["itaipu repository", "required status"].mark == "ok"
    )


def test_a_reviewer_who_is_not_known_is_named(feed_world: World, github: GitHub) -> None:
    """A refresh would find out at its end."""
    asked = {**variables(github), "GITHUB_REVIEWERS": "ana, carla"}

    found = examined(settings_at(feed_world.home, **asked))["itaipu repository", "reviewers"]
    github.people.collaborators.add("carla")
    corrected = examined(settings_at(feed_world.home, **asked))["itaipu repository", "reviewers"]

    assert (found.mark, found.found) == ("failed", "carla cannot be asked for a review")
    assert (corrected.mark, corrected.found) == ("ok", "ana, carla can be asked for a review")
