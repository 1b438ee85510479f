"""A reference to a secret: the value of a setting may name the vault in which the secret lies.

secretsmanager:logcache/github          the secret with this name in AWS Secrets Manager
secretsmanager:logcache/github#token    one field of it, where the secret is a JSON object
ssm:/logcache/pii_key                   a parameter of AWS Systems Manager
"""

import re
from dataclasses import dataclass

_REFERENCE = re.compile(r"(?P<service>secretsmanager|ssm):(?P<name>[^\s#]+)(?:#(?P<field>[^\s#]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """Where a secret lies."""

    service: str
    """`secretsmanager` or `ssm`."""
    name: str
    """Name or ARN."""
    field: str | None = None
    """Field of a secret that is a JSON object."""


def find_reference(value: str) -> SecretReference | None:
    """The reference that a setting's value is; None if the value is the secret itself."""
    found = _REFERENCE.fullmatch(value.strip())
    return SecretReference(**found.groupdict()) if found else None


def is_reference(value: str) -> bool:
    """True if a setting's value names where the secret lies."""
    return find_reference(value) is not None
