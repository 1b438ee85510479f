"""How a Databricks workspace is reached: who signs in, and how long an answer is waited for.

The SDK costs half a second to import and signs in with OAuth when its client is made, so a client is made when it is
first used.
"""

from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.adapters.databricks.answers import answered
from logcache_assets.adapters.secret import Secret
from logcache_assets.errors import BadInput

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A personal access token."""

    token: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """A service principal, which signs in with OAuth."""

    client_id: str
    client_secret: Secret
    azure_tenant: str | None = None
    """Of Azure's service principals."""


@dataclass(frozen=True, kw_only=True)
class DatabricksAccess:
    """A workspace, and who asks it."""

    host: str
    """`https://dbc-a1b2345c-d6e7.cloud.databricks.com`"""
    identity: AccessToken | ServicePrincipal
    retry_seconds: int = 60
    """For how long the SDK repeats a request without an answer."""
    timeout_seconds: int = 60
    """Of one attempt to ask."""
    _hidden: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @cached_property
    def client(self) -> "WorkspaceClient":
        """The SDK's client, signed in; safe to use from several threads.

        Raises:
            BadInput: the SDK is not installed, or a credential is missing.
            NotebookError: who asks is refused, or Databricks does not answer.
        """
        if not _has_sdk():
            raise BadInput(
                "databricks-sdk is not installed; install the extra: pip install 'logcache-assets[databricks]'"
            )
        with answered("sign-in", self.host, self.blanked):
            return self._signed_in()

    def _signed_in(self) -> "WorkspaceClient":
        from databricks.sdk import WorkspaceClient  # noqa: PLC0415 - see the module's docstring
        from databricks.sdk.config import Config  # noqa: PLC0415 - as above

        return WorkspaceClient(
            config=Config(
                host=self.host,
                retry_timeout_seconds=self.retry_seconds,
                http_timeout_seconds=self.timeout_seconds,
                product="logcache-assets",
                product_version=metadata.version("logcache-assets"),
                **self.credentials(),
            )
        )

    def credentials(self) -> dict[str, Any]:
        """The SDK's fields of who signs in; with `auth_type` nothing that the environment or a profile has is tried."""
        who = self.identity
        if isinstance(who, AccessToken):
            return {"auth_type": "pat", "token": self._read(who.token)}
        if who.azure_tenant is None:
            secret = self._read(who.client_secret)
            return {"auth_type": "oauth-m2m", "client_id": who.client_id, "client_secret": secret}
        return {
            "auth_type": "azure-client-secret",
            "azure_client_id": who.client_id,
            "azure_client_secret": self._read(who.client_secret),
            "azure_tenant_id": who.azure_tenant,
        }

    def _read(self, secret: Secret) -> str:
        found = secret.read_for_header()
        self._hidden.append(found)
        return found

    def blanked(self, text: str) -> str:
        """The text without the secrets that were sent: a server may repeat them in its refusal."""
        return Blanker(self._hidden)(text)


def _has_sdk() -> bool:
    """Whether the SDK is installed; other programs of Databricks share the name of its package."""
    try:
        return find_spec("databricks.sdk") is not None
    except ModuleNotFoundError:
        return False
