"""What the documents promise exists."""

import re
from pathlib import Path

import click
import pytest

from logcache_assets.cli.main import logcache
from logcache_assets.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def command_names() -> set[str]:
    """Every command as it is typed: `refresh`, `local reset`."""
    names = set()
    for name, command in logcache.commands.items():
        names.add(name)
        if isinstance(command, click.Group):
            names |= {f"{name} {sub}" for sub in command.commands}
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_exists(document: Path) -> None:
    """A reader can type what stands there."""
    text = document.read_text(encoding="utf-8")

    typed = re.findall(r"(?:`|bin/)logcache ((?:local |catalog )?[a-z]+)", text)

    assert [name for name in typed if name not in command_names()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_in_the_documents_leads_somewhere(document: Path) -> None:
    """To a file or folder of the project."""
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_example_settings_are_all_settings() -> None:
    """No setting is missing in .env.example, and none there is unknown."""
    listed = re.findall(r"^# LOGCACHE_([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(listed) == sorted(name.upper() for name in Settings.__struct_fields__)


def test_the_readme_fits_a_reader() -> None:
    """Under 120 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120
