"""How AWS is reached: where the region comes from, what travels, and what polars and the C client are given."""

import pickle
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from logcache_assets.adapters.aws.access import AwsAccess, parse_instant
from logcache_tests.servers.server import ROOT


@pytest.mark.parametrize(
    ("variables", "given", "region"),
    [
        pytest.param({"AWS_REGION": "sa-east-1"}, None, "sa-east-1", id="the variable of Amazon's servers"),
        pytest.param({"AWS_DEFAULT_REGION": "sa-east-1"}, None, "sa-east-1", id="boto3's own variable"),
        pytest.param({"AWS_REGION": "sa-east-1"}, "us-west-2", "us-west-2", id="a setting wins"),
    ],
)
def test_the_region_is_found(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], given: str | None, region: str
) -> None:
    """In the settings, or in either variable."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    # An endpoint of its own makes this an access that no other test has used.
    access = AwsAccess(region=given, endpoint_url=f"http://127.0.0.1:{len(str(variables))}", max_attempts=len(region))

    assert access.session().region_name == region


def test_an_access_travels_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither it nor what polars is given holds a secret, pickled or shown."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    access = AwsAccess(region="sa-east-1", max_attempts=91)

    for value in (access, access.polars_credentials(), access.polars_options()):
        assert b"planted-secret" not in pickle.dumps(value)
        assert "planted-secret" not in repr(value)
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - just made
    assert access.polars_credentials()()[0]["aws_secret_access_key"] == "planted-secret"  # noqa: S105 - planted by the test


def test_polars_asks_again_before_credentials_expire() -> None:
    """Within minutes, without a session token where there is none."""
    credentials, until = AwsAccess(region="sa-east-1", max_attempts=92).polars_credentials()()

    assert credentials == {"aws_access_key_id": ROOT.access_key, "aws_secret_access_key": ROOT.secret_key}
    assert 0 < until - time.time() <= 300


def test_renewed_credentials_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile's program is asked again when its credentials expire; the client in C gets the new ones."""
    program = tmp_path / "sign-in"
    program.write_text(
        f"""#!/bin/sh
echo x >> {tmp_path}/asked
n=$(wc -l < {tmp_path}/asked | tr -d ' ')
echo '{{"Version": 1, "AccessKeyId": "key-'$n'", "SecretAccessKey": "s", "Expiration": "2020-01-01T00:00:00Z"}}'
"""
    )
    program.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(f"[profile bank]\nregion = sa-east-1\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    access = AwsAccess(profile="bank")

    with pytest.raises(RuntimeError, match="still expired"):
        access.crt_credentials()

    assert (tmp_path / "asked").read_text().count("x") >= 2


def test_no_credentials_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the SDK's own error, which the adapters make a sentence of."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(NoCredentialsError):
        AwsAccess(region="sa-east-1", max_attempts=93).require_credentials()


def test_a_server_of_our_own_is_reached_by_path() -> None:
    """Polars is told so; without TLS only if the URL says so."""
    plain = AwsAccess(endpoint_url="http://127.0.0.1:9/", region="sa-east-1").polars_options()
    safe = AwsAccess(endpoint_url="https://s3.bank.example", region="sa-east-1").polars_options()

    assert plain == {
        "aws_region": "sa-east-1",
        "aws_endpoint_url": "http://127.0.0.1:9",
        "aws_virtual_hosted_style_request": "false",
        "aws_allow_http": "true",
    }
    assert "aws_allow_http" not in safe
    assert AwsAccess(region="sa-east-1").polars_options() == {"aws_region": "sa-east-1"}


@pytest.mark.parametrize(
    "value", ["2009-10-12T17:50:30.000Z", "2009-10-12T17:50:30Z", "Mon, 12 Oct 2009 17:50:30 GMT", 1255369830]
)
def test_instants_are_read_in_every_form_of_aws(value: str | int) -> None:
    """ISO-8601 of listings, HTTP's of headers, seconds of others; always UTC."""
    assert parse_instant(value) == datetime(2009, 10, 12, 17, 50, 30, tzinfo=UTC)
