"""Which settings are secrets. They are shown nowhere, and no process hands them to another one.

The value of a secret may also name where it lies, `secretsmanager:NAME` or `ssm:NAME`. Such a reference is no secret:
it may be shown, and every process resolves it with its own rights.
"""

from logcache_assets.domain.secret_references import is_reference

PREFIX = "LOGCACHE_"
"""How the environment variables of settings begin."""
SECRETS = {
    "pii_key": "the key of personal data",
    "metapod_token": "metapod's token",
    "github_token": "GitHub's token",
    "github_app_key": "the key of the GitHub App",
    "databricks_token": "Databricks' token",
    "databricks_client_secret": "the secret of the service principal on Databricks",
    "alert_webhook": "the webhook of alerts",
    "alert_mail_password": "the password of the mail server",
    "heartbeat_url": "the address of the heartbeat",
}
"""The settings that are secrets, and what each is called."""


def variable_of(setting: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{setting.upper()}"


def setting_of(variable: str) -> str:
    """The setting of an environment variable."""
    return variable.removeprefix(PREFIX).lower()


PII_KEY_VARIABLE = variable_of("pii_key")


def is_hidden(setting: str, value: object) -> bool:
    """True if the value of a setting is a secret, and not only a reference to one."""
    return setting in SECRETS and isinstance(value, str) and not is_reference(value)
