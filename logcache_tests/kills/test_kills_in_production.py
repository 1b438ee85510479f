"""A refresh that reaches everything over a network may be killed at any line, too: same objects, commit and request.

The servers go on while all processes of the world are killed. `make test-servers` kills at every boundary and at a few
instants, `make test-kills` at more.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from logcache_tests.kills.end_state import BOUNDARIES, EndState, end_state, has_document, require_same_end
from logcache_tests.kills.killing import refresh_world
from logcache_tests.kills.small_data import write_small_data
from logcache_tests.servers.databricks_runs import SUCCESS
from logcache_tests.servers.production.scene import Production, production
from logcache_tests.servers.server import Server

pytestmark = pytest.mark.servers


def small(folder: Path, s3: Server, dynamodb: Server) -> AbstractContextManager[Production]:
    """A small world on these servers, ready for a refresh."""
    return production(folder, s3=s3, dynamodb=dynamodb, write_data=write_small_data)


@pytest.fixture
def scene(versitygw_server: Server, dynamodb_server: Server, tmp_path: Path) -> Iterator[Production]:
    """The world of one test."""
    with small(tmp_path, versitygw_server, dynamodb_server) as found:
        yield found


@pytest.fixture(scope="session")
def unkilled(
    versitygw_server: Server, dynamodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[EndState, float]:
    """The end of a refresh that nobody killed, and how long it took."""
    with small(tmp_path_factory.mktemp("unkilled"), versitygw_server, dynamodb_server) as scene:
        ended = refresh_world(scene.world)
        assert ended.exit_code == 0, ended.told
        return end_state(scene.world), ended.seconds


def require_one_of_each(scene: Production) -> None:
    """Whatever was killed, the notebook ran once, and one pull request was opened."""
    (run,) = scene.databricks.jobs.runs.values()
    assert run.state == SUCCESS
    assert list(scene.github.board.requests) == [1]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_killed_as_soon_as_a_document_is_stored(
    unkilled: tuple[EndState, float], scene: Production, boundary: str
) -> None:
    """Between a stage's document and Dagster's own record of the stage, and wherever the kill falls after it."""
    require_same_end(scene.world, unkilled[0], lambda _: has_document(scene.world, boundary))
    require_one_of_each(scene)


def test_killed_at_seeded_instants(unkilled: tuple[EndState, float], scene: Production, instant: float) -> None:
    """At any time from its start to its end."""
    after = instant * unkilled[1]

    require_same_end(scene.world, unkilled[0], lambda passed: passed >= after)
    require_one_of_each(scene)
