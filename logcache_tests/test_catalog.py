"""The catalog: a folder of definitions, and the choice among its databases."""

import shutil
from pathlib import Path

import pytest

from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.demo_data import PACKAGED

DEFINITIONS = PACKAGED / "contracts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo's definitions, to be spoilt."""
    shutil.copytree(DEFINITIONS, tmp_path / "catalog")
    return tmp_path / "catalog"


def refusal_of(folder: Path) -> str:
    """The message that refuses a folder as catalog."""
    with pytest.raises(BadInput) as refusal:
        load_catalog(folder)
    return str(refusal.value)


def test_a_catalog_has_one_definition_per_file() -> None:
    """Ascending by database."""
    assert [definition.database for definition in load_catalog(DEFINITIONS)] == ["customers", "double-entry", "feed"]


@pytest.mark.parametrize("name", ["empty", "not there"])
def test_a_catalog_without_definitions_is_refused(tmp_path: Path, name: str) -> None:
    """The message names the folder and both ways to get one."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "README.md").write_text("no definition", encoding="utf-8")

    refusal = refusal_of(tmp_path / name)

    assert refusal == (
        f"no contract definitions (<database>.yaml) in {tmp_path / name}; make a local world with "
        "`logcache local reset` or name a folder in LOGCACHE_CATALOG"
    )


def test_a_malformed_definition_is_refused_with_its_line(folder: Path) -> None:
    """One bad file refuses the catalog, by its whole path."""
    file = folder / "feed.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("snapshot: true", "snapshots: true"), encoding="utf-8")

    assert refusal_of(folder) == (
        f"{file}, line 6: Object contains unknown field `snapshots` at entities[0]; correct the definition"
    )


def test_a_definition_that_is_no_text_is_refused(folder: Path) -> None:
    """The file is named."""
    (folder / "feed.yaml").write_bytes(b"database: f\xffed\n")

    assert refusal_of(folder).startswith(f"{folder / 'feed.yaml'} cannot be read (")


@pytest.mark.parametrize("name", ["other.yml", "other.YAML", "other.Yml"])
def test_a_definition_of_another_ending_is_refused(folder: Path, name: str) -> None:
    """It would not be found, and a database whose contracts nobody computes is no database without contracts."""
    (folder / "feed.yaml").rename(folder / name)

    assert refusal_of(folder) == (
        f"{folder / name} would not be read, because names end with .yaml; rename it to {folder / 'other.yaml'}"
    )


def test_a_folder_that_is_named_like_a_definition_is_refused(folder: Path) -> None:
    """It cannot be read, which is not the same as absent."""
    (folder / "other.yaml").mkdir()

    assert refusal_of(folder).startswith(f"{folder / 'other.yaml'} cannot be read (")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        pytest.param((), ["customers", "double-entry", "feed"], id="no names choose all"),
        pytest.param(("feed",), ["feed"], id="one"),
        pytest.param(("feed", "customers"), ["customers", "feed"], id="in the catalog's order"),
        pytest.param(("feed", "feed"), ["feed"], id="a name twice"),
    ],
)
def test_databases_are_chosen_by_name(names: tuple[str, ...], chosen: list[str]) -> None:
    """Each named database is selected once."""
    assert [d.database for d in select_databases(load_catalog(DEFINITIONS), names)] == chosen


@pytest.mark.parametrize("name", ["fee", "feeds", "Feed", "entry", "feed-s0", ""])
def test_an_unknown_database_is_refused(name: str) -> None:
    """Names match exactly, never as substrings; the refusal lists what there is."""
    with pytest.raises(BadInput) as refusal:
        select_databases(load_catalog(DEFINITIONS), ("feed", name))

    assert str(refusal.value) == f"unknown database {name!r}; the catalog has customers, double-entry, feed"
