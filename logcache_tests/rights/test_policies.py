"""The policies of deploy/iam allow what the listed calls need, and nothing else."""

import pytest

from logcache_tests.rights.calls import rights_of_roles
from logcache_tests.rights.policies import BESIDE, FOLDER, ROLES, allowances, policy_of, rights_in

WRITES = {"s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"}
PROBE = "arn:aws:s3:::nu-spark-metapod/cache/_doctor/probe"


@pytest.mark.parametrize("role", ROLES)
def test_a_policy_allows_what_the_listed_calls_of_its_role_need(role: str) -> None:
    """Not one right more or less; the list is docs/operations.md."""
    assert rights_in(policy_of(role)) == rights_of_roles()[role] - rights_in(policy_of(*BESIDE.get(role, ())))


def test_every_policy_belongs_to_a_role() -> None:
    """And every role of the list has one."""
    assert {path.stem for path in FOLDER.iterdir()} == set(ROLES.values())
    assert rights_of_roles().keys() == ROLES.keys()


def test_only_cached_logs_are_written_and_only_the_probe_is_deleted() -> None:
    """No wildcard in an action, no statement without a resource of its own."""
    for role in ROLES:
        for action, resource, statement in allowances(policy_of(role)):
            assert statement["Effect"] == "Allow"
            assert "*" not in action
            if action in WRITES:
                assert resource == "arn:aws:s3:::nu-spark-metapod/cache/*"
            elif not action.startswith(("s3:Get", "s3:List", "dynamodb:Query")):
                assert (role, resource) == ("doctor --write", PROBE)


def test_a_reader_of_contracts_reads_no_log() -> None:
    """Raw logs and segments hold personal data in the clear."""
    allowed = {
        resource for action, resource, _ in allowances(policy_of("contracts reader")) if action != "s3:ListBucket"
    }

    assert {resource.partition(":::")[2] for resource in allowed} == {
        "nu-spark-metapod-ephemeral-1/*/contract-*",
        "nu-spark-metapod-ephemeral-1/*/contract/*",
        "nu-spark-metapod/cache/_refresh/*",
    }
