"""Makes `endpoints.json` from GitHub's whole description of its REST API.

npm pack @octokit/openapi@<version>; tar -xzf octokit-openapi-*.tgz
python -m logcache_tests.servers.github.openapi.extract package/generated/api.github.com.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXTRACT = Path(__file__).with_name("endpoints.json")
PACKAGE = "@octokit/openapi"
VERSION = "23.0.2"

_REPOSITORY = "/repos/{owner}/{repo}"
USED = (
    f"GET {_REPOSITORY}",
    f"GET {_REPOSITORY}/git/ref/{{ref}}",
    f"GET {_REPOSITORY}/git/commits/{{commit_sha}}",
    f"POST {_REPOSITORY}/git/commits",
    f"GET {_REPOSITORY}/git/trees/{{tree_sha}}",
    f"POST {_REPOSITORY}/git/trees",
    f"GET {_REPOSITORY}/git/blobs/{{file_sha}}",
    f"POST {_REPOSITORY}/git/blobs",
    f"GET {_REPOSITORY}/commits",
    f"GET {_REPOSITORY}/commits/{{ref}}",
    f"GET {_REPOSITORY}/commits/{{ref}}/status",
    f"POST {_REPOSITORY}/statuses/{{sha}}",
    f"GET {_REPOSITORY}/compare/{{basehead}}",
    f"GET {_REPOSITORY}/pulls",
    f"POST {_REPOSITORY}/pulls",
    f"GET {_REPOSITORY}/pulls/{{pull_number}}",
    f"PATCH {_REPOSITORY}/pulls/{{pull_number}}",
    f"PUT {_REPOSITORY}/pulls/{{pull_number}}/merge",
    f"GET {_REPOSITORY}/pulls/{{pull_number}}/reviews",
    f"POST {_REPOSITORY}/pulls/{{pull_number}}/requested_reviewers",
    f"POST {_REPOSITORY}/issues/{{issue_number}}/labels",
    f"GET {_REPOSITORY}/issues/{{issue_number}}/comments",
    f"POST {_REPOSITORY}/issues/{{issue_number}}/comments",
    f"GET {_REPOSITORY}/collaborators/{{username}}",
    f"GET {_REPOSITORY}/branches/{{branch}}",
    f"GET {_REPOSITORY}/rules/branches/{{branch}}",
    "POST /app/installations/{installation_id}/access_tokens",
)
"""The endpoints of the stand-in."""
_TALK = frozenset({"description", "summary", "example", "examples", "externalDocs", "tags", "title"})
"""What is said for people; left out."""
_NAMES = frozenset({"properties", "schemas"})
"""Below these, keys are names."""


def extract(published: dict[str, Any]) -> dict[str, Any]:
    """The used endpoints, with all that they refer to."""
    paths: dict[str, Any] = {}
    for used in USED:
        verb, path = used.split(" ")
        paths.setdefault(path, {})[verb.lower()] = _plain(published["paths"][path][verb.lower()])
    components: dict[str, dict[str, Any]] = {}
    open_refs = list(_refs(paths))
    while open_refs:
        _, _, kind, name = open_refs.pop().split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _plain(published["components"][kind][name])
            open_refs += _refs(components[kind][name])
    return {"openapi": published["openapi"], "paths": paths, "components": components}


def rendered(description: dict[str, Any]) -> str:
    """The text of the file: an endpoint or a component per line."""
    lines = []
    for group, items in (("paths", description["paths"]), *sorted(description["components"].items())):
        own = ",\n".join(f"{json.dumps(name)}:{_json(items[name])}" for name in sorted(items))
        lines.append(f"{json.dumps(group)}:{{\n{own}\n}}")
    paths, *components = lines
    inner = ",\n".join(components)
    return f'{{"openapi":"{description["openapi"]}",\n{paths},\n"components":{{\n{inner}\n}}}}\n'


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _plain(value: Any, *, are_names: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """A part of the description without what is said for people."""
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if are_names or not (key in _TALK or key.startswith("x-"))}
        return {key: _plain(part, are_names=key in _NAMES and not are_names) for key, part in kept.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _refs(value: object) -> Iterator[str]:
    """Every `#/components/…` in a part."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _refs(part)
    elif isinstance(value, list):
        for part in value:
            yield from _refs(part)


if __name__ == "__main__":
    EXTRACT.write_text(rendered(extract(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))), encoding="utf-8")
