"""The itaipu repository on GitHub as a Dagster resource; imported only where the settings name it."""

from collections.abc import Callable

import dagster as dg
from pydantic import Field
from typing_extensions import override

from logcache_assets.connect import github_repository
from logcache_assets.ports import ItaipuRepository
from logcache_assets.settings import Settings, load_settings, public_environment, variable_of


class GitHubRepositoryResource(dg.ConfigurableResource[ItaipuRepository]):
    """The itaipu repository on GitHub; signs in with a token or as a GitHub App."""

    repository: str = Field(description="Owner and name")
    url: str = Field(description="Of the REST API")
    base_branch: str = Field(description="The branch whose map is active")
    token: str = Field(default="", description="Secret; empty for an App")
    app_key: str = Field(default="", description="Secret; the App's private key")
    environment: dict[str, str] = Field(description="The settings: App, labels, reviewers, vault")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> ItaipuRepository:
        secrets = {"github_token": self.token, "github_app_key": self.app_key}
        own = {variable_of(setting): value for setting, value in secrets.items() if value}
        places = {
            variable_of("github_repository"): self.repository,
            variable_of("github_url"): self.url,
            variable_of("github_base_branch"): self.base_branch,
        }
        return github_repository(load_settings({**self.environment, **places, **own}))


def repository_resource(settings: Settings, secret_field: Callable[[Settings, str], str]) -> GitHubRepositoryResource:
    """The itaipu repository that the settings describe."""
    return GitHubRepositoryResource(
        repository=settings.github_repository or "",
        url=settings.github_url,
        base_branch=settings.github_base_branch,
        token=secret_field(settings, "github_token"),
        app_key=secret_field(settings, "github_app_key"),
        environment=public_environment(settings),
    )
