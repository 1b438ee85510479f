"""Waits for what a deployment does by itself."""

import time
from collections.abc import Callable
from typing import Any

from logcache_tests.servers.deployment.proxy import Proxy

LONG = 300.0
"""Seconds for a refresh on a busy machine."""


def until(holds: Callable[[], Any], *, seconds: float = LONG, told: Callable[[], object] = str) -> Any:  # noqa: ANN401 - what `holds` finds
    """Wait until something holds, and return it; `told` says what happened instead."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"it did not happen in time: {told()}"
        time.sleep(0.3)
    return found


def is_loaded(proxy: Proxy) -> bool:
    """True once Dagit knows the code location."""
    query = "query { workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
    entries = proxy.graphql(query)["workspaceOrError"]["locationEntries"]
    return [entry["loadStatus"] for entry in entries] == ["LOADED"]
