"""Reads the settings from the environment, and hands them to child processes."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from typing_extensions import override

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.names import COUNTRY
from logcache_assets.domain.plain_text import quoted
from logcache_assets.errors import WrongUsage
from logcache_assets.settings.databricks import ON_A_CLUSTER, require_databricks
from logcache_assets.settings.deployment import Settings
from logcache_assets.settings.expectations import default_of, expectation_of
from logcache_assets.settings.secrets import PII_KEY_VARIABLE, PREFIX, is_hidden, setting_of, variable_of

_PLATFORMS: Mapping[str, Mapping[str, str]] = {
    "production": {
        "store": "s3",
        "segment_index": "dynamodb",
        "metapod": "graphql",
        "notebook": "databricks",
        "repository": "github",
        "clock": "system",
    },
}
"""What a platform other than `local` sets, unless a variable of its own does."""

_FILES = (
    "metapod_certificate",
    "metapod_certificate_key",
    "metapod_authority",
    "metapod_queries",
    "alert_mail_authority",
)
"""Settings that are paths of files."""


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from LOGCACHE_… variables.

    Args:
        environment: used instead of the process's environment.

    Raises:
        WrongUsage: a variable is unknown, or its value does not fit the setting.
    """
    variables = {k: v for k, v in (os.environ if environment is None else environment).items() if k.startswith(PREFIX)}
    known = {variable_of(name): name for name in Settings.__struct_fields__}
    for variable in variables.keys() - known.keys():
        close = difflib.get_close_matches(variable.removeprefix(PREFIX).lower(), known.values(), n=1)
        meant = f"did you mean {variable_of(close[0])}?" if close else f"known are {', '.join(sorted(known))}"
        raise WrongUsage(f"unknown setting {variable}; {meant}")
    settings = _convert(_with_defaults({known[variable]: value for variable, value in variables.items()}))
    _require_key(settings)
    _require_own_buckets(settings, variables)
    _require_places(settings)
    for fault in (*settings.find_metapod_faults(), *settings.find_sabesp_faults(), *settings.find_alert_faults()):
        raise WrongUsage(fault)
    require_databricks(settings, store=settings.store)
    if settings.validation_driver == "databricks" and settings.notebook == "local":
        raise WrongUsage(
            "LOGCACHE_VALIDATION_DRIVER is databricks and LOGCACHE_NOTEBOOK is local; set LOGCACHE_NOTEBOOK=databricks"
        )
    try:
        settings.permanent_terms  # noqa: B018 - its tags are read now, and a wrong one told
    except ValueError as error:
        raise WrongUsage(
            f"LOGCACHE_PERMANENT_TAGS has {str(error)!r}, which is no key=value; write clearance=restricted,team=data"
        ) from error
    if settings.publish_from_hour >= settings.publish_until_hour:
        raise WrongUsage(
            f"LOGCACHE_PUBLISH_FROM_HOUR is {settings.publish_from_hour} and LOGCACHE_PUBLISH_UNTIL_HOUR is "
            f"{settings.publish_until_hour}, so nothing could ever be published; set the first below the second"
        )
    return settings


def _require_key(settings: Settings) -> None:
    if settings.pii_key is not None and not settings.pii_key.strip():
        raise WrongUsage(
            f"{PII_KEY_VARIABLE} is empty, and without a key hashes show personal data; set a strong one, or unset it "
            "for the local world's own"
        )


def _require_places(settings: Settings) -> None:
    """Refuse a system whose place no setting says, and no default can."""
    is_real = settings.platform == "production" and "local" not in {settings.repository, settings.clock}
    for setting, is_needed, why in (
        ("segment_table", settings.segment_index == "dynamodb", "the segment index is a DynamoDB table"),
        ("metapod_url", settings.metapod == "graphql", "metapod is asked over HTTPS"),
        ("github_repository", settings.repository == "github", "the itaipu repository is on GitHub"),
        ("databricks_host", settings.notebook == "databricks", "the notebook runs on Databricks"),
        ("sabesp", is_real, "the local world's sabesp knows no platform but that world"),
        ("pii_key", is_real, "Itaipu's contracts hash personal data with a key that nobody can guess"),
    ):
        if is_needed and getattr(settings, setting) is None:
            raise WrongUsage(f"{variable_of(setting)} is not set, and {why}; set it")


