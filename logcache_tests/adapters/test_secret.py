"""A secret is read where it lies when it is needed, and never shown or sent."""

import pickle

import pytest
from typing_extensions import override

from logcache_assets.adapters.secret import Secret
from logcache_assets.domain.secret_references import SecretReference
from logcache_assets.errors import BadInput
from logcache_assets.ports.vault import Vault
from logcache_tests.elsewhere import answer_elsewhere

VARIABLE = "INVENTED_TOKEN"
TOKEN = "letters-and-digits"  # noqa: S105 - invented
REFERENCE = "secretsmanager:logcache/github#token"


class RecordingVault(Vault):
    """Says what it was asked for."""

    @override
    def read(self, reference: SecretReference) -> str:
        return f"{reference.service} {reference.name} {reference.field}"


def test_a_secret_is_its_value_or_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is read when the secret is, so one that was renewed counts."""
    named = Secret("the token", variable=VARIABLE)
    monkeypatch.setenv(VARIABLE, "first")
    first = named.read()
    monkeypatch.setenv(VARIABLE, "second")

    assert Secret("the token", TOKEN).read() == TOKEN
    assert (first, named.read()) == ("first", "second")


@pytest.mark.parametrize(
    ("reference", "asked"),
    [
        pytest.param(REFERENCE, "secretsmanager logcache/github token", id="a field of a secret"),
        pytest.param("ssm:/logcache/key", "ssm /logcache/key None", id="a parameter"),
        pytest.param(" ssm:/key\n", "ssm /key None", id="as some files end"),
        pytest.param(
            "secretsmanager:arn:aws:secretsmanager:us-east-1:123456789012:secret:logcache-AbCdEf",
            "secretsmanager arn:aws:secretsmanager:us-east-1:123456789012:secret:logcache-AbCdEf None",
            id="by its ARN",
        ),
    ],
)
def test_a_reference_is_asked_of_the_vault(reference: str, asked: str) -> None:
    """In a value as in a variable."""
    assert Secret("the token", reference, vault=RecordingVault()).read() == asked


@pytest.mark.parametrize("value", ["ssm:", "ssm:two words", "vault:logcache", "secretsmanager"])
def test_what_is_no_reference_is_the_secret(value: str) -> None:
    """A password may look like anything."""
    assert Secret("the token", value, vault=RecordingVault()).read() == value


def test_a_secret_is_neither_shown_nor_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variable's name, or the reference, goes to another process; it reads the secret itself."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    named, referred = Secret("the token", TOKEN, variable=VARIABLE), Secret("the token", REFERENCE)

    sent = pickle.dumps([named, referred])

    assert TOKEN not in f"{named!r} {named} {Secret('the token', TOKEN)!r}"
    assert TOKEN.encode() not in sent
    assert answer_elsewhere(named.read) == TOKEN
    assert REFERENCE in repr(pickle.loads(sent)[1])  # noqa: S301 - our own
    with pytest.raises(BadInput, match="the token is never sent to another process"):
        pickle.dumps(Secret("the token", TOKEN))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, or the vault that nobody gave."""
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(BadInput, match="the token is missing: the environment variable INVENTED_TOKEN is not set"):
        Secret("the token", variable=VARIABLE).read()
    with pytest.raises(BadInput, match="no vault to ask"):
        Secret("the token", REFERENCE).read()


@pytest.mark.parametrize("value", ["two\nlines", " letters ", "lettérs", "let\x00ters"])
def test_what_cannot_stand_in_a_header_is_refused(value: str) -> None:
    """Libraries quote a header that they refuse, so the message is ours and without the value."""
    with pytest.raises(BadInput, match="cannot be sent") as refusal:
        Secret("the token", value).read_for_header()

    assert value not in str(refusal.value)
