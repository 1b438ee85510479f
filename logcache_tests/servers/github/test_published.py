"""The stand-in is as strict as GitHub's published description, and that is GitHub's own."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_specified_scalar_type,
    parse,
    validate,
)

from logcache_assets.adapters.github.git_objects import MOVE_BRANCH
from logcache_assets.adapters.github.pull_requests import OPEN_PULL_REQUESTS
from logcache_tests.adapters.itaipu_worlds import begun
from logcache_tests.servers.fixtures import or_skipped
from logcache_tests.servers.github.graphql import schema
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.openapi.extract import EXTRACT, PACKAGE, VERSION, extract, rendered
from logcache_tests.servers.github.server import served_github
from logcache_tests.servers.server import NotBuiltError

GRAPHQL_PACKAGE = "@octokit/graphql-schema"
GRAPHQL_VERSION = "15.26.1"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A stand-in with a new repository."""
    _, clock = begun(tmp_path)
    with served_github(tmp_path / "itaipu.git", now=clock.now) as github:
        yield github


def ask(github: GitHub, verb: str, path: str, **more: Any) -> tuple[int, Any]:  # noqa: ANN401 - any JSON
    """Status and answer of a request with the token."""
    headers = {"Authorization": f"Bearer {github.token}"}
    url = f"{github.url}/repos/{github.repository}/{path}".rstrip("/")
    answer = requests.request(verb, url, headers=headers, timeout=10, **more)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("verb", "path", "body", "complaint"),
    [
        pytest.param("POST", "git/blobs", {}, "'content' is a required property", id="a field missing"),
        pytest.param("POST", "git/blobs", {"content": "x", "colour": 1}, "'colour' was unexpected", id="one too many"),
        pytest.param("POST", "git/blobs", {"content": 1}, "1 is not of type 'string'", id="another type"),
        pytest.param("POST", "pulls", None, "a body is missing", id="no body"),
        pytest.param("GET", "pulls?status=open", None, "status is not a permitted parameter", id="a parameter"),
        pytest.param("GET", "pulls?state=merged", None, "state is not 'merged'", id="a parameter's value"),
        pytest.param(
            "POST", "git/trees", {"tree": [{"path": "a", "sha": "x", "mod": "1"}]}, "'mod' was unexpected", id="deep in"
        ),
    ],
)
def test_what_is_not_described_is_refused(github: GitHub, verb: str, path: str, body: object, complaint: str) -> None:
    """And kept, so that a test sees it even where the adapter survives it."""
    status, answer = ask(github, verb, path, json=body)

    assert status == 422
    assert complaint in answer["message"]
    assert len(github.complaints) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer other"}, 401), ({"Authorization": "Basic eDp5"}, 401)],
)
def test_who_is_not_signed_in_sees_nothing(github: GitHub, headers: dict[str, str], status: int) -> None:
    """Not even that the repository is there."""
    url = f"{github.url}/repos/{github.repository}"

    assert requests.get(url, headers=headers, timeout=10).status_code == status


def test_an_endpoint_that_is_not_used_is_not_there(github: GitHub) -> None:
    """A new request of the adapter needs its description first."""
    assert ask(github, "GET", "releases")[0] == 404


def test_a_bare_name_of_a_branch_filters_nothing(github: GitHub) -> None:
    """As on GitHub: `head` must have its owner, or all are listed."""
    head = github.bare.heads()["main"]
    for n in range(2):
        github.board.open(author="ana", title="", body="", branch=f"b{n}", base="main", head_sha=head, fork="eve")

    assert len(ask(github, "GET", "pulls?head=b0")[1]) == 2
    assert len(ask(github, "GET", "pulls?head=eve:b0")[1]) == 1


def test_a_push_that_brings_a_pull_request_into_main_merges_it(github: GitHub) -> None:
    """People may use git instead of the page; a branch that is gone closes its pull request."""
    main = github.bare.heads()["main"]
    tree = github.bare.described(main)["tree"]
    for branch in ("pushed", "removed"):
        sha = github.bare.commit(tree=tree, parents=[main], message=branch)
        github.bare.run("update-ref", f"refs/heads/{branch}", sha)
        github.board.open(author="ana", title=branch, body="", branch=branch, base="main", head_sha=sha)
    github.bare.run("update-ref", "refs/heads/main", github.bare.heads()["pushed"])
    github.bare.run("update-ref", "-d", "refs/heads/removed")

    shown = {pull["head"]["ref"]: pull for pull in ask(github, "GET", "pulls?state=all")[1]}

    assert shown["pushed"]["merged_at"]
    assert (shown["removed"]["state"], shown["removed"]["merged_at"]) == ("closed", None)


@contextmanager
def fetched(package: str, version: str, member: str, folder: Path) -> Iterator[Path]:
    """A file of an npm package, fetched by npm; raises NotBuiltError without npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotBuiltError("npm is not on the PATH, so GitHub's description cannot be fetched")
    done = subprocess.run(
        [npm, "pack", "--silent", f"{package}@{version}"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotBuiltError(f"npm did not give {package}@{version}: {done.stderr.strip()[:200]}")
    with tarfile.open(folder / done.stdout.split()[-1]) as packed:
        packed.extract(member, folder, filter="data")
    yield folder / member


@pytest.mark.servers
def test_the_endpoints_are_githubs_own(tmp_path: Path) -> None:
    """Our file is what the published package says of them, nothing less and nothing else."""
    with or_skipped(fetched(PACKAGE, VERSION, "package/generated/api.github.com.json", tmp_path)) as file:
        published = json.loads(file.read_text(encoding="utf-8"))

    assert EXTRACT.read_text(encoding="utf-8") == rendered(extract(published))


@pytest.mark.servers
def test_the_graphql_schema_is_a_part_of_githubs(tmp_path: Path) -> None:
    """Every type, field and argument is there with the same type, and GitHub accepts the adapter's documents."""
    with or_skipped(fetched(GRAPHQL_PACKAGE, GRAPHQL_VERSION, "package/schema.graphql", tmp_path)) as file:
        published = build_schema(file.read_text(encoding="utf-8"), assume_valid=True, assume_valid_sdl=True)

    assert list(_differences(schema(), published)) == []
    for document in (MOVE_BRANCH, OPEN_PULL_REQUESTS):
        assert validate(published, parse(document)) == []


def _differences(part: GraphQLSchema, whole: GraphQLSchema) -> Iterator[str]:
    for name, own in part.type_map.items():
        theirs = whole.type_map.get(name)
        if name.startswith("__") or is_specified_scalar_type(own):
            continue
        if theirs is None or type(theirs) is not type(own):
            yield name
        elif isinstance(own, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
            yield from (f"{name}.{value}" for value in own.values if value not in theirs.values)
        elif isinstance(own, GraphQLObjectType | GraphQLInputObjectType):
            yield from _differing_fields(name, own, theirs)


def _differing_fields(name: str, own: Any, theirs: Any) -> Iterator[str]:  # noqa: ANN401 - types with fields
    for field, shown in own.fields.items():
        known = theirs.fields.get(field)
        if known is None or str(known.type) != str(shown.type):
            yield f"{name}.{field}"
            continue
        for argument, declared in getattr(shown, "args", {}).items():
            if argument not in known.args or str(known.args[argument].type) != str(declared.type):
                yield f"{name}.{field}({argument})"
