"""Reads a bucket's lifecycle configuration as the domain's rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from logcache_assets.adapters.aws.s3_errors import answered
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle

_NO_RULES: Mapping[str, Mapping[str, Any]] = {"NoSuchLifecycleConfiguration": {}, "NotImplemented": {}}
"""Answers of a bucket without rules, and of a server that has none."""


def read_lifecycle(client: Any, bucket: str, **terms: str) -> Lifecycle:  # noqa: ANN401 - the SDK has no types
    """Read a bucket's rules; raises the SDK's errors."""
    configuration = answered(
        lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket, **terms), unless=_NO_RULES
    )
    return parse_lifecycle(configuration)


def parse_lifecycle(configuration: Mapping[str, Any]) -> Lifecycle:
    """The rules that delete current versions; disabled ones, transitions and clean-ups of uploads are left out."""
    return Lifecycle(tuple(_expiry_rules(configuration.get("Rules", []))))


def _expiry_rules(rules: list[Mapping[str, Any]]) -> Iterator[ExpiryRule]:
    for rule in rules:
        expiration = rule.get("Expiration", {})
        days, date = expiration.get("Days"), expiration.get("Date")
        if rule.get("Status") != "Enabled" or (days is None and date is None):
            continue
        given = rule.get("Filter", {})
        limits = {**given, **given.get("And", {})}
        yield ExpiryRule(
            days=days,
            date=date,
            prefix=limits.get("Prefix", rule.get("Prefix", "")),
            above_bytes=limits.get("ObjectSizeGreaterThan", -1),
            below_bytes=limits.get("ObjectSizeLessThan"),
        )
