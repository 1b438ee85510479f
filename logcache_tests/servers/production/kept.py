"""Everything that a deployment keeps, in which no secret may be found."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from logcache_tests.kills.killing import processes_of
from logcache_tests.servers.deployment.deployed import Deployment
from logcache_tests.servers.postgres import dump
from logcache_tests.servers.production.scene import Production

SECRETS = ("LOGCACHE_GITHUB_TOKEN", "LOGCACHE_DATABRICKS_TOKEN", "LOGCACHE_PII_KEY", "PGPASSWORD")
"""Variables of the deployment that are secrets; the keys of AWS are those of the servers of tests."""


def everything_kept(scene: Production, deployment: Deployment) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every object, file, row and sent body."""
    yield "database", dump(deployment.environment)
    store = scene.world.store
    for uri in store.list_uris(f"s3://{scene.world.settings.permanent_bucket}/cache/"):
        yield uri, store.read(uri)
    for folder in (scene.world.home, deployment.folder):
        for file in folder.rglob("*"):
            if file.is_file() and file.name != "environment":
                yield str(file), file.read_bytes()
    for number, asked in enumerate(scene.databricks.asked):
        yield f"request {number} to Databricks", asked.content
    for number, request in scene.github.board.requests.items():
        yield f"pull request {number}", f"{request.title}{request.body}{request.comments}".encode()


def find_secrets(kept: Mapping[str, bytes], scene: Production, deployment: Deployment) -> list[tuple[str, str]]:
    """Which secret was found where, also as base64 writes it."""
    variables = {**scene.environment, **deployment.environment}
    return [
        (name, where)
        for name in SECRETS
        for form in (variables[name].encode(), base64.b64encode(variables[name].encode())[:-4])
        for where, content in kept.items()
        if form in content
    ]


class Arguments:
    """The command lines of all processes of a deployment, as anybody on its machine can read them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.seen: set[str] = set()

    def look(self) -> bool:
        """Add those that are there now; returns True."""
        for process in processes_of(self._home):
            with suppress(OSError):
                self.seen.add((Path("/proc") / str(process) / "cmdline").read_bytes().decode(errors="replace"))
        return True
