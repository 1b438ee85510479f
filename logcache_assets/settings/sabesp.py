"""The settings of sabesp, which runs Itaipu."""

import shlex
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from logcache_assets.domain.stop_commands import StopCommand, parse_stop_command
from logcache_assets.errors import WrongUsage
from logcache_assets.settings.databricks import DatabricksSettings
from logcache_assets.settings.secrets import variable_of

BucketUri = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^s3[an]?://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:\S*/)?\Z",
        description="a folder on S3 that ends with a slash: s3://bucket/ or s3://bucket/folder/",
    ),
]
Word = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][\w.-]*\Z",
        description="a word of letters, digits, dots, hyphens and _ that begins with a letter or a digit",
    ),
]
"""A name that can be no option, and no path."""
_LOCAL_STOP = "--aurora-stack={aurora_stack} jobs stop staging {run_name}"


class SabespSettings(DatabricksSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How test runs of Itaipu are started and ended."""

    sabesp: str | None = None
    """Path of the sabesp executable; default: the local platform's."""
    aurora_stack: Word = "cantareira-dev"
    run_name: Word = "logcache"
    machines: Annotated[int, msgspec.Meta(gt=0)] = 192
    test_run_timeout_minutes: Annotated[int, msgspec.Meta(gt=0)] = 360
    sabesp_idle_minutes: Annotated[int, msgspec.Meta(gt=0)] = 60
    """How long sabesp may print nothing."""
    sabesp_job: str = "jobs itaipu staging"
    """The words before the run's name."""
    sabesp_options: str = ""
    """More arguments, before those words; cut into words as a shell would."""
    sabesp_arguments: str = ""
    """More arguments, at the end."""
    sabesp_in: BucketUri | None = None
    """Where Itaipu reads; default: the ephemeral bucket."""
    sabesp_out: BucketUri | None = None
    """Where Itaipu writes; default: the ephemeral bucket."""
    sabesp_stop: str | None = None
    """Command that scales a run's cluster down and ends its tasks, with placeholders; default: the local platform's."""
    sabesp_stop_seconds: Annotated[int, msgspec.Meta(gt=0, le=3600)] = 120
    """How long that command may take."""

    @property
    def sabesp_executable(self) -> Path:
        """The executable."""
        return Path(self.sabesp or Path(sys.executable).parent / "sabesp")

    @property
    def test_run_time(self) -> timedelta:
        """How long a test run may take at most."""
        return timedelta(minutes=self.test_run_timeout_minutes)

    @property
    def stop_command(self) -> StopCommand | None:
        """What ends a run on the platform; None if nobody said so."""
        if self.sabesp_stop is not None:
            return parse_stop_command(self.sabesp_stop)
        own = f"{shlex.quote(str(self.sabesp_executable))} {_LOCAL_STOP}"
        return None if self.sabesp else parse_stop_command(own)

    def sabesp_words(self, setting: str) -> tuple[str, ...]:
        """The words of a setting of arguments; raises WrongUsage if it cannot be cut into words."""
        try:
            return tuple(shlex.split(getattr(self, setting)))
        except ValueError as error:
            raise WrongUsage(
                f"{variable_of(setting)} cannot be cut into words ({error}); close every quote in it"
            ) from error

    def find_sabesp_faults(self) -> Iterator[str]:
        """Sentences that say which settings of sabesp cannot be used."""
        for setting in ("sabesp_job", "sabesp_options", "sabesp_arguments"):
            try:
                self.sabesp_words(setting)
            except WrongUsage as error:
                yield str(error)
        try:
            _ = self.stop_command
        except ValueError as error:
            yield f"{variable_of('sabesp_stop')} cannot be run: {error}; correct or unset it"
