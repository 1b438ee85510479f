"""The catalog: a folder of contract definitions from which the per-database assets are made.

It is the only thing that is read when definitions load, like dbt's manifest; `logcache catalog pull` updates it.
"""

from pathlib import Path

from logcache_assets.domain.contract_definitions import DatabaseDefinition, parse_definition
from logcache_assets.domain.yaml_files import ENDING, refuse_other_endings
from logcache_assets.errors import BadInput, WrongUsage

Catalog = tuple[DatabaseDefinition, ...]
"""One definition per database, ascending by name."""


CatalogVersion = tuple[tuple[str, int, int], ...]
"""The files of a folder, each with its time of change and its size."""


def catalog_version(folder: Path) -> CatalogVersion:
    """Which definitions a folder holds, without reading them; empty if there is no folder."""
    found = ((file.name, file.lstat()) for file in sorted(folder.glob("*.*")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def load_catalog(folder: Path) -> Catalog:
    """Read every `<database>.yaml` of a folder.

    Raises:
        BadInput: there is no folder or no definition in it, or one is malformed or misnamed; with file and line.
    """
    files = sorted(folder.glob(f"*{ENDING}"))
    refuse_other_endings(sorted(map(str, folder.glob("*.*"))))
    if not files:
        raise BadInput(
            f"no contract definitions (<database>.yaml) in {folder}; make a local world with `logcache local reset` "
            "or name a folder in LOGCACHE_CATALOG"
        )
    return tuple(parse_definition(_text(file), where=str(file)) for file in files)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}); correct the file or remove it") from error


def select_databases(catalog: Catalog, names: tuple[str, ...]) -> Catalog:
    """The definitions of these databases, or all of them if no names are given; names must match exactly.

    Raises:
        WrongUsage: the catalog has no database of a given name.
    """
    known = {definition.database: definition for definition in catalog}
    for name in names:
        if name not in known:
            raise WrongUsage(f"unknown database {name!r}; the catalog has {', '.join(known)}")
    return tuple(known[name] for name in known if not names or name in names)
