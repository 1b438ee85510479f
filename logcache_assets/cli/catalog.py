"""`logcache catalog pull`: updates the catalog from the itaipu repository."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from logcache_assets.cli.output import Result
from logcache_assets.cli.platform import open_platform
from logcache_assets.domain.contract_definitions import CONTRACTS_FOLDER, parse_definition
from logcache_assets.errors import Refused
from logcache_assets.ports import ItaipuRepository
from logcache_assets.refresh.pinned_definitions import definition_paths
from logcache_assets.settings import Settings


class CatalogResult(Result, frozen=True, kw_only=True):
    """The result of `logcache catalog pull`."""

    catalog: str
    """Path of the catalog's folder."""
    definitions: list[str]
    """Names of all files that the folder holds now, ascending."""
    changed: list[str]
    """Names of files that were added, removed or changed."""


def pull(settings: Settings) -> CatalogResult:
    """Make the catalog folder equal to the definitions on the base branch; nothing is written unless all are sound.

    Raises:
        Refused: the base branch has no definitions.
        BadInput: a definition is malformed.
    """
    wanted = _definitions_on_base(open_platform(settings).repository)
    folder = settings.catalog_folder
    folder.mkdir(parents=True, exist_ok=True)
    before = {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
    _replace(folder, before, wanted)
    changed = sorted(name for name in before.keys() | wanted.keys() if before.get(name) != wanted.get(name))
    return CatalogResult(catalog=str(folder), definitions=sorted(wanted), changed=changed)


def _definitions_on_base(repository: ItaipuRepository) -> dict[str, bytes]:
    """Every definition by file name, each checked."""
    base = repository.base_branch
    paths = definition_paths(repository, ref=base)
    if not paths:
        raise Refused(
            f"{base} has no {CONTRACTS_FOLDER}/*.yaml; check the itaipu repository, the catalog is left as it is"
        )
    texts = {path: repository.read(path, ref=base) for path in paths}
    for path, text in texts.items():
        parse_definition(text, where=path)
    return {path.rpartition("/")[2]: text.encode() for path, text in texts.items()}


def _replace(folder: Path, before: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> None:
    for name in before.keys() - wanted.keys():
        (folder / name).unlink()
    for name, content in wanted.items():
        (folder / name).write_bytes(content)


def render(result: CatalogResult) -> Iterator[str]:
    """The names of changed files."""
    changed = ", ".join(result.changed)
    yield f"{result.catalog}: {changed + ' changed' if changed else 'nothing changed'}"
