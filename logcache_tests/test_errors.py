"""Every error of the package says whether an outside system could not answer or the data is wrong."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import logcache_assets
from logcache_assets.errors import LogCacheError, Unavailable, WrongData

PACKAGE = Path(logcache_assets.__file__).parent
FAMILIES = {Unavailable, WrongData}
PORTS = {
    "ClockError",
    "ItaipuError",
    "MetapodError",
    "NotebookError",
    "NotifierError",
    "ObjectStoreError",
    "RepositoryError",
    "SegmentIndexError",
    "VaultError",
}
"""The common base of a port's errors: it has errors of both families below it."""


def errors_below(base: type[LogCacheError]) -> Iterator[type[LogCacheError]]:
    """Every subclass, however far below."""
    for child in base.__subclasses__():
        yield child
        yield from errors_below(child)


def load_package() -> None:
    """Import every module that can be imported here, so that all subclasses are known."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "logcache_assets."):
        if not any(part in module.name for part in (".notebooks", ".definitions", ".spark")):
            importlib.import_module(module.name)


def test_every_error_belongs_to_exactly_one_family() -> None:
    """Unavailable or wrong data; only the common bases of the ports' errors are neither."""
    load_package()

    ours = [error for error in errors_below(LogCacheError) if error.__module__.startswith("logcache_assets.")]
    families = {error.__name__: sum(issubclass(error, family) for family in FAMILIES) for error in ours}

    assert {name for name, count in families.items() if count == 0} == PORTS
    assert {name for name, count in families.items() if count > 1} == set()


def test_no_base_of_both_families_is_raised() -> None:
    """An error is raised as a subclass that belongs to one family."""
    undecided = PORTS | {"LogCacheError"}
    raised = [
        (path.name, node.lineno)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id in undecided
    ]

    assert raised == []
