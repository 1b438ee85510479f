"""Each server is what the tests on it expect; run first, it prints what each may be trusted with."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from logcache_tests.servers.conformance.expected import (
    CHECKS,
    DYNAMODB_CHECKS,
    LACKING,
    S3_CHECKS,
    Check,
    explain_differences,
    keeps,
    lacking,
    render_table,
    render_trust,
)
from logcache_tests.servers.conformance.probing import probe_dynamodb, probe_s3
from logcache_tests.servers.fault_proxy.proxy import BEHIND, FaultProxy
from logcache_tests.servers.fixtures import trusted_with
from logcache_tests.servers.server import Server

TESTS = Path(__file__).parents[2]
TABLES = {
    S3_CHECKS: ("versitygw", f"versitygw{BEHIND}", "moto"),
    DYNAMODB_CHECKS: ("dynamodb-local", "moto"),
}
NEEDS = re.compile(r"mark\.needs\(([^)]*)\)")


@pytest.mark.servers
@pytest.mark.parametrize(
    ("fixture", "probe"),
    [
        ("versitygw_server", probe_s3),
        ("s3_proxy", probe_s3),
        ("moto_server", probe_s3),
        ("dynamodb_server", probe_dynamodb),
        ("moto_server", probe_dynamodb),
    ],
)
def test_a_server_is_what_is_expected_of_it(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    fixture: str,
    probe: Callable[[Server], Mapping[str, bool]],
) -> None:
    """One that became better or worse is told with what to change."""
    running = request.getfixturevalue(fixture)
    server = running.server if isinstance(running, FaultProxy) else running

    found = probe(server)

    with capsys.disabled():
        print(f"\n{render_trust(server.name, found)}")  # noqa: T201 - what a person reads before all else
    assert explain_differences(server.name, found) == []


@pytest.mark.parametrize(("checks", "servers"), TABLES.items(), ids=("S3", "DynamoDB"))
def test_the_documented_table_is_the_expected_one(checks: tuple[Check, ...], servers: tuple[str, ...]) -> None:
    """docs/testing.md shows what is expected of each server."""
    text = (TESTS.parent / "docs" / "testing.md").read_text(encoding="utf-8")

    assert render_table(checks, {server: keeps(server) for server in servers}) in text


def test_a_difference_says_what_to_change() -> None:
    """A new version of a server may keep what it lacked, or lack what it kept."""
    told = explain_differences("moto", {"wrong_md5": True, "put_if_match": False, "lifecycle": True})

    assert [line.partition(" of LACKING")[0] for line in told] == [
        "moto keeps wrong_md5: take it out",
        "moto does not keep put_if_match: make it one",
    ]


def test_every_expectation_is_of_a_check() -> None:
    """No name is misspelled."""
    assert {name for names in LACKING.values() for name in names} <= set(CHECKS)
    with pytest.raises(ValueError, match="there is no check 'unheard_of'"):
        list(lacking("moto", ["unheard_of"]))


def test_a_test_that_needs_a_promise_is_skipped_where_it_is_not_kept() -> None:
    """No test rests on a server that accepts everything."""
    moto = Server(name="moto", endpoint_url="http://127.0.0.1:1")

    with pytest.raises(pytest.skip.Exception, match="moto cannot be trusted with copy_source_if_match"):
        trusted_with(moto, ["put_if_match", "copy_source_if_match"])

    assert trusted_with(moto, ["put_if_match"]) is moto


def test_what_tests_need_is_kept_by_some_server() -> None:
    """No test is skipped everywhere."""
    needed = [
        re.findall(r"\w+", names) for file in TESTS.rglob("test_*.py") for names in NEEDS.findall(file.read_text())
    ]

    assert [names for names in needed if not any(not list(lacking(server, names)) for server in LACKING)] == []
