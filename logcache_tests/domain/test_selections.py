"""How selections of databases are named in documents and branches."""

import pytest

from logcache_assets.domain.selections import branch_name, selection_name
from logcache_tests.domain.samples import NIGHT, READ_AT


@pytest.mark.parametrize(
    ("databases", "name"),
    [
        pytest.param(["feed", "customers", "a", "b"], "all", id="the whole catalog in any order"),
        pytest.param(["feed"], "feed", id="one"),
        pytest.param(["feed", "customers"], "customers_feed", id="two, sorted"),
        pytest.param(["feed", "a", "customers"], "a_customers_feed", id="three"),
    ],
)
def test_a_selection_is_named_by_its_databases(databases: list[str], name: str) -> None:
    """Short names for documents and branches."""
    assert selection_name(databases, catalog=["a", "b", "customers", "feed"]) == name


def test_a_large_selection_has_a_short_name_of_its_own() -> None:
    """Its size and a digest: the same for any order, another for any other choice."""
    catalog = [f"database-{n}" for n in range(50)]

    name = selection_name(catalog[:17], catalog=catalog)

    assert name.startswith("17_")
    assert len(name) == len("17_4f1d20aa")
    assert selection_name(list(reversed(catalog[:17])), catalog=catalog) == name
    assert selection_name(catalog[1:18], catalog=catalog) != name


def test_a_branch_is_named_by_night_and_selection() -> None:
    """A partial refresh never moves the branch of the whole one."""
    assert branch_name(transaction=NIGHT, started_at=READ_AT, selection="all") == "log-cache/2018-05-24-1c7be4a9"
    assert branch_name(transaction=NIGHT, started_at=READ_AT, selection="feed") == "log-cache/2018-05-24-1c7be4a9-feed"
