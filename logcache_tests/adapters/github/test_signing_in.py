"""A token, or an installed GitHub App; neither is shown, and neither travels."""

import logging
import pickle

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from logcache_assets.adapters.github.access import GitHubAccess, GitHubApp
from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.adapters.secret import Secret
from logcache_assets.errors import BadInput, LogCacheError, WrongUsage
from logcache_assets.ports import RepositoryDenied
from logcache_assets.settings import load_settings
from logcache_tests.adapters.itaipu_worlds import BRANCH, candidate
from logcache_tests.servers.github.faults import Fault
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.people import APP_ID, INSTALLATION_ID, app_key


def as_app(
    github: GitHub, *, key: str | None = None, app_id: int = APP_ID, installation: int = INSTALLATION_ID
) -> GitHubRepository:
    """The adapter, signed in as the App."""
    pem = Secret("the key of the GitHub App", key or app_key())
    access = GitHubAccess(
        repository=github.repository,
        credentials=GitHubApp(app_id=app_id, installation_id=installation, key=pem),
        url=github.url,
        seconds_between_writes=0,
    )
    return GitHubRepository(access, reads=RepeatedReads(first_pause_seconds=0.01))


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A private key as a file has it."""
    unencrypted = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted).decode()


def test_an_app_signs_in_and_writes(github: GitHub) -> None:
    """Its token is asked for once while it lasts; what it opens is the App's."""
    repository = as_app(github)

    candidate(repository)
    repository.propose(branch=BRANCH, title="Renew", body="Evidence")

    tokens = [asked for asked in github.asked if asked.endswith("access_tokens")]
    assert len(tokens) == 1
    assert github.board.requests[1].author == "logcache[bot]"


def test_a_key_may_have_its_lines_in_one(github: GitHub) -> None:
    """Files of variables cannot hold line ends."""
    assert as_app(github, key=app_key().replace("\n", "\\n")).head("main")


OTHER_KEY = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({"key": OTHER_KEY}, "GitHub does not accept the signature of the App", id="another key"),
        pytest.param({"app_id": 1}, "GitHub has no such App or installation", id="another App"),
        pytest.param({"installation": 1}, "GitHub has no such App or installation", id="another installation"),
    ],
)
def test_an_app_that_is_not_known_is_told(github: GitHub, fields: dict[str, str], sentence: str) -> None:
    """With the settings that must belong together; nothing of the key is shown."""
    with pytest.raises(RepositoryDenied, match=sentence) as denied:
        as_app(github, **fields).head("main")  # type: ignore[arg-type]  # each fits its own field

    assert "BEGIN" not in str(denied.value)
    assert "LOGCACHE_GITHUB_APP" in str(denied.value)


def test_a_suspended_installation_is_told(github: GitHub) -> None:
    """Its owner must lift it."""
    github.people.is_suspended = True

    with pytest.raises(RepositoryDenied, match="the installation of the GitHub App is suspended; have an owner"):
        as_app(github).head("main")


def test_an_app_without_a_permission_names_it(github: GitHub) -> None:
    """As GitHub does in a header."""
    github.people.app_rights["contents"] = "read"

    with pytest.raises(RepositoryDenied, match=r"may not do this to acme/itaipu .*; allow it contents=write"):
        candidate(as_app(github))

    assert BRANCH not in github.bare.heads()


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("no key at all", id="no PEM"),
        pytest.param(app_key()[:200], id="cut short"),
        pytest.param(pem_of(ec.generate_private_key(ec.SECP256R1())), id="of another kind"),
    ],
)
def test_a_key_that_is_none_is_refused_before_anything_is_asked(github: GitHub, key: str) -> None:
    """By the setting; it is not repeated."""
    with pytest.raises(BadInput, match="LOGCACHE_GITHUB_APP_KEY is no private key of RSA in PEM") as refused:
        as_app(github, key=key).head("main")

    assert key[:12] not in str(refused.value)
    assert github.asked == []


def test_a_token_that_ends_is_renewed(github: GitHub) -> None:
    """PyGithub renews it before its time."""
    repository = as_app(github)
    repository.head("main")
    for token in list(github.people.expires):
        github.people.expires[token] = github.people.expires[token].replace(year=2000)

    with pytest.raises(RepositoryDenied, match="GitHub does not accept the credentials"):
        repository.head("main")
    assert as_app(github).head("main")


def test_no_secret_is_shown_or_sent(github: GitHub, caplog: pytest.LogCaptureFixture) -> None:
    """Neither by repr, nor by pickle, nor in a log, nor in the words of a server that repeats it."""
    caplog.set_level(logging.DEBUG)
    token = Secret("GitHub's token", github.token)
    access = GitHubAccess(repository=github.repository, credentials=token, url=github.url)
    github.faults.append(Fault(status=403, body={"message": f"no scope for {github.token}"}))

    with pytest.raises(LogCacheError, match=r"no scope for \*\*\*\*") as denied:
        GitHubRepository(access).head("main")
    with pytest.raises(BadInput, match="is never sent to another process"):
        pickle.dumps(GitHubRepository(access))

    shown = f"{denied.value!r}{denied.value}{access!r}{caplog.text}{as_app(github)!r}"
    assert github.token not in shown
    assert app_key().splitlines()[1] not in shown


APP = {"LOGCACHE_GITHUB_APP_ID": "1", "LOGCACHE_GITHUB_APP_INSTALLATION": "2", "LOGCACHE_GITHUB_APP_KEY": "ssm:/key"}
TOKEN = {"LOGCACHE_GITHUB_TOKEN": "secretsmanager:github#token"}


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="none"),
        pytest.param({**APP, **TOKEN}, id="both"),
        pytest.param({name: value for name, value in APP.items() if not name.endswith("KEY")}, id="no key"),
        pytest.param({**TOKEN, "LOGCACHE_GITHUB_APP_ID": "1"}, id="a token and a part of an App"),
    ],
)
def test_there_is_one_identity(variables: dict[str, str]) -> None:
    """Whose pull requests they are is no matter of chance."""
    with pytest.raises(WrongUsage, match="GitHub is asked with one identity"):
        _ = load_settings(variables).github_access


@pytest.mark.parametrize(("variables", "kind"), [(APP, GitHubApp), (TOKEN, Secret)])
def test_settings_name_where_the_secret_lies(variables: dict[str, str], kind: type) -> None:
    """A reference is shown; nothing is read before it is used."""
    access = load_settings({**variables, "LOGCACHE_GITHUB_REPOSITORY": "acme/itaipu"}).github_access

    assert isinstance(access.credentials, kind)
    assert "ssm:/key" in repr(access) or "secretsmanager:github#token" in repr(access)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("LOGCACHE_GITHUB_REPOSITORY", "itaipu", id="a name without its owner"),
        pytest.param("LOGCACHE_GITHUB_REPOSITORY", "https://github.com/acme/itaipu", id="a page"),
        pytest.param("LOGCACHE_GITHUB_URL", "github.acme.com", id="no URL"),
        pytest.param("LOGCACHE_GITHUB_APP_ID", "logcache", id="an App by its name"),
        pytest.param("LOGCACHE_GITHUB_BASE_BRANCH", "", id="no branch"),
        pytest.param("LOGCACHE_REPORT_URL", "https://reports.acme.com/", id="an address of no report"),
        pytest.param("LOGCACHE_REPOSITORY", "gitlab", id="another host"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(variable: str, value: str) -> None:
    """Before anything is asked."""
    with pytest.raises(WrongUsage, match=f"^{variable} is "):
        load_settings({variable: value})
