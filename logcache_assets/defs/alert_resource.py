"""Whom alerts are sent to, as a Dagster resource, so that Dagit's Resources page says where they go."""

import dagster as dg
from pydantic import Field
from typing_extensions import override

from logcache_assets.connect import Channels, channels_of
from logcache_assets.errors import BadInput
from logcache_assets.settings import load_settings, variable_of


class ChannelsResource(dg.ConfigurableResource[Channels]):
    """Whom alerts are sent to, and the heartbeat that shows that the daemon lives."""

    webhook: str = Field(default="", description="Address of a webhook of Slack's form; empty if there is none")
    mail_to: str = Field(default="", description="Addresses that get mail")
    mail_password: str = Field(default="", description="Secret; password at the mail server")
    heartbeat: str = Field(default="", description="An address that is called while the daemon lives")
    home: str = Field(description="Folder of the file `alerts.jsonl`, which has all alerts")
    environment: dict[str, str] = Field(description="The settings of the mail server")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Channels:
        given = {
            variable_of("alert_webhook"): self.webhook,
            variable_of("alert_mail_password"): self.mail_password,
            variable_of("heartbeat_url"): self.heartbeat,
        }
        for variable, value in given.items():
            if isinstance(value, dg.EnvVar):
                # Outside a run Dagster leaves the variable's name here, and a name must never be called.
                raise BadInput(
                    f"{variable} was not read: build this resource with process_config_and_initialize(), or use "
                    "connect.channels_of"
                )
        own = {variable: value for variable, value in given.items() if value}
        return channels_of(load_settings({**self.environment, **own}))
