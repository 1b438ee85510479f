"""The settings of the itaipu repository on GitHub."""

from typing import Annotated, Literal

import msgspec

from logcache_assets.adapters.github.access import Audience, GitHubAccess, GitHubApp
from logcache_assets.domain.plain_text import names_in
from logcache_assets.errors import WrongUsage
from logcache_assets.settings.metapod import MetapodSettings

Url = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^\s?#]+$", description="an address that begins with http:// or https://, without ? and #"
    ),
]
FullName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+\Z", description="owner/name of a repository, such as acme/itaipu"
    ),
]
Branch = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/@+-]*\Z", description="the name of a branch, such as main")
]
PUBLIC_API = "https://api.github.com"
Number = Annotated[int, msgspec.Meta(gt=0)]
Link = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://\S*\{key\}\S*$",
        description="an address that begins with http:// or https:// and has {key} in it",
    ),
]


class GitHubSettings(MetapodSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the itaipu repository is, and how its pull requests are shown."""

    repository: Literal["local", "github"] = "local"
    """The local world's bare git repository, or one on GitHub."""
    github_url: Url = PUBLIC_API
    """Of the REST API; that of an Enterprise Server is `https://HOST/api/v3`."""
    github_repository: FullName | None = None
    """Owner and name, `acme/itaipu`."""
    github_base_branch: Branch = "main"
    """The branch whose map is active."""
    github_token: str | None = None
    """Secret; or else the three settings of an App."""
    github_app_id: Number | None = None
    github_app_installation: Number | None = None
    """Number of the App's installation for the repository's owner."""
    github_app_key: str | None = None
    """Secret; the App's private key, PEM."""
    github_labels: str = ""
    """Labels of pull requests, `log-cache,data`."""
    github_reviewers: str = ""
    """Logins of those who are asked for a review."""
    github_team_reviewers: str = ""
    """Slugs of teams that are asked for one."""
    report_url: Link | None = None
    """Where a browser finds a report, with {bucket} and {key} in it; default on S3: Amazon's console."""

    def commit_link(self, sha: str) -> str | None:
        """The address of a commit's page; None for the local world's repository, which has none."""
        return f"{self.repository_page}/commit/{sha}" if self.repository_page else None

    @property
    def audience(self) -> Audience:
        """Who shall look at pull requests."""
        return Audience(
            labels=names_in(self.github_labels),
            reviewers=names_in(self.github_reviewers),
            team_reviewers=names_in(self.github_team_reviewers),
        )

    @property
    def repository_page(self) -> str | None:
        """The page of the itaipu repository; None if it is not on GitHub."""
        if self.repository != "github" or self.github_repository is None:
            return None
        # An Enterprise Server has its API below its pages, GitHub itself beside them.
        server = self.github_url.rstrip("/").removesuffix("/api/v3").replace("://api.github.com", "://github.com")
        return f"{server}/{self.github_repository}"

    @property
    def github_access(self) -> GitHubAccess:
        """How the repository on GitHub is reached.

        Raises:
            WrongUsage: neither a token nor all that an App needs is set, or both are.
        """
        app_id, installation, key = self.github_app_id, self.github_app_installation, self.github_app_key
        has_token, has_app = self.github_token is not None, None not in {app_id, installation, key}
        if has_token == has_app or (has_token and any((app_id, installation, key))):
            raise WrongUsage(
                "GitHub is asked with one identity: set LOGCACHE_GITHUB_TOKEN, or all of LOGCACHE_GITHUB_APP_ID, "
                "LOGCACHE_GITHUB_APP_INSTALLATION and LOGCACHE_GITHUB_APP_KEY, and not both"
            )
        token, app_key = self.secret("github_token"), self.secret("github_app_key")
        return GitHubAccess(
            repository=self.github_repository or "",
            credentials=token
            if app_id is None or installation is None
            else GitHubApp(app_id=app_id, installation_id=installation, key=app_key),
            url=self.github_url.rstrip("/"),
        )
