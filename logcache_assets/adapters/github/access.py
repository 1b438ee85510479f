"""Where GitHub is, who asks (a token, or an installation of a GitHub App), and who shall look.

Secrets are read when a client is made, and do not travel to other processes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.adapters.secret import Secret
from logcache_assets.errors import BadInput

if TYPE_CHECKING:
    from github import Auth, Github

API_VERSION = "2022-11-28"
"""Of the REST API; the oldest that is still served, also by Enterprise Servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubApp:
    """An installed GitHub App; its tokens last an hour and are renewed."""

    app_id: int
    installation_id: int
    key: Secret
    """The private key, PEM."""

    @property
    def pem(self) -> str:
        """The key; line ends may be written as backslash and n, as files of variables have them."""
        return self.key.read().replace("\\n", "\n").strip() + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubAccess:
    """How a repository on GitHub is reached."""

    repository: str
    """Owner and name, `acme/itaipu`."""
    credentials: Secret | GitHubApp
    """A token, or an App."""
    url: str = "https://api.github.com"
    """Of the REST API; that of an Enterprise Server ends with `/api/v3`."""
    timeout_seconds: int = 30
    """Of one request."""
    longest_wait_seconds: float = 120
    """How long a request may wait for a rate limit."""
    seconds_between_writes: float = 1
    """GitHub asks for a second between writes."""

    @property
    def owner(self) -> str:
        """Whose repository it is."""
        return self.repository.partition("/")[0]

    @property
    def blanker(self) -> Blanker:
        """Blanks the secret in the words of others."""
        secret = self.credentials.key if isinstance(self.credentials, GitHubApp) else self.credentials
        return Blanker([secret.read()], urls=[self.url])

    def app_permissions(self) -> Mapping[str, str] | None:
        """Permission → level of the App's installation; None for a token, which does not tell its own.

        Raises PyGithub's errors; whoever asked for anything else before has signed in already.
        """
        if isinstance(self.credentials, Secret):
            return None
        from github import GithubIntegration  # noqa: PLC0415 - as in `client`

        app = GithubIntegration(auth=self._app_auth(self.credentials), base_url=self.url, retry=None)
        return dict(app.get_access_token(self.credentials.installation_id).permissions)

    def client(self) -> "Github":
        """A new client, which repeats nothing and waits for nothing by itself; for one thread.

        Raises:
            BadInput: the secret is missing or malformed.
        """
        from github import Github  # noqa: PLC0415 - 0.4 s, where GitHub is used

        return Github(
            auth=self._auth(),
            base_url=self.url.rstrip("/"),
            timeout=self.timeout_seconds,
            user_agent="logcache-assets",
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=self.seconds_between_writes,
            api_version=API_VERSION,
            lazy=True,
        )

    def _auth(self) -> "Auth.Auth":
        from github import Auth  # noqa: PLC0415 - as above

        if isinstance(self.credentials, Secret):
            return Auth.Token(self.credentials.read_for_header())
        return self._app_auth(self.credentials).get_installation_auth(self.credentials.installation_id)

    @staticmethod
    def _app_auth(app: GitHubApp) -> "Auth.AppAuth":
        from github import Auth  # noqa: PLC0415 - as above

        _require_key(app.pem)
        return Auth.AppAuth(app.app_id, app.pem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who shall look at pull requests."""

    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    """Logins."""
    team_reviewers: tuple[str, ...] = ()
    """Slugs of teams of the repository's owner."""


def _require_key(pem: str) -> None:
    """Raise BadInput unless the text is a private key of RSA, which signs for an App."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - comes with PyGithub
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise BadInput(
            "LOGCACHE_GITHUB_APP_KEY is no private key of RSA in PEM, so nothing can be signed for the GitHub App; "
            "set the file that GitHub gave when the key was made, whole, with its first and last line"
        )
