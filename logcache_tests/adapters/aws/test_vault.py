"""Secrets of AWS Secrets Manager and Systems Manager: read by their reference, and never told in an error."""

import json
import pickle
from uuid import uuid4

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.vault import AwsVault
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.domain.secret_references import SecretReference, find_reference
from logcache_assets.ports.vault import VaultDenied, VaultError, VaultUnavailable, VaultWrongData
from logcache_tests.adapters.scripted_aws import Answer, refusal, scripted_aws
from logcache_tests.servers.server import Server

SECRET = "an invented secret"  # noqa: S105 - invented
ONCE = RepeatedReads(attempts=1)


@pytest.fixture
def access(moto_server: Server) -> AwsAccess:
    """Moto, with a number of attempts of this test's own: clients are kept per value."""
    return AwsAccess(region="us-east-1", endpoint_url=moto_server.endpoint_url, max_attempts=2)


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"logcache/{uuid4()}"


def reference(text: str) -> SecretReference:
    """A reference that is one."""
    found = find_reference(text)
    assert found is not None
    return found


def test_a_secret_is_read(access: AwsAccess, name: str) -> None:
    """Whole, and one field of a JSON object."""
    fields = json.dumps({"token": SECRET, "user": "somebody"})
    access.client("secretsmanager").create_secret(Name=name, SecretString=fields)
    vault = AwsVault(access)

    assert vault.read(reference(f"secretsmanager:{name}")) == fields
    assert vault.read(reference(f"secretsmanager:{name}#token")) == SECRET


def test_a_parameter_is_decrypted(access: AwsAccess, name: str) -> None:
    """Also where it is encrypted."""
    access.client("ssm").put_parameter(Name=f"/{name}", Value=SECRET, Type="SecureString")

    assert AwsVault(access).read(reference(f"ssm:/{name}")) == SECRET


def test_a_vault_can_be_sent(access: AwsAccess) -> None:
    """Workers ask with rights of their own."""
    assert pickle.loads(pickle.dumps(AwsVault(access))) == AwsVault(access)  # noqa: S301 - our own


def test_what_is_not_there_is_named(access: AwsAccess, name: str) -> None:
    """The secret, the parameter, the field; never what lies beside it."""
    client = access.client("secretsmanager")
    client.create_secret(Name=name, SecretString=json.dumps({"token": SECRET, "empty": "", "number": 1}))
    client.create_secret(Name=f"{name}-text", SecretString=SECRET)
    client.create_secret(Name=f"{name}-bytes", SecretBinary=b"\0")
    client.create_secret(Name=f"{name}-gone", SecretString=SECRET)
    client.delete_secret(SecretId=f"{name}-gone")
    said = {}

    for text in (
        "secretsmanager:logcache/none",
        "ssm:/logcache/none",
        f"secretsmanager:{name}#user",
        f"secretsmanager:{name}#empty",
        f"secretsmanager:{name}#number",
        f"secretsmanager:{name}-text#token",
        f"secretsmanager:{name}-bytes",
        f"secretsmanager:{name}-gone",
    ):
        with pytest.raises(VaultWrongData) as refused:
            AwsVault(access, reads=ONCE).read(reference(text))
        said[text.replace(name, "NAME")] = str(refused.value).replace(name, "NAME")

    assert said == {
        "secretsmanager:logcache/none": (
            "there is no secret secretsmanager:logcache/none; correct its name, its region or its account"
        ),
        "ssm:/logcache/none": "there is no secret ssm:/logcache/none; correct its name, its region or its account",
        "secretsmanager:NAME#user": (
            "the secret secretsmanager:NAME has no text in its field user; correct the field's name"
        ),
        "secretsmanager:NAME#empty": (
            "the secret secretsmanager:NAME has no text in its field empty; correct the field's name"
        ),
        "secretsmanager:NAME#number": (
            "the secret secretsmanager:NAME has no text in its field number; correct the field's name"
        ),
        "secretsmanager:NAME-text#token": (
            "the secret secretsmanager:NAME-text is no JSON object, so it has no field; name it alone"
        ),
        "secretsmanager:NAME-bytes": "the secret NAME-bytes in Secrets Manager is binary; store it as text",
        "secretsmanager:NAME-gone": (
            "the secret secretsmanager:NAME-gone is marked for deletion; restore it, or name another"
        ),
    }


@pytest.mark.parametrize(
    ("text", "answer", "kind", "sentence"),
    [
        pytest.param(
            "secretsmanager:x",
            refusal("AccessDeniedException", "no identity-based policy"),
            VaultDenied,
            "the secret secretsmanager:x cannot be read: secretsmanager:GetSecretValue is not allowed (no "
            "identity-based policy); allow secretsmanager:GetSecretValue there",
            id="no right to the secret",
        ),
        pytest.param(
            "ssm:/x",
            refusal("AccessDeniedException", "no identity-based policy"),
            VaultDenied,
            "the secret ssm:/x cannot be read: ssm:GetParameter is not allowed (no identity-based policy); allow "
            "ssm:GetParameter there",
            id="no right to the parameter",
        ),
        pytest.param(
            "secretsmanager:x",
            refusal("DecryptionFailure", "the key is disabled"),
            VaultDenied,
            "the secret secretsmanager:x cannot be read: DecryptionFailure: the key is disabled; correct the settings "
            "of AWS",
            id="its key is disabled",
        ),
        pytest.param(
            "ssm:/x",
            refusal("ThrottlingException"),
            VaultUnavailable,
            "the secret ssm:/x cannot be read: too many requests (ThrottlingException); run again later, or raise the "
            "service's limits",
            id="too many requests",
        ),
        pytest.param(
            "secretsmanager:x",
            refusal("InternalServiceError", "oh", status=500),
            VaultUnavailable,
            "the secret secretsmanager:x cannot be read: InternalServiceError: oh; run again later",
            id="the service's fault",
        ),
    ],
)
def test_a_refusal_names_what_to_do(text: str, answer: Answer, kind: type[VaultError], sentence: str) -> None:
    """Whether to wait, or which right to give."""
    with scripted_aws(answer) as server, pytest.raises(VaultError) as refused:
        AwsVault(server.access(), reads=ONCE).read(reference(text))

    assert type(refused.value) is kind
    assert str(refused.value) == sentence


def test_a_secret_is_asked_for_once_in_a_while() -> None:
    """A run reads the key for each contract; Amazon counts and bills the requests."""
    with scripted_aws(Answer(body={"SecretString": SECRET})) as server:
        vault = AwsVault(server.access())
        found = {vault.read(reference("secretsmanager:often")) for _ in range(50)}

    assert found == {SECRET}
    assert len(server.requests) <= 2  # two if the five minutes end just now
