"""The settings of the deployment itself; with those of the outside systems, its bases, they are all settings."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from typing_extensions import override

from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.names import COUNTRY
from logcache_assets.domain.plain_text import names_in
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.report_links import CONSOLE, local_template, report_link
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.domain.scratch_folders import SCRATCH
from logcache_assets.settings.alerts import AlertSettings
from logcache_assets.settings.secrets import SECRETS, is_hidden, variable_of

Hour = Annotated[int, msgspec.Meta(ge=0, le=24)]
Bucket = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="the name of a bucket: small letters, digits, dots and hyphens, three characters or more",
    ),
]


class Settings(AlertSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. `run_name` is the environment variable LOGCACHE_RUN_NAME, and so on."""

    platform: Literal["local", "production"] = "local"
    """`local` is the embedded platform, which needs no account; `production` sets the systems below."""
    store: Literal["local", "s3"] = "local"
    """Where objects lie: in the local world's folders, or on S3."""
    segment_index: Literal["local", "dynamodb"] = "local"
    """Where the segment index is: in the local world's SQLite file, or a DynamoDB table."""
    clock: Literal["local", "system"] = "local"
    """The local world's date, or this computer's."""
    country: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Z]{2}$", description="the code of a country, two capital letters such as BR")
    ] = COUNTRY
    """Whose logs are refreshed: metapod's datasets, dataset names, and a prefix of asset keys unless it is BR.

    Another country than BR has a home of its own, `.logcache-mx`, and must name its buckets.
    """
    home: Annotated[str, msgspec.Meta(min_length=1)] = ".logcache"
    """Folder of the local world and of Dagster's storage."""
    catalog: str | None = None
    """Folder of the contract definitions from which assets are made; default: `catalog` in home."""
    ephemeral_bucket: Bucket = "nu-spark-metapod-ephemeral-1"
    permanent_bucket: Bucket = "nu-spark-metapod"
    pii_key: str | None = None
    """Key of the HMAC in PII columns, at least 16 bytes; the local world makes its own."""
    publish_from_hour: Hour = 13
    publish_until_hour: Hour = 23
    copy_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 6
    """Hours for which a copy may need its sources at most."""
    copy_threads: Annotated[int, msgspec.Meta(gt=0)] = 10
    """How many objects are asked for at once."""
    pages_port: Annotated[int, msgspec.Meta(gt=0, lt=65536)] = 3080
    """Port on which `logcache local ui` serves reports and pull requests, on this computer alone."""
    lookback_days: Annotated[int, msgspec.Meta(gt=0, le=3650)] = 14
    """Days back to which nightly transactions are searched."""
    export_timeout_minutes: Annotated[int, msgspec.Meta(gt=0)] = 240
    """For how long the export notebook may run."""
    fresh_days: Annotated[float, msgspec.Meta(gt=0, le=3650)] = 7
    """Days after which a published cache counts as too old."""
    all_or_nothing: bool = False
    """A refresh that cannot take all its databases takes none; otherwise it leaves out those that have a fault."""
    unrelated_files: str = "docs/*,.github/*"
    """Patterns of files in the itaipu repository from which Itaipu computes nothing, separated by commas.

    When the base branch moves in these alone, a candidate's contracts are not computed again.
    """
    keep_runs_days: Annotated[int, msgspec.Meta(gt=0, le=3650)] = 180
    """Days for which Dagster keeps runs; documents stay."""
    same_t_contracts: str = "*"
    """Pattern of the contracts that are recomputed at yesterday's t from the candidate's caches; empty for none."""
    same_t_prototypes: str = "*"
    """Prototypes on which they are recomputed, for example `s0,s3`; `*` means all."""
    validation_driver: Literal["local", "spark", "databricks"] = "local"
    """Driver that compares contracts and recomputes them for that; `databricks` has runs of the notebook do it."""
    validation_cluster_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Databases whose contracts of both days are smaller are compared on this computer all the same."""

    @override
    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({', '.join(shown)})"

    @override
    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Every setting, with secrets masked, so that tracebacks that show variables do not reveal them."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "****" if is_hidden(name, value) else value) for name, value in values]

    @override
    def __reduce__(self) -> tuple[Callable[[dict[str, object]], "Settings"], tuple[dict[str, object]]]:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return _with_own_secrets, ({name: value for name, value in values.items() if not is_hidden(name, value)},)

    @property
    def uses_local_world(self) -> bool:
        """True if some outside system is the local world's, so that one must have been built."""
        own = (self.store, self.segment_index, self.metapod, self.notebook, self.repository, self.clock)
        return "local" in own or self.sabesp is None

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

    def report_link(self, uri: str) -> str | None:
        """The address at which a browser finds a report; None if there is none."""
        if self.report_url:
            return report_link(uri, self.report_url)
        if self.platform == "local":
            return report_link(uri, local_template(self.pages_port))
        return report_link(uri, CONSOLE) if self.store == "s3" and self.s3_endpoint is None else None

    @property
    def bucket_terms(self) -> dict[str, BucketTerms]:
        """Bucket → its owner, and how objects are written there on S3."""
        return {self.ephemeral_bucket: self.ephemeral_terms, self.permanent_bucket: self.permanent_terms}

    @property
    def fresh_time(self) -> timedelta:
        """How old a published cache may be."""
        return timedelta(days=self.fresh_days)

    @property
    def publish_window(self) -> PublishWindow:
        """The hours in which a pull request may be opened."""
        return PublishWindow(start_hour=self.publish_from_hour, end_hour=self.publish_until_hour)

    @property
    def same_t(self) -> SameTSelection:
        """The contracts that are recomputed at yesterday's t."""
        prototypes = names_in(self.same_t_prototypes)
        return SameTSelection(contracts=self.same_t_contracts, prototypes=None if prototypes == ("*",) else prototypes)

    @property
    def unrelated_patterns(self) -> tuple[str, ...]:
        """The patterns of files from which Itaipu computes nothing."""
        return names_in(self.unrelated_files)

    @property
    def export_time(self) -> timedelta:
        """How long the export notebook may run at most."""
        return timedelta(minutes=self.export_timeout_minutes)

    @property
    def scratch_of_runs(self) -> str:
        """Prefix of folders for what a distributed run cannot hold in memory: they expire with the runs' datasets."""
        return f"s3://{self.ephemeral_bucket}/{SCRATCH}/"

    @property
    def copy_time(self) -> timedelta:
        """How long a copy may need its sources at most."""
        return timedelta(hours=self.copy_hours)


def _with_own_secrets(public: dict[str, object]) -> Settings:
    """Settings that were pickled without their secrets, with those of the process that unpickles them."""
    own = {name: os.environ.get(variable_of(name)) for name in SECRETS if name not in public}
    return converted({**public, **own}, Settings)
