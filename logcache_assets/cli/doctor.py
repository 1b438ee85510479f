"""`logcache doctor`: asks every configured system what a refresh will ask of it, and shows what is wrong."""

from collections.abc import Iterator
from pathlib import Path

from logcache_assets.adapters.alerts.heartbeat import last_beat
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.output import Result, table
from logcache_assets.cli.platform import open_platform
from logcache_assets.connect import bucket_facts, channels_of, github_facts, sabesp_itaipu
from logcache_assets.deployment_key import find_deployment_key
from logcache_assets.domain.health import Mark
from logcache_assets.domain.wording import count_of
from logcache_assets.ports import Tell
from logcache_assets.refresh.alert_probes import alert_probes
from logcache_assets.refresh.doctor import Doctor, Examined, Probe
from logcache_assets.refresh.repository_probes import repository_probes
from logcache_assets.settings import Settings


class Examination(Result, frozen=True, kw_only=True):
    """One probe of one system."""

    system: str
    check: str
    """What was found out."""
    mark: str
    """`ok`, `warning` or `failed`."""
    found: str
    remedy: str
    """Empty if nothing is to be done."""


class DoctorResult(Result, frozen=True, kw_only=True):
    """The result of `logcache doctor`."""

    probes: list[Examination]

    @property
    def is_well(self) -> bool:
        """True if no probe failed."""
        return all(probe.mark != Mark.FAILED for probe in self.probes)


def run(settings: Settings, *, write: bool, tell: Tell) -> DoctorResult:
    """Ask all probes of the configured systems; raises BadInput if there is no local world yet."""
    doctor = Doctor(
        ports=open_platform(settings),
        buckets=bucket_facts(settings),
        settings=settings,
        catalog=lambda: load_catalog(settings.catalog_folder),
        find_key=lambda: find_deployment_key(settings, tell),
        sabesp=Path(sabesp_itaipu(settings).executable),
        now=SystemClock().now,
        others=(
            *_probes_of_github(settings, write=write),
            *_probes_of_dagster(settings),
            *alert_probes(
                channels_of(settings).notifiers,
                last_beat(settings.home_folder),
                is_needed=settings.platform == "production",
                write=write,
                now=SystemClock().now(),
            ),
        ),
    )
    return DoctorResult(probes=[_shown(examined) for examined in doctor.examine(write=write)])


def _probes_of_github(settings: Settings, *, write: bool) -> Iterator[Probe]:
    """Probes of the itaipu repository where it is on GitHub; the local world's asks nobody for rights."""
    if settings.repository == "github":
        base, reviewers = settings.github_base_branch, settings.audience.reviewers
        yield from repository_probes(github_facts(settings), base=base, reviewers=reviewers, write=write)


def _probes_of_dagster(settings: Settings) -> Iterator[Probe]:
    """Probes of Dagster's storage in production; a local world makes its own."""
    if settings.platform == "production":
        from logcache_assets.defs.storage_probes import storage_probes  # noqa: PLC0415 - Dagster takes two seconds

        yield from storage_probes(settings.dagster_folder)


def _shown(examined: Examined) -> Examination:
    finding = examined.finding
    return Examination(
        system=examined.system,
        check=examined.check,
        mark=finding.mark.value,
        found=finding.found,
        remedy=finding.remedy,
    )


def render(result: DoctorResult) -> Iterator[str]:
    """A table of the probes, then what to do about each that is not well."""
    yield from table(("system", "check", "", "found"), [(p.system, p.check, p.mark, p.found) for p in result.probes])
    yield ""
    yield from (f"{p.mark}: {p.system}, {p.check}: {p.remedy}" for p in result.probes if p.remedy)
    failures = sum(probe.mark == Mark.FAILED for probe in result.probes)
    yield f"{count_of(len(result.probes), 'probe')}, {failures} failed"
