"""What a notebook says of an error is shown on a page that many may see."""

import json

import pytest

from logcache_assets.connect import NOTEBOOK
from logcache_assets.local_platform.notebook_process import DbUtils
from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment
from logcache_tests.worlds import materialize


def test_the_words_of_a_librarys_error_are_not_told(feed_world: World) -> None:
    """They may quote values of the log; its kind and its place are enough to look for the cause."""
    materialize(feed_world, "nightly_transaction", "log_export/feed")
    listed = feed_world.store.list_uris(feed_world.settings.locations.documents)
    (request,) = (uri for uri in listed if "request" in uri)
    parameters = {"request": request, "settings": json.dumps(child_environment(feed_world.settings))}

    def fail(_: str) -> None:
        raise ValueError('conversion failed for values ["somebody\'s name"]')  # as polars says it

    with pytest.raises(RuntimeError) as refusal:
        exec(compile(NOTEBOOK.read_bytes(), str(NOTEBOOK), "exec"), {"dbutils": DbUtils(parameters), "print": fail})  # noqa: S102 - the notebook is ours

    assert "somebody" not in str(refusal.value)
    assert str(refusal.value).startswith("ValueError in test_notebook_words.py, line ")
    assert refusal.value.__cause__ is None
