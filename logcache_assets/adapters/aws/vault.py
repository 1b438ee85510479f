"""Secrets of AWS Secrets Manager, and parameters of AWS Systems Manager.

What was read is used for five minutes, so that a secret that was changed counts soon, and few requests are sent.
"""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.aws_faults import code_of, find_fault, sdk_errors
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.secret_references import SecretReference
from logcache_assets.ports.vault import Vault, VaultDenied, VaultError, VaultUnavailable, VaultWrongData

USED_SECONDS = 300
_ABSENT = frozenset({"ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"})
_DELETED = "InvalidRequestException"
"""Code for a secret that is marked for deletion."""
_DENIED = "is not allowed"


@dataclass(frozen=True, slots=True)
class AwsVault(Vault):
    """Reads secrets with the rights of this process.

    Args:
        access: how Amazon's services are reached.
        reads: how often an unanswered request is sent again, beyond the SDK's own repetitions.
    """

    access: AwsAccess = field(default_factory=AwsAccess)
    reads: RepeatedReads = field(default_factory=RepeatedReads)
    ACTIONS: ClassVar[dict[str, str]] = {
        "secretsmanager": "secretsmanager:GetSecretValue",
        "ssm": "ssm:GetParameter",
    }

    @override
    def read(self, reference: SecretReference) -> str:
        text = _kept(self, reference.service, reference.name, int(time.monotonic() / USED_SECONDS))
        return _field_of(text, reference) if reference.field else text

    @repeated
    def ask(self, service: str, name: str) -> str:
        """The text of a secret or parameter; raises VaultError."""
        try:
            client = self.access.client(service)
            if service == "ssm":
                return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
            answer = client.get_secret_value(SecretId=name)
        except sdk_errors() as error:
            raise self._meant_by(error, service, name) from None
        if "SecretString" not in answer:
            raise VaultWrongData(f"the secret {name} in Secrets Manager is binary; store it as text")
        return str(answer["SecretString"])

    def _meant_by(self, error: Exception, service: str, name: str) -> VaultError:
        where = f"{service}:{name}"
        if code_of(error) in _ABSENT:
            return VaultWrongData(f"there is no secret {where}; correct its name, its region or its account")
        if code_of(error) == _DELETED:
            return VaultWrongData(f"the secret {where} is marked for deletion; restore it, or name another")
        action = self.ACTIONS[service]
        fault = find_fault(
            error, service=service, actions={"GetSecretValue": action, "GetParameter": action},
            endpoint_url=self.access.endpoint_url,
        )  # fmt: skip
        kind = VaultUnavailable if fault.is_outage else VaultDenied
        return kind(f"the secret {where} cannot be read: {fault.found}; {fault.remedy}")


@lru_cache(maxsize=64)
def _kept(vault: AwsVault, service: str, name: str, _period: int) -> str:
    return vault.ask(service, name)


def _field_of(text: str, reference: SecretReference) -> str:
    """One field of a secret that is a JSON object."""
    where = f"{reference.service}:{reference.name}"
    try:
        fields = decode_json(text, dict[str, object])
    except JsonError:
        raise VaultWrongData(f"the secret {where} is no JSON object, so it has no field; name it alone") from None
    found = fields.get(reference.field or "")
    if not isinstance(found, str) or not found:
        raise VaultWrongData(f"the secret {where} has no text in its field {reference.field}; correct the field's name")
    return found
