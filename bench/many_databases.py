"""Measures Dagit on a large catalog: how long definitions load, and how long the pages' own queries take.

    python bench/many_databases.py                     300 databases with 10 contracts each
    python bench/many_databases.py --databases 30
    python bench/many_databases.py --ui                `make ui` on a demo that is there already

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import children_of, cpu_seconds_of, end

PROJECT = Path(__file__).parents[1]
DAGIT = str(Path(sys.executable).parent / "dagster-webserver")
LOGCACHE = str(Path(sys.executable).parent / "logcache")
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
    parser.add_argument("--ui", action="store_true", help="measure how soon `make ui` shows the demo")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-dagit-") as scratch:
        if options.ui:
            print("\n".join(measure_ui(Path(scratch))))
        else:
            write_catalog(Path(scratch) / "catalog", databases=options.databases)
            print("\n".join(measure_pages(Path(scratch), databases=options.databases)))


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


def measure_ui(scratch: Path) -> Iterator[str]:
    """Yield the lines of the table: from the command to a page that shows the definitions."""
    variables = {"LOGCACHE_HOME": str(scratch / "home"), "PYTHONDONTWRITEBYTECODE": ""}
    reset = [LOGCACHE, "local", "reset"]
    subprocess.run(reset, check=True, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port, began = _free_port(), time.monotonic()
    command = [LOGCACHE, "local", "ui", "--port", str(port)]
    with serving(command, variables, port=port, output=scratch / "output.txt") as (pid, url):
        _wait_until_loaded(url)
        yield "| | wall s | CPU s |"
        yield "|---|--:|--:|"
        yield f"| `make ui` shows the definitions | {time.monotonic() - began:.1f} | {cpu_seconds_of(pid):.1f} |"


def measure_pages(scratch: Path, *, databases: int) -> Iterator[str]:
    """Yield the lines of the table: loading, and what each page asks for."""
    home, port, began = scratch / "home" / "dagster", _free_port(), time.monotonic()
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    (home / "workspace.yaml").write_text(WORKSPACE, encoding="utf-8")
    variables = {
        "DAGSTER_HOME": str(home),
        "LOGCACHE_HOME": str(scratch / "home"),
        "LOGCACHE_CATALOG": str(scratch / "catalog"),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    command = [DAGIT, "-w", str(home / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    with serving(command, variables, port=port, output=scratch / "output.txt") as (pid, url):
        _wait_until_loaded(url)
        wall, whole = time.monotonic() - began, cpu_seconds_of(pid)
        code_server = sum(cpu_seconds_of(child) for child in children_of(pid))
        yield f"\n{databases} databases, {databases * CONTRACTS} contracts\n"
        yield "| | wall s | CPU s | answer MB |"
        yield "|---|--:|--:|--:|"
        yield f"| definitions, in the code server | | {code_server:.1f} | |"
        yield f"| web server with them, from its start | {wall:.1f} | {whole:.1f} | |"
        for page, (query, asked) in _pages().items():
            spent, began = cpu_seconds_of(pid), time.monotonic()
            size = len(ask(url, query, asked))
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
def serving(
    command: Sequence[str], variables: Mapping[str, str], *, port: int, output: Path
) -> Iterator[tuple[int, str]]:
    """Start a web server; gives its process, and the address of its API."""
    environment = os.environ | variables
    with output.open("wb") as printed:
        process = subprocess.Popen(
            command, stdout=printed, stderr=printed, env=environment, cwd=PROJECT, start_new_session=True
        )
        try:
            yield process.pid, f"http://127.0.0.1:{port}/graphql"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                end(process.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_loaded(url: str) -> None:
    end_at = time.monotonic() + PATIENCE_SECONDS
    while _is_loading(url):
        time.sleep(0.1)
        if time.monotonic() > end_at:
            raise SystemExit(f"no definitions after {PATIENCE_SECONDS} s")


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
