"""Probes of Dagster's own storage and daemon, for `logcache doctor` in production."""

import os
from collections.abc import Iterator
from pathlib import Path

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.domain.health import Finding, failed, warned
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.wording import count_of
from logcache_assets.refresh.doctor import Probe

HOME_VARIABLE = "DAGSTER_HOME"


def storage_probes(folder: Path) -> Iterator[Probe]:
    """Whether commands and servers share one storage, and the daemon is alive.

    Args:
        folder: of Dagster's configuration.
    """
    yield Probe(system="dagster", check="home", ask=lambda: _home(folder))
    yield Probe(system="dagster", check="storage", ask=lambda: _storage(folder))
    yield Probe(system="dagster", check="daemon", ask=lambda: _daemon(folder))


def _home(folder: Path) -> Finding:
    named = os.environ.get(HOME_VARIABLE)
    if not (folder / "dagster.yaml").is_file():
        return failed(f"{folder} has no dagster.yaml", "copy deploy/dagster.yaml there")
    if named is None or Path(named).resolve() != folder.resolve():
        return failed(f"{HOME_VARIABLE} is {named or 'not set'}, and commands use {folder}", f"set it to {folder}")
    return Finding(found=str(folder))


def _storage(folder: Path) -> Finding:
    try:
        with open_storage(folder) as instance:
            runs = instance.get_runs_count()
            return Finding(found=f"{count_of(runs, 'run')} in {type(instance.run_storage).__name__}")
    except Exception as error:  # noqa: BLE001 - whatever a storage raises is what is wrong with it
        return failed(_words(error), "correct dagster.yaml and the PG… variables, and check that PostgreSQL runs")


def _daemon(folder: Path) -> Finding:
    try:
        with open_storage(folder) as instance:
            states = instance.get_daemon_statuses()
    except Exception as error:  # noqa: BLE001 - as above
        return failed(_words(error), "see the probe of the storage")
    silent = sorted(kind for kind, state in states.items() if state.required and not state.healthy)
    if silent:
        return warned(f"no sign of {', '.join(silent)}", "start logcache-daemon, or read its journal")
    return Finding(found="alive")


def _words(error: Exception) -> str:
    """The first line of an error, or of what caused it, without secrets."""
    blank, cause = Blanker.of_environment(os.environ), error.__cause__ or error
    return f"{type(cause).__name__}: {shortened(blank(str(cause)).strip().partition(chr(10))[0])}"
