"""The policies of deploy/iam, as rights: an action, and the place where it is allowed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from logcache_tests.servers.identities import Policy

FOLDER = Path(__file__).parents[2] / "deploy" / "iam"
ROLES = {
    "copier": "copier",
    "nightly reader": "nightly-reader",
    "contracts reader": "contracts-reader",
    "doctor": "doctor",
    "doctor --write": "doctor-write",
}
"""Who docs/operations.md names → the name of the policy."""
BESIDE = {"doctor": ("copier",), "doctor --write": ("copier", "doctor")}
"""Role → the roles that its policy only adds to."""
PLACES = {
    "nu-spark-metapod-ephemeral-1": "runs",
    "nu-spark-metapod": "caches",
    "nu-spark-datomic-logs": "segments",
    "": "index",
}
"""Bucket → what docs/operations.md calls it; requests to DynamoDB name no bucket."""
_S3 = "arn:aws:s3:::"

Right = tuple[str, str]
"""An action and its place."""


def policy_of(*roles: str) -> Policy:
    """What these roles may do together."""
    found = [json.loads((FOLDER / f"{ROLES[role]}.json").read_text(encoding="utf-8")) for role in roles]
    return {"Version": "2012-10-17", "Statement": [each for policy in found for each in policy["Statement"]]}


def place_of(resource: str) -> str:
    """The place of a resource."""
    return PLACES[resource.removeprefix(_S3).split("/")[0] if resource.startswith(_S3) else ""]


def allowances(policy: Policy) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Action, resource and statement, of each pair that a policy allows."""
    for statement in policy["Statement"]:
        for action in _each(statement["Action"]):
            for resource in _each(statement["Resource"]):
                yield action, resource, {**statement, "Action": action, "Resource": resource}


def rights_in(policy: Policy) -> set[Right]:
    """Every right that a policy gives."""
    return {(action, place_of(resource)) for action, resource, _ in allowances(policy)}


def without(policy: Policy, right: Right) -> Policy:
    """The policy but for one right."""
    kept = [
        {name: value for name, value in statement.items() if name != "Sid"}
        for action, resource, statement in allowances(policy)
        if (action, place_of(resource)) != right
    ]
    return {**policy, "Statement": kept}


def _each(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
