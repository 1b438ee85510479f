"""The notebook runner on Databricks as a Dagster resource; imported only where the settings name Databricks.

The workspace and who signs in are dagster-databricks' own resource, with the fields that Dagster's users know. It costs
a second to import. Nobody signs in before the runner is used.
"""

from typing import Any

import dagster as dg
from dagster_databricks import DatabricksClientResource
from dagster_databricks.resources import AzureServicePrincipalCredentials, OauthCredentials
from pydantic import Field
from typing_extensions import override

from logcache_assets.connect import databricks_runner
from logcache_assets.errors import BadInput
from logcache_assets.ports import NotebookRunner
from logcache_assets.settings import Settings, load_settings, variable_of

_TOKEN, _SECRET = variable_of("databricks_token"), variable_of("databricks_client_secret")


class DatabricksNotebookRunnerResource(DatabricksClientResource):
    """Runs the export notebook as a job on Databricks."""

    cluster: str = Field(description="Id of a cluster, or what one is made of for each run")
    folder: str = Field(description="Folder of the workspace that has this version's notebook")
    environment: dict[str, str] = Field(description="The settings without secrets")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> NotebookRunner:
        return databricks_runner(load_settings({**self.environment, **variables_of(self)}))


def variables_of(client: DatabricksClientResource) -> dict[str, str]:
    """The settings that dagster-databricks' resource holds; raises BadInput if we cannot sign in as it does."""
    found = {"LOGCACHE_DATABRICKS_HOST": client.host, _TOKEN: client.token}
    if client.credentials_strategy is not None:
        raise BadInput("a credentials_strategy is not followed here; give a token, oauth_credentials or azure ones")
    if client.oauth_credentials is not None:
        found["LOGCACHE_DATABRICKS_CLIENT_ID"] = client.oauth_credentials.client_id
        found[_SECRET] = client.oauth_credentials.client_secret
    if client.azure_credentials is not None:
        found["LOGCACHE_DATABRICKS_CLIENT_ID"] = client.azure_credentials.azure_client_id
        found[_SECRET] = client.azure_credentials.azure_client_secret
        found["LOGCACHE_DATABRICKS_AZURE_TENANT"] = client.azure_credentials.azure_tenant_id
    return {name: value for name, value in found.items() if value is not None}


def notebook_runner_resource(settings: Settings, environment: dict[str, str]) -> DatabricksNotebookRunnerResource:
    """The notebook runner that the settings describe.

    Args:
        settings: of the deployment.
        environment: the settings as variables, without secrets.
    """
    kind = settings.databricks_node_type or settings.databricks_pool or settings.databricks_policy
    return DatabricksNotebookRunnerResource(
        host=settings.databricks_host,
        **_credentials(settings),
        cluster=settings.databricks_cluster or f"{settings.databricks_workers} workers, {kind}",
        folder=settings.databricks_folder,
        environment=environment,
    )


def _credentials(settings: Settings) -> dict[str, Any]:
    """Who signs in, as a field of dagster-databricks' resource; a secret is the name of its variable."""
    client_id, secret = settings.databricks_client_id, dg.EnvVar(_SECRET)
    if client_id is None:
        return {"token": dg.EnvVar(_TOKEN)}
    if settings.databricks_azure_tenant is None:
        return {"oauth_credentials": OauthCredentials(client_id=client_id, client_secret=secret)}
    azure = AzureServicePrincipalCredentials(
        azure_client_id=client_id, azure_client_secret=secret, azure_tenant_id=settings.databricks_azure_tenant
    )
    return {"azure_credentials": azure}
