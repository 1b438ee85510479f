"""The ports as Dagster resources, so that Dagit's Resources page says where every system is.

A resource's fields tell a person where to find the system. A secret is an environment variable, of which the page
shows only the name. A new adapter gets a resource class here. connect.py builds the ports without Dagster.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from pydantic import Field
from typing_extensions import override

from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.connect import NOTEBOOK, channels_of, graphql_metapod, sabesp_itaipu
from logcache_assets.defs.alert_resource import ChannelsResource
from logcache_assets.defs.local_resources import (
    LocalClockResource,
    LocalMetapodResource,
    LocalNotebookRunnerResource,
    LocalRepositoryResource,
    LocalSegmentIndexResource,
    LocalStoreResource,
)
from logcache_assets.defs.turns import Turn, TurnResource
from logcache_assets.deployment_key import deployment_key
from logcache_assets.domain.secret_references import is_reference
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.ports import (
    Clock,
    Itaipu,
    Metapod,
    Ports,
)
from logcache_assets.settings import PII_KEY_VARIABLE, Settings, load_settings, public_environment, variable_of


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings of this deployment: every LOGCACHE_ variable except secrets."""

    values: dict[str, str] = Field(description="Variables that begin with LOGCACHE_, each with its value")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        return load_settings(self.values)


class PersonalDataKeyResource(dg.ConfigurableResource[bytes]):
    """Key of the HMAC that hashes personal data in contracts and makes the tokens in reports."""

    key: str = Field(
        default="", description="The key; if empty, the local world's own key is used, which lies in its home folder"
    )
    home: str = Field(description="Folder of the local world")
    environment: dict[str, str] = Field(description="How a vault is reached, if the key lies in one")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> bytes:
        if isinstance(self.key, dg.EnvVar):
            # Outside a run Dagster leaves the variable's name here, and a name must never become the key.
            raise BadInput(
                f"the key of personal data was not read from {PII_KEY_VARIABLE}: build this resource with "
                "process_config_and_initialize(), or use connect.deployment_key"
            )
        own = {PII_KEY_VARIABLE: self.key} if self.key else {}
        return deployment_key(load_settings({**self.environment, "LOGCACHE_HOME": self.home, **own}))


class MetapodResource(dg.ConfigurableResource[Metapod]):
    """The metadata service, asked over GraphQL."""

    url: str = Field(description="Address of the GraphQL endpoint")
    token: str = Field(default="", description="Sent as bearer token; empty where a client's certificate is shown")
    environment: dict[str, str] = Field(
        description="The settings of metapod: certificate, authority, time limit, queries, country"
    )

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Metapod:
        variable = variable_of("metapod_token")
        if isinstance(self.token, dg.EnvVar):
            # Outside a run Dagster leaves the variable's name here, and a name must never be sent as the token.
            raise BadInput(
                f"metapod's token was not read from {variable}: build this resource with "
                "process_config_and_initialize(), or use connect.graphql_metapod"
            )
        own = {variable: self.token} if self.token else {}
        return graphql_metapod(load_settings({**self.environment, variable_of("metapod_url"): self.url, **own}))


class SabespResource(dg.ConfigurableResource[Itaipu]):
    """Starts test runs of Itaipu with the `sabesp` command."""

    executable: str = Field(description="Path of the program `sabesp`")
    log_folder: str = Field(description="Folder that gets a file per run with all its output")
    environment: dict[str, str] = Field(
        description="The settings of a test run: stack, run name, machines, buckets, time limit"
    )

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Itaipu:
        configured = sabesp_itaipu(load_settings(self.environment))
        return dataclasses.replace(configured, executable=Path(self.executable), log_folder=Path(self.log_folder))


class SystemClockResource(dg.ConfigurableResource[Clock]):
    """The date of this computer."""

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Clock:
        return SystemClock()


