"""Commands, links, settings and modules that the documents name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from logcache_assets.cli.main import logcache
from logcache_assets.settings import Settings
from logcache_tests.source_strings import docstrings_of, modules

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
CODE_FOLDERS = ("logcache_assets", "logcache_tests", "bench")
ROOMS = sorted(path.name for path in (ROOT / "logcache_assets").iterdir() if path.is_dir())
MODULE = re.compile(rf"[\w/]*\w\.py\b|(?<![\w/:.-])(?:{'|'.join([*CODE_FOLDERS, *ROOMS])})/[\w/]*\w(?:\.\w+)?")
"""A file `name.py`, or a path `room/module` or `room/folder` that starts with a folder of the code."""


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

    typed = re.findall(r"(?:`|bin/)logcache ((?:local |catalog |databricks )?[a-z-]+)", text)

    assert [name for name in typed if name not in command_names()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_in_the_documents_leads_somewhere(document: Path) -> None:
    """To a file or folder of the project."""
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


def existing_paths() -> frozenset[str]:
    """Every file and folder of the code, by each end of its path: `choose_night`, `refresh/choose_night.py`."""
    found = (path.relative_to(ROOT) for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    kept = [path for path in found if "__pycache__" not in path.parts]
    spelled = {spelling for path in kept for spelling in (path, path.with_suffix(""), *path.parents)}
    return frozenset(end for path in spelled for end in _ends(path.parts))


def _ends(parts: tuple[str, ...]) -> Iterator[str]:
    return ("/".join(parts[n:]) for n in range(len(parts)))


EXISTING = existing_paths()


def missing_modules(text: str) -> list[str]:
    """Modules and folders that a text names and that do not exist."""
    return [name for name in MODULE.findall(text) if name not in EXISTING]


def test_a_module_that_is_gone_is_found() -> None:
    """By its file's name and by its path, with folder or file ending."""
    text = (
        "domain/refresh.py decides, domain/judges has rules; refresh/choose_night, domain/rules/ and next_step.py exist"
    )

    assert missing_modules(text) == ["domain/refresh.py", "domain/judges"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_module_that_a_document_names_exists(document: Path) -> None:
    """A reader who looks for it finds it."""
    assert missing_modules(document.read_text(encoding="utf-8")) == []


def test_every_module_that_a_docstring_names_exists() -> None:
    """Docstrings of the package follow a module that is renamed or removed."""
    missing = [(path.name, missing_modules(text)) for path in modules() for text in docstrings_of(path)]

    assert [(name, found) for name, found in missing if found] == []


def test_the_example_settings_are_all_settings() -> None:
    """No setting is missing in .env.example, and none there is unknown."""
    listed = re.findall(r"^# LOGCACHE_([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(listed) == sorted(name.upper() for name in Settings.__struct_fields__)


def test_the_readme_fits_a_reader() -> None:
    """Under 120 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120
