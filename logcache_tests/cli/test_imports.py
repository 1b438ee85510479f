"""What the modules of the command line import, and when."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import logcache_assets

CLI = Path(logcache_assets.__file__).parent / "cli"
PLATFORM_COMMANDS = {"demo", "local", "local_pages"}
DAGSTER_COMMANDS = {"refresh", "doctor"}


def test_help_imports_nothing_heavy() -> None:
    """So it answers within half a second: Dagster and polars alone take seconds."""
    code = "import sys, logcache_assets.cli.main; print(*sorted({m.partition('.')[0] for m in sys.modules}))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {"dagster", "polars", "pyarrow", "gql", "graphql", "sqlalchemy", "jinja2", "boto3", "rich", "github"}
    assert not heavy & set(done.stdout.split())


def test_a_command_hardly_searches_for_garbage() -> None:
    """What it loads stays, and Python would look through it again and again."""
    code = (
        "import gc, sys; from logcache_assets.cli import main; sys.argv = ['logcache', '--version'];"
        "main.run_command = lambda arguments: print(gc.get_threshold()[0], gc.get_freeze_count() > 0, *arguments);"
        "main.main()"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["100000", "True", "--version"]


def test_contracts_from_folders_load_no_platform() -> None:
    """So they begin within half a second: all adapters, and what they stand on, take as long as polars."""
    names = "logcache_assets.cli.contracts, logcache_assets.deployment_key"
    code = f"import sys, {names}; print(*sorted(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    beside = {
        "connect",
        "local_platform.world",
        "adapters.metapod.client",
        "adapters.github.api",
        "adapters.aws.s3_copies",
    }
    loaded = set(done.stdout.split())
    assert "polars" in loaded
    assert not {f"logcache_assets.{name}" for name in beside} & loaded
    assert not {"awscrt", "boto3", "rich", "dagster", "sqlite3"} & loaded


def imports_of(module: Path) -> set[str]:
    """Every module that a module imports, wherever in its text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize(
    ("packages", "allowed"),
    [
        pytest.param(("logcache_assets.local_platform",), PLATFORM_COMMANDS, id="the local platform"),
        pytest.param(
            ("dagster", "logcache_assets.defs", "logcache_assets.definitions"), DAGSTER_COMMANDS, id="Dagster"
        ),
    ],
)
def test_only_some_commands_import(packages: tuple[str, ...], allowed: set[str]) -> None:
    """Every other command reaches the platform through connect(settings), and runs where there is no Dagster."""
    importing = {
        module.stem
        for module in CLI.glob("*.py")
        if any(name == package or name.startswith(f"{package}.") for name in imports_of(module) for package in packages)
    }

    assert importing == allowed


def test_only_the_commands_that_start_dagster_load_it() -> None:
    """Nor does anything that the others import."""
    others = sorted({module.stem for module in CLI.glob("*.py")} - {"__init__", *DAGSTER_COMMANDS, "demo"})
    code = f"import sys, {', '.join(f'logcache_assets.cli.{name}' for name in others)}; print('dagster' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
