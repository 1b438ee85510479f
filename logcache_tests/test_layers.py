"""Imports point one way, checked in the source."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import logcache_assets

PACKAGE = Path(logcache_assets.__file__).parent
STARTS_DAGSTER = {"definitions.py"}
"""Beside defs/: the wiring."""


IMPORT = re.compile(r"^\s*(?:from|import) (logcache_assets[\w.]*|dagster[\w.]*)(?: import (\w+))?", re.MULTILINE)


@cache
def imports() -> dict[str, frozenset[str]]:
    """Path of a module in the package → what it imports of the package and of Dagster, wherever in it."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {file.relative_to(PACKAGE).as_posix(): frozenset(_imports_of(file)) for file in files}


def _imports_of(file: Path) -> Iterator[str]:
    for module, name in IMPORT.findall(file.read_text(encoding="utf-8")):
        yield f"{module}.{name}"


def importers(of: str, *, among: tuple[str, ...] = ("",)) -> set[str]:
    """The modules below some folders that import a package or something in it."""
    return {
        path
        for path, imported in imports().items()
        if path.startswith(among) and any(name.startswith(f"{of}.") for name in imported)
    }


def test_only_defs_and_what_starts_it_import_dagster() -> None:
    """Everything else can be used, and tested, without Dagster."""
    found = {path for path in importers("dagster") if not path.startswith("defs/")}

    assert found == STARTS_DAGSTER


@pytest.mark.parametrize(
    ("folder", "unknown"),
    [
        ("domain/", ("engine", "refresh", "defs", "cli", "adapters", "local_platform", "report", "ports", "connect")),
        ("engine/", ("refresh", "defs", "cli", "adapters", "local_platform", "report", "connect", "settings")),
        ("report/", ("engine", "refresh", "defs", "cli", "adapters", "local_platform", "connect", "settings")),
        ("refresh/", ("defs", "cli", "adapters", "local_platform", "connect")),
        ("adapters/", ("refresh", "defs", "cli", "local_platform", "connect", "settings")),
        ("local_platform/", ("defs", "cli", "connect")),
        ("defs/", ("cli",)),
    ],
)
def test_imports_point_one_way(folder: str, unknown: tuple[str, ...]) -> None:
    """A lower room knows nothing of the rooms above it."""
    found = {(path, name) for name in unknown for path in importers(f"logcache_assets.{name}", among=(folder,))}

    assert found == set()


def test_no_private_module_of_dagster_is_imported() -> None:
    """Private modules change without notice; those that use them say why, and have tests of their own."""
    found = {path for path, imported in imports().items() if any(name.startswith("dagster._") for name in imported)}

    assert found == {f"defs/{name}.py" for name in ("code_location", "command_runs", "run_coordinator", "run_storage")}
