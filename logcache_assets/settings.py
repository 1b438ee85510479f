"""Which platform the code talks to, and where it is.

Nothing else reads the environment, except that a worker takes secrets from its own: adapters/ names their variables.
"""

import difflib
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from typing_extensions import override

from logcache_assets.domain.locations import Locations
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.errors import WrongUsage

PREFIX = "LOGCACHE_"
PII_KEY_VARIABLE = "LOGCACHE_PII_KEY"
"""The one secret among the settings."""

Hour = Annotated[int, msgspec.Meta(ge=0, le=24)]
Bucket = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting; each is the environment variable of its upper-case name behind LOGCACHE_."""

    platform: Literal["local"] = "local"
    """The embedded platform, which needs no account."""
    home: Annotated[str, msgspec.Meta(min_length=1)] = ".logcache"
    """Folder of the local world and of Dagster's storage."""
    catalog: str | None = None
    """Folder of contract definitions that make the assets; default: `catalog` in home."""
    ephemeral_bucket: Bucket = "nu-spark-metapod-ephemeral-1"
    permanent_bucket: Bucket = "nu-spark-metapod"
    pii_key: str | None = None
    """Key of the HMAC in PII columns; the local world makes its own."""
    sabesp: str | None = None
    """Path of the sabesp executable; default: the local platform's."""
    aurora_stack: str = "cantareira-dev"
    run_name: str = "logcache"
    machines: Annotated[int, msgspec.Meta(gt=0)] = 192
    publish_from_hour: Hour = 13
    publish_until_hour: Hour = 23
    copy_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 6
    """How long a copy may need its sources at most."""
    copy_threads: Annotated[int, msgspec.Meta(gt=0)] = 10
    lookback_days: Annotated[int, msgspec.Meta(gt=0, le=3650)] = 14
    """How far back nightly transactions are looked for."""
    test_run_timeout_minutes: Annotated[int, msgspec.Meta(gt=0)] = 360
    same_t_contracts: str = "*"
    """Pattern of the contracts that are recomputed at yesterday's t from the candidate's caches; empty for none."""
    same_t_prototypes: str = "*"
    """On which prototypes, `s0,s3`; `*` is all."""
    validation_driver: Literal["local", "spark"] = "local"
    """Where contracts are compared, and recomputed for that."""

    @override
    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({', '.join(shown)})"

    @override
    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Every setting, the secret one masked: also for tracebacks that show variables."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "****" if name == "pii_key" and value else value) for name, value in values]

    @property
    def home_folder(self) -> Path:
        """The absolute folder of the local world."""
        return Path(self.home).absolute()

    @property
    def dagster_folder(self) -> Path:
        """The absolute folder of Dagster's storage."""
        return self.home_folder / "dagster"

    @property
    def catalog_folder(self) -> Path:
        """The absolute folder of contract definitions."""
        return Path(self.catalog).absolute() if self.catalog else self.home_folder / "catalog"

    @property
    def locations(self) -> Locations:
        """Where everything lies in the permanent bucket."""
        return Locations(permanent_bucket=self.permanent_bucket)

    @property
    def publish_window(self) -> PublishWindow:
        """When a pull request may be opened."""
        return PublishWindow(start_hour=self.publish_from_hour, end_hour=self.publish_until_hour)

    @property
    def same_t(self) -> SameTSelection:
        """What is recomputed at yesterday's t."""
        prototypes = tuple(name.strip() for name in self.same_t_prototypes.split(",") if name.strip())
        return SameTSelection(contracts=self.same_t_contracts, prototypes=None if prototypes == ("*",) else prototypes)

    @property
    def copy_time(self) -> timedelta:
        """How long a copy may need its sources at most."""
        return timedelta(hours=self.copy_hours)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from LOGCACHE_… variables.

    Args:
        environment: instead of the process's.

    Raises:
        WrongUsage: an unknown variable or a value that its setting cannot take.
    """
    variables = {k: v for k, v in (os.environ if environment is None else environment).items() if k.startswith(PREFIX)}
    known = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    for variable in variables.keys() - known.keys():
        close = difflib.get_close_matches(variable.removeprefix(PREFIX).lower(), known.values(), n=1)
        meant = f"did you mean {PREFIX}{close[0].upper()}?" if close else f"known are {', '.join(known)}"
        raise WrongUsage(f"unknown setting {variable}; {meant}")
    settings = _convert({known[variable]: value for variable, value in variables.items()})
    if settings.publish_from_hour >= settings.publish_until_hour:
        raise WrongUsage(
            f"LOGCACHE_PUBLISH_FROM_HOUR is {settings.publish_from_hour} and LOGCACHE_PUBLISH_UNTIL_HOUR is "
            f"{settings.publish_until_hour}, so nothing could ever be published; set the first below the second"
        )
    return settings


def _convert(values: Mapping[str, str]) -> Settings:
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`")
        raise WrongUsage(f"{PREFIX}{name.upper()} is {values.get(name)!r}: {message}; correct or unset it") from error


class ChildEnvironment(dict[str, str]):
    """Variables for a child process. Its text and its pickle leave the secret out: other processes have their own."""

    @property
    def public(self) -> dict[str, str]:
        """The variables that may be shown."""
        return {name: value for name, value in self.items() if name != PII_KEY_VARIABLE}

    @override
    def __repr__(self) -> str:
        return f"ChildEnvironment({self.public})"

    @override
    def __reduce__(self) -> tuple[type["ChildEnvironment"], tuple[dict[str, str]]]:
        return ChildEnvironment, (self.public,)


def child_environment(settings: Settings) -> ChildEnvironment:
    """The variables that make a child process see the same settings, from whichever folder it starts."""
    absolute = msgspec.structs.replace(settings, home=str(settings.home_folder), catalog=str(settings.catalog_folder))
    return ChildEnvironment(
        {
            PREFIX + name.upper(): str(value)
            for name in Settings.__struct_fields__
            if (value := getattr(absolute, name)) is not None
        }
    )


def public_environment(settings: Settings) -> dict[str, str]:
    """The same variables without secrets: what may be shown."""
    return child_environment(settings).public
