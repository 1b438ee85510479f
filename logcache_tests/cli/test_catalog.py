"""`logcache catalog pull`: the catalog becomes equal to main's definitions, or stays unchanged."""

import pytest

from logcache_assets.cli import catalog
from logcache_assets.errors import BadInput, Refused
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.local_platform.world import World
from logcache_assets.ports import RepositoryError
from logcache_tests.worlds import files_of


def test_pulling_the_catalog_copies_what_main_says(world: World) -> None:
    """Changed, added and removed definitions are named; a second time nothing changes."""
    feed = (world.catalog / "feed.yaml").read_text(encoding="utf-8")
    (world.catalog / "feed.yaml").write_text("# edited by hand\n" + feed, encoding="utf-8")
    (world.catalog / "customers.yaml").unlink()
    (world.catalog / "former.yaml").write_text("database: former\n", encoding="utf-8")

    first, second = catalog.pull(world.settings), catalog.pull(world.settings)

    assert first.changed == ["customers.yaml", "feed.yaml", "former.yaml"]
    assert list(catalog.render(second)) == [f"{world.catalog}: nothing changed"]
    assert (world.catalog / "feed.yaml").read_text(encoding="utf-8") == feed
    assert sorted(file.name for file in world.catalog.iterdir()) == ["customers.yaml", "double-entry.yaml", "feed.yaml"]


def test_a_malformed_definition_on_main_leaves_the_catalog(world: World) -> None:
    """All are checked before the first is written."""
    world.repository.commit_to_base({"contracts/feed.yaml": "database: feed\n"}, "Break feed")
    before = files_of(world.catalog)

    with pytest.raises(BadInput, match=r"contracts/feed\.yaml, line 1: Object missing required field `prototypes`"):
        catalog.pull(world.settings)

    assert files_of(world.catalog) == before


@pytest.mark.parametrize(
    ("files", "error"),
    [
        pytest.param({"contracts/README.md": "none yet\n"}, Refused, id="a folder without definitions"),
        pytest.param({"README.md": "none yet\n"}, RepositoryError, id="no such folder"),
    ],
)
def test_a_main_without_definitions_leaves_the_catalog(
    world: World, files: dict[str, str], error: type[Exception]
) -> None:
    """A wrong repository must not empty the catalog."""
    other = world.home / "other.git"
    LocalItaipuRepository(other, world.home / "pull_requests", world.clock).initialise(files, "Begin")
    (world.home / "itaipu.git").rename(world.home / "former.git")
    other.rename(world.home / "itaipu.git")
    before = files_of(world.catalog)

    with pytest.raises(error, match="contracts"):
        catalog.pull(world.settings)

    assert files_of(world.catalog) == before
