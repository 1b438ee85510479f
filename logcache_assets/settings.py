"""All settings, read from LOGCACHE_… environment variables.

Nothing else reads the environment, except workers, which read secrets from variables that adapters/ names.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from typing_extensions import override

from logcache_assets.domain.locations import Locations
from logcache_assets.domain.plain_text import quoted, shortened
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.errors import WrongUsage

PREFIX = "LOGCACHE_"
PII_KEY_VARIABLE = "LOGCACHE_PII_KEY"
"""The one secret among the settings."""

Hour = Annotated[int, msgspec.Meta(ge=0, le=24)]
Bucket = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. `run_name` is the environment variable LOGCACHE_RUN_NAME, and so on."""

    platform: Literal["local"] = "local"
    """The embedded platform, which needs no account."""
    home: Annotated[str, msgspec.Meta(min_length=1)] = ".logcache"
    """Folder of the local world and of Dagster's storage."""
    catalog: str | None = None
    """Folder of the contract definitions from which assets are made; default: `catalog` in home."""
    ephemeral_bucket: Bucket = "nu-spark-metapod-ephemeral-1"
    permanent_bucket: Bucket = "nu-spark-metapod"
    pii_key: str | None = None
    """Key of the HMAC in PII columns, at least 16 bytes; the local world makes its own."""
    sabesp: str | None = None
    """Path of the sabesp executable; default: the local platform's."""
    aurora_stack: str = "cantareira-dev"
    run_name: str = "logcache"
    machines: Annotated[int, msgspec.Meta(gt=0)] = 192
    publish_from_hour: Hour = 13
    publish_until_hour: Hour = 23
    copy_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 6
    """Hours for which a copy may need its sources at most."""
    copy_threads: Annotated[int, msgspec.Meta(gt=0)] = 10
    lookback_days: Annotated[int, msgspec.Meta(gt=0, le=3650)] = 14
    """Days back to which nightly transactions are searched."""
    test_run_timeout_minutes: Annotated[int, msgspec.Meta(gt=0)] = 360
    same_t_contracts: str = "*"
    """Pattern of the contracts that are recomputed at yesterday's t from the candidate's caches; empty for none."""
    same_t_prototypes: str = "*"
    """Prototypes on which they are recomputed, for example `s0,s3`; `*` means all."""
    validation_driver: Literal["local", "spark"] = "local"
    """Driver that compares contracts and recomputes them for that."""

    @override
    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({', '.join(shown)})"

    @override
    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Every setting, with the secret one masked, so that tracebacks that show variables do not reveal it."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "****" if name == "pii_key" and value else value) for name, value in values]

    @override
    def __reduce__(self) -> tuple[Callable[[dict[str, object]], "Settings"], tuple[dict[str, object]]]:
        public = {name: getattr(self, name) for name in self.__struct_fields__ if name != "pii_key"}
        return _with_own_key, (public,)

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
        """The URIs of everything in the permanent bucket."""
        return Locations(permanent_bucket=self.permanent_bucket)

    @property
    def publish_window(self) -> PublishWindow:
        """The hours in which a pull request may be opened."""
        return PublishWindow(start_hour=self.publish_from_hour, end_hour=self.publish_until_hour)

    @property
    def same_t(self) -> SameTSelection:
        """The contracts that are recomputed at yesterday's t."""
        prototypes = tuple(name.strip() for name in self.same_t_prototypes.split(",") if name.strip())
        return SameTSelection(contracts=self.same_t_contracts, prototypes=None if prototypes == ("*",) else prototypes)

    @property
    def test_run_time(self) -> timedelta:
        """How long a test run may take at most."""
        return timedelta(minutes=self.test_run_timeout_minutes)

    @property
    def copy_time(self) -> timedelta:
        """How long a copy may need its sources at most."""
        return timedelta(hours=self.copy_hours)


def _with_own_key(public: dict[str, object]) -> Settings:
    """Settings that were pickled without their secret, with the key of the process that unpickles them."""
    return msgspec.convert({**public, "pii_key": os.environ.get(PII_KEY_VARIABLE)}, Settings)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from LOGCACHE_… variables.

    Args:
        environment: used instead of the process's environment.

    Raises:
        WrongUsage: a variable is unknown, or its value does not fit the setting.
    """
    variables = {k: v for k, v in (os.environ if environment is None else environment).items() if k.startswith(PREFIX)}
    known = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    for variable in variables.keys() - known.keys():
        close = difflib.get_close_matches(variable.removeprefix(PREFIX).lower(), known.values(), n=1)
        meant = f"did you mean {PREFIX}{close[0].upper()}?" if close else f"known are {', '.join(known)}"
        raise WrongUsage(f"unknown setting {variable}; {meant}")
    settings = _convert({known[variable]: value for variable, value in variables.items()})
    if settings.pii_key is not None and not settings.pii_key.strip():
        raise WrongUsage(
            f"{PII_KEY_VARIABLE} is empty, and without a key hashes show personal data; set a strong one, or unset it "
            "for the local world's own"
        )
    if settings.publish_from_hour >= settings.publish_until_hour:
        raise WrongUsage(
            f"LOGCACHE_PUBLISH_FROM_HOUR is {settings.publish_from_hour} and LOGCACHE_PUBLISH_UNTIL_HOUR is "
            f"{settings.publish_until_hour}, so nothing could ever be published; set the first below the second"
        )
    return settings


def _convert(values: Mapping[str, str]) -> Settings:
    for name, value in values.items():
        if not _is_text(value):
            raise WrongUsage(f"{PREFIX}{name.upper()} has bytes that are no text in UTF-8; correct or unset it")
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`")
        shown = "not usable" if name == "pii_key" else quoted(values.get(name, ""))
        raise WrongUsage(f"{PREFIX}{name.upper()} is {shown}: {shortened(message)}; correct or unset it") from None


def _is_text(value: str) -> bool:
    """False if the variable's bytes were no UTF-8, of which Python makes halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class ChildEnvironment(dict[str, str]):
    """Environment variables for a child process. The secret is left out when it is printed or pickled."""

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
    """The variables that give a child process the same settings, whatever its working folder."""
    absolute = msgspec.structs.replace(settings, home=str(settings.home_folder), catalog=str(settings.catalog_folder))
    return ChildEnvironment(
        {
            PREFIX + name.upper(): str(value)
            for name in Settings.__struct_fields__
            if (value := getattr(absolute, name)) is not None
        }
    )


def public_environment(settings: Settings) -> dict[str, str]:
    """The variables of `child_environment` without the secret."""
    return child_environment(settings).public
