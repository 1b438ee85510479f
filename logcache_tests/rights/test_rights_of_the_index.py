"""Who may ask the segment index.

moto judges the action of each request, not its resource, and refuses in XML, which Amazon's DynamoDB does not: its
refusals are in test_dynamodb_index.py.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.ports import SegmentIndexWrongData
from logcache_tests.adapters.dynamodb_tables import make_table
from logcache_tests.adapters.test_segment_index import FEED
from logcache_tests.rights.policies import Right, allowances, policy_of, without
from logcache_tests.servers.identities import Policy, judged, make_user, write_profile
from logcache_tests.servers.server import Server

QUERY: Right = ("dynamodb:Query", "index")
IndexOf = Callable[[str, Policy], DynamoDbSegmentIndex]


@pytest.fixture
def index_of(moto_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IndexOf:
    """Makes a user with a policy, for all resources, and gives the index as that user asks it."""
    table, credentials = make_table(moto_server), tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))

    def made(name: str, policy: Policy) -> DynamoDbSegmentIndex:
        everywhere = [{**statement, "Resource": "*"} for _, _, statement in allowances(policy)]
        everywhere = [{name: value for name, value in each.items() if name != "Sid"} for each in everywhere]
        user = make_user(moto_server, name, {**policy, "Statement": everywhere})
        write_profile(credentials, name, user)
        return DynamoDbSegmentIndex(replace(table, access=replace(table.access, profile=name)))

    return made


@pytest.mark.parametrize("role", ["copier", "nightly reader"])
def test_the_index_is_asked_by_whom_its_policy_allows(moto_server: Server, index_of: IndexOf, role: str) -> None:
    """And by nobody else: the refusal names the action."""
    policy, name = policy_of(role), role.replace(" ", "-")
    allowed, refused = index_of(name, policy), index_of(f"less-than-{name}", without(policy, QUERY))

    with judged(moto_server):
        assert allowed.newest_t(FEED) == 0
        with pytest.raises(SegmentIndexWrongData, match="not authorized to perform: dynamodb:Query"):
            refused.newest_t(FEED)
