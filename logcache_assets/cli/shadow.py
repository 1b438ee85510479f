"""`logcache shadow`: the first look at a platform; refresh/shadow.py looks, report/shadow.py renders."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from logcache_assets.adapters.scratch import DriverName, open_driver
from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.cli.output import Result, show_progress, table
from logcache_assets.cli.output_files import write_files
from logcache_assets.cli.platform import open_platform
from logcache_assets.deployment_key import find_deployment_key
from logcache_assets.domain.documents import render_document
from logcache_assets.domain.shadow import ShadowStudy
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.drivers.progress import Progress
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.ports import Tell
from logcache_assets.refresh.shadow import Shadow
from logcache_assets.report.shadow import render_study
from logcache_assets.settings import Settings

NIGHTS = 2
"""How many nights are chosen, where none is named."""


class ShadowedContract(Result, frozen=True, kw_only=True):
    """One contract of one night."""

    night: str
    dataset: str
    state: str
    """`reproduced`, `differs` or `not compared`."""
    rows: int | None
    why: str
    """What differs, or why it was not compared."""


class ShadowResult(Result, frozen=True, kw_only=True):
    """The result of `logcache shadow`."""

    nights: list[str]
    instances: list[str]
    contracts: list[ShadowedContract]
    reproduced: int
    differing: int
    not_compared: int
    broken: list[str]
    """What we assumed and does not hold."""
    report: str


def run(  # noqa: PLR0913 - one parameter per option of the command
    settings: Settings,
    *,
    nights: tuple[str, ...],
    databases: tuple[str, ...],
    instances: int,
    driver: DriverName,
    out: Path | None,
    tell: Tell,
) -> ShadowResult:
    """Study past nights, and write the report and nothing else.

    Raises:
        WrongUsage: a database has no definition.
        BadInput: the report cannot be written, or there is no catalog.
    """
    ports = open_platform(settings)
    wanted = select_databases(load_catalog(settings.catalog_folder), databases)
    shadow = Shadow(ports=ports, settings=settings, pii_key=find_deployment_key(settings, tell), tell=tell)
    with open_driver(driver) as running:
        at = Runtime(store=ports.store, driver=running, warn=tell, progress=partial(_show, "contracts"))
        study = shadow.study(wanted, nights=nights, instances=instances, count=NIGHTS, at=at)
    folder = out or settings.home_folder / "shadow" / f"{study.at:%Y-%m-%dT%H%M%S}"
    _write(study, folder)
    tell(f"Report: {(folder / 'shadow.html').absolute().as_uri()}")
    states = [contract.state for contract in study.contracts]
    return ShadowResult(
        nights=[night.transaction for night in study.nights],
        instances=list(study.instances),
        contracts=list(_contracts(study)),
        reproduced=states.count("reproduced"),
        differing=states.count("differs"),
        not_compared=states.count("not compared"),
        broken=[f"{found.subject}: {found.assumed}: {found.found}" for found in study.broken],
        report=str(folder.absolute()),
    )


def _show(what: str, progress: Progress) -> None:
    show_progress(f"{what}: {progress}")


def _contracts(study: ShadowStudy) -> Iterator[ShadowedContract]:
    for night in study.nights:
        for contract in night.contracts:
            wrong = (rule.found for rule in contract.rules if rule.holds != "yes")
            yield ShadowedContract(
                night=night.transaction,
                dataset=contract.dataset,
                state=contract.state,
                rows=contract.night_rows,
                why="; ".join(wrong),
            )


def _write(study: ShadowStudy, folder: Path) -> None:
    files = {
        "shadow.json": render_document(study),
        "shadow.html": render_study(study, template="shadow.html"),
        "shadow.md": render_study(study, template="shadow.md"),
    }
    write_files(files, folder)


def render(result: ShadowResult) -> Iterator[str]:
    """One line per contract, then what did not hold."""
    rows = [(c.night[:8], c.dataset, c.rows, c.state, c.why[:100]) for c in result.contracts]
    yield from table(("night", "contract", "rows", "", "why"), rows)
    yield ""
    yield (
        f"{count_of(len(result.contracts), 'contract')}: {result.reproduced} reproduced, {result.differing} differ, "
        f"{result.not_compared} not compared"
    )
    yield f"{count_of(len(result.broken), 'assumption')} that {'does' if len(result.broken) == 1 else 'do'} not hold"
    yield from (f"  {sentence}" for sentence in result.broken)