def configured_resources(settings: Settings) -> dict[str, object]:
    """Resources for the deployment that this process's environment describes."""
    files = WorldFiles(settings.home_folder)
    clock_file = str(files.clock)
    itaipu, values = sabesp_itaipu(settings), public_environment(settings)
    return {
        "settings": SettingsResource(values=values),
        "pii_key": PersonalDataKeyResource(
            key=secret_field(settings, "pii_key"),
            home=str(files.home),
            environment=values,
        ),
        "store": _store(settings, files),
        "segment_index": _segment_index(settings, files),
        "metapod": _metapod(settings, files),
        "runner": _notebook_runner(settings, files, values),
        "itaipu": SabespResource(
            executable=str(itaipu.executable), log_folder=str(itaipu.log_folder), environment=values
        ),
        "repository": _repository(settings, files),
        "clock": SystemClockResource() if settings.clock == "system" else LocalClockResource(file=clock_file),
        "turn": TurnResource(home=str(files.home)),
        "channels": _channels(settings, files, values),
    }


def secret_field(settings: Settings, setting: str) -> str:
    """A resource's field for a secret: the page shows the variable's name, or the reference that it holds.

    Without the variable it is empty, because Dagster refuses a run if one that is named is not set.
    """
    value = getattr(settings, setting)
    if not value:
        return ""
    return value if is_reference(value) else dg.EnvVar(variable_of(setting))


def _channels(settings: Settings, files: WorldFiles, values: dict[str, str]) -> ChannelsResource:
    """The resource of those who are told what is wrong."""
    return ChannelsResource(
        webhook=secret_field(settings, "alert_webhook"),
        mail_to=settings.alert_mail_to or "",
        mail_password=secret_field(settings, "alert_mail_password"),
        heartbeat=secret_field(settings, "heartbeat_url"),
        home=str(files.home),
        environment=values,
    )


def _store(settings: Settings, files: WorldFiles) -> object:
    """The resource of the object store that the settings name."""
    if settings.store == "local":
        return LocalStoreResource(
            buckets=str(files.buckets),
            permanent_bucket=settings.permanent_bucket,
            clock_file=str(files.clock),
            faults=str(files.faults),
        )
    from logcache_assets.defs.aws_resources import store_resource  # noqa: PLC0415 - dagster-aws takes seconds

    return store_resource(settings)


def _repository(settings: Settings, files: WorldFiles) -> object:
    """The resource of the itaipu repository that the settings name."""
    if settings.repository == "local":
        return LocalRepositoryResource(
            git_dir=str(files.repository), pull_requests=str(files.pull_requests), clock_file=str(files.clock)
        )
    from logcache_assets.defs.github_resource import repository_resource  # noqa: PLC0415 - of one platform only

    return repository_resource(settings, secret_field)


def _metapod(settings: Settings, files: WorldFiles) -> object:
    """The resource of the metapod that the settings name."""
    if settings.metapod == "local":
        return LocalMetapodResource(file=str(files.metapod), country=settings.country)
    return MetapodResource(
        url=settings.metapod_url or "",
        token=secret_field(settings, "metapod_token"),
        environment=public_environment(settings),
    )


def _segment_index(settings: Settings, files: WorldFiles) -> object:
    """The resource of the segment index that the settings name."""
    if settings.segment_index == "local":
        return LocalSegmentIndexResource(file=str(files.segment_index))
    from logcache_assets.defs.aws_resources import segment_index_resource  # noqa: PLC0415 - dagster-aws takes seconds

    return segment_index_resource(settings)


def _notebook_runner(settings: Settings, files: WorldFiles, values: dict[str, str]) -> object:
    """The resource of what runs notebooks by the settings."""
    if settings.notebook == "local":
        return LocalNotebookRunnerResource(notebook=str(NOTEBOOK), runs=str(files.notebook_runs), environment=values)
    from logcache_assets.defs.databricks_resources import notebook_runner_resource  # noqa: PLC0415 - as above

    return notebook_runner_resource(settings, values)


def given_resources(settings: Settings, ports: Ports, turn: Turn | None = None) -> Mapping[str, object]:
    """Resources for existing ports, for example those of the command line or of a test.

    Args:
        settings: of the deployment.
        ports: the outside world.
        turn: that the caller holds; by default each run takes its own.
    """
    return {
        "settings": settings,
        "pii_key": deployment_key(settings),
        "store": ports.store,
        "segment_index": ports.segment_index,
        "metapod": ports.metapod,
        "runner": ports.notebook_runner,
        "itaipu": ports.itaipu,
        "repository": ports.repository,
        "clock": ports.clock,
        "turn": turn or TurnResource(home=str(settings.home_folder)),
        "channels": channels_of(settings),
    }
