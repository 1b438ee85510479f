"""Measures Dagit on a large catalog: how long definitions load, and how long the pages' own queries take.

    python bench/many_databases.py                     300 databases with 10 contracts each
    python bench/many_databases.py --databases 30

A web server and its code server are started on a generated catalog in an empty home. CPU seconds are those of both.
The queries are those that Dagit's pages send, with the fields that cost something.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import children_of, cpu_seconds_of, end

PROJECT = Path(__file__).parents[1]
DAGIT = str(Path(sys.executable).parent / "dagster-webserver")
DAGSTER_YAML = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
WORKSPACE = """load_from:
  - python_module: {module_name: logcache_assets.definitions, location_name: logcache_assets}
"""
CONTRACTS = 10
"""Of each database: four entities, two of them with a snapshot, and a history of each."""
ATTRIBUTES = 8
PATIENCE_SECONDS = 300

NODE = (
    "id groupName opNames isMaterializable isObservable isExecutable isPartitioned hasAssetChecks computeKind "
    "hasMaterializePermission assetKey { path } description(characterLimit: 240) tags { key value } jobNames kinds "
    "owners { ... on TeamAssetOwner { team } } dependencyKeys { path } dependedByKeys { path }"
)
LOADED = '{ workspaceLocationEntryOrError(name: "logcache_assets") { ... on WorkspaceLocationEntry { loadStatus } } }'
LIVE = """query($keys: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $keys, loadMaterializations: true) {
    id assetMaterializations(limit: 1) { timestamp runId } assetObservations(limit: 1) { timestamp }
    assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } }
  }
  assetsLatestInfo(assetKeys: $keys) { id unstartedRunIds inProgressRunIds latestRun { status } }
}"""
CATALOG = (
    f"query {{ assetsOrError(limit: 1000) {{ ... on AssetConnection {{ nodes {{ definition {{ {NODE} }} }} }} }} }}"
)
WORKSPACE_ASSETS = f"""query {{ workspaceLocationEntryOrError(name: "logcache_assets") {{
  ... on WorkspaceLocationEntry {{ locationOrLoadError {{ ... on RepositoryLocation {{
    repositories {{ assetNodes {{ {NODE} }} assetGroups {{ groupName }} }} }} }} }} }} }}"""
CHECKS = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  id assetChecksOrError { ... on AssetChecks { checks {
    name description blocking canExecuteIndividually jobNames executionForLatestMaterialization { status runId }
  } } } } } }"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--databases", type=int, default=300)
    databases = parser.parse_args().databases
    with tempfile.TemporaryDirectory(prefix="bench-dagit-") as scratch:
        write_catalog(Path(scratch) / "catalog", databases=databases)
        print("\n".join(measure_pages(Path(scratch), databases=databases)))


def write_catalog(folder: Path, *, databases: int) -> None:
    """Write definitions of so many databases, `bank-000` and so on."""
    folder.mkdir(parents=True)
    for number in range(databases):
        name = f"bank-{number:03}"
        entities = "".join(_entity(entity, has_snapshot=entity % 2 == 0) for entity in range(4))
        text = f"database: {name}\nprototypes: [s0, s1]\nentities:\n{entities}"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _entity(number: int, *, has_snapshot: bool) -> str:
    attributes = "".join(
        f"      - {{attribute: entity{number}/attribute-{n}{', history: true' if n == 0 else ''}}}\n"
        for n in range(ATTRIBUTES)
    )
    snapshot = "    snapshot: true\n" if has_snapshot else ""
    return f"  - name: entities{number}\n    primary_key: entity{number}/id\n{snapshot}    attributes:\n{attributes}"


def measure_pages(scratch: Path, *, databases: int) -> Iterator[str]:
    """Yield the lines of the table: loading, and what each page asks for."""
    began = time.monotonic()
    with serving(scratch) as (pid, url):
        while _is_loading(url):
            time.sleep(0.1)
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise SystemExit(f"no definitions after {PATIENCE_SECONDS} s")
        wall, whole = time.monotonic() - began, cpu_seconds_of(pid)
        code_server = sum(cpu_seconds_of(child) for child in children_of(pid))
        yield f"\n{databases} databases, {databases * CONTRACTS} contracts\n"
        yield "| | wall s | CPU s | answer MB |"
        yield "|---|--:|--:|--:|"
        yield f"| definitions, in the code server | | {code_server:.1f} | |"
        yield f"| web server with them, from its start | {wall:.1f} | {whole:.1f} | |"
        for page, (query, variables) in _pages().items():
            spent, began = cpu_seconds_of(pid), time.monotonic()
            size = len(ask(url, query, variables))
            wall, cpu = time.monotonic() - began, cpu_seconds_of(pid) - spent
            yield f"| {page} | {wall:.2f} | {cpu:.2f} | {size / 1e6:.2f} |"


def _pages() -> Mapping[str, tuple[str, Mapping[str, object]]]:
    """What each page asks for: the query, and its variables."""
    database = ["segments", "raw_datasets", "log_export", "permanent_log", "refreshed", "log_cache", "active_cache"]
    keys = [{"path": [part, "bank-000"]} for part in database]
    contracts = [f"entities{n}" for n in range(4)]
    keys += [{"path": ["contract", "bank-000", name]} for name in contracts]
    return {
        "all assets with their lineage, once per visit": (WORKSPACE_ASSETS, {}),
        "asset catalog, a thousand rows": (CATALOG, {}),
        "lineage of one database, states": (LIVE, {"keys": keys}),
        "checks of one contract": (CHECKS, {"key": {"path": ["contract", "bank-000", "entities0"]}}),
    }


@contextmanager
def serving(scratch: Path) -> Iterator[tuple[int, str]]:
    """The process of a web server on the catalog, and the address of its API."""
    home = scratch / "home" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    (home / "workspace.yaml").write_text(WORKSPACE, encoding="utf-8")
    own = {
        "DAGSTER_HOME": str(home),
        "LOGCACHE_HOME": str(scratch / "home"),
        "LOGCACHE_CATALOG": str(scratch / "catalog"),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    port = _free_port()
    command = [DAGIT, "-w", str(home / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    with (scratch / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | own, cwd=PROJECT, start_new_session=True
        )
        try:
            yield process.pid, f"http://127.0.0.1:{port}/graphql"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                end(process.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_loading(url: str) -> bool:
    """True while the server does not answer, or loads the definitions."""
    try:
        answer = json.loads(ask(url, LOADED, {}))
    except OSError:
        return True
    return (answer["data"]["workspaceLocationEntryOrError"] or {}).get("loadStatus") != "LOADED"


def ask(url: str, query: str, variables: Mapping[str, object]) -> bytes:
    """The answer of a query, which must have no errors."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - on this computer
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310
        answer: bytes = reply.read()
    found: dict[str, Any] = json.loads(answer)
    if found.get("errors"):
        raise SystemExit(f"{query[:200]}: {found['errors'][:1]}")
    return answer


if __name__ == "__main__":
    main()
