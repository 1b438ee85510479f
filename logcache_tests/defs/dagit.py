"""A real web server of Dagster over a local world, asked as Dagit's pages ask it. No daemon launches its runs."""

import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment
from logcache_tests.servers.server import Command, serving

READY_SECONDS = 300.0
"""It loads the code location before it answers; on a busy machine that takes minutes."""
WORKSPACE = Path(__file__).parents[2] / "workspace.yaml"
LOCATION = {"repositoryLocationName": "logcache_assets", "repositoryName": "__repository__"}


@dataclass(frozen=True, slots=True)
class Dagit:
    """The web server at a URL."""

    url: str

    def ask(self, query: str, variables: Mapping[str, object] | None = None, *, user: str | None = None) -> Any:  # noqa: ANN401 - what the query asks for
        """The one field of the answer; `user` is who the proxy before it says has come."""
        sent = {"Content-Type": "application/json", **({"X-Forwarded-User": user} if user else {})}
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, sent), timeout=120) as answer:  # noqa: S310 - on loopback
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        (found,) = told["data"].values()
        return found


@contextmanager
def dagit_on(world: World, output: Path) -> Iterator[Dagit]:
    """Run the web server over a world for the duration of the block; what it prints goes to `output`."""
    program = str(Path(sys.executable).parent / "dagster-webserver")
    environment = {**child_environment(world.settings), "DAGSTER_HOME": str(world.dagster_home)}
    command = Command(
        argv=lambda port: [program, "-h", "127.0.0.1", "-p", str(port), "-w", str(WORKSPACE)],
        environment=environment,
        ready_path="/server_info",
        ready_seconds=READY_SECONDS,
    )
    with serving(command, output) as url:
        yield Dagit(url)