def _with_defaults(values: Mapping[str, str]) -> Mapping[str, str]:
    """The values, with those that the platform and the country set unless they are given."""
    country = values.get("country", COUNTRY)
    home = {} if country == COUNTRY else {"home": f".logcache-{country.lower()}"}
    return {**_PLATFORMS.get(values.get("platform", "local"), {}), **home, **values}


def _require_own_buckets(settings: Settings, variables: Mapping[str, str]) -> None:
    """Refuse another country without buckets of its own: the defaults are Brazil's, and none is guessed."""
    needed = (f"{PREFIX}EPHEMERAL_BUCKET", f"{PREFIX}PERMANENT_BUCKET")
    missing = [name for name in needed if name not in variables]
    if settings.country != COUNTRY and missing:
        raise WrongUsage(
            f"{missing[0]} is not set, and {PREFIX}COUNTRY is {settings.country}, whose buckets have no defaults; "
            "set it to that country's bucket"
        )


def _convert(values: Mapping[str, str]) -> Settings:
    for name, value in values.items():
        if not _is_text(value):
            raise WrongUsage(f"{variable_of(name)} has bytes that are no text in UTF-8; correct or unset it")
    try:
        return converted(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise WrongUsage(_unfit(str(error).rpartition("`$.")[2].rstrip("`"), values)) from None


def _unfit(name: str, values: Mapping[str, str]) -> str:
    """The sentence about a value that does not fit its setting: what it is, what it must be, what to do."""
    value = values.get(name, "")
    shown = "not usable" if is_hidden(name, value) else quoted(Blanker(urls=[value])(value))
    default = default_of(name, platform=_PLATFORMS.get(values.get("platform", ""), {}))
    return f"{variable_of(name)} is {shown}, and must be {expectation_of(name)}; correct it, or {default}"


def _is_text(value: str) -> bool:
    """False if the variable's bytes were no UTF-8, of which Python makes halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class ChildEnvironment(dict[str, str]):
    """Environment variables for a child process. Secrets are left out when it is printed or pickled."""

    @property
    def public(self) -> dict[str, str]:
        """The variables that may be shown."""
        return {name: value for name, value in self.items() if not is_hidden(setting_of(name), value)}

    @override
    def __repr__(self) -> str:
        return f"ChildEnvironment({self.public})"

    @override
    def __reduce__(self) -> tuple[type["ChildEnvironment"], tuple[dict[str, str]]]:
        return ChildEnvironment, (self.public,)


def child_environment(settings: Settings) -> ChildEnvironment:
    """The variables that give a child process the same settings, whatever its working folder."""
    absolute = msgspec.structs.replace(
        settings,
        home=str(settings.home_folder),
        catalog=str(settings.catalog_folder),
        **{name: str(Path(path).absolute()) for name in _FILES if (path := getattr(settings, name))},
    )
    return ChildEnvironment(
        {
            variable_of(name): str(value)
            for name in Settings.__struct_fields__
            if (value := getattr(absolute, name)) is not None
        }
    )


def public_environment(settings: Settings) -> dict[str, str]:
    """The variables of `child_environment` without secrets."""
    return child_environment(settings).public


def cluster_environment(settings: Settings) -> dict[str, str]:
    """The variables that a notebook on a cluster needs: where objects lie, and where the key of personal data is.

    None of them is a secret: a cluster's variables are shown on its page.
    """
    shared_home = {"LOGCACHE_HOME": str(settings.home_folder)} if settings.clock == "local" else {}
    given = ((variable_of(name), getattr(settings, name)) for name in ON_A_CLUSTER)
    return {
        **{variable: str(value) for variable, value in given if value is not None and value != ""},
        **shared_home,
        **_key_on_cluster(settings),
        **settings.more_on_clusters,
    }


def _key_on_cluster(settings: Settings) -> dict[str, str]:
    """The reference by which a cluster finds the key of personal data; nothing if there is none."""
    own = settings.pii_key if not is_hidden("pii_key", settings.pii_key) else None
    key = settings.databricks_pii_key or own
    return {} if key is None else {PII_KEY_VARIABLE: key}
