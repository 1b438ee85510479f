"""Reads contract definitions at a commit of the itaipu repository; an Itaipu version pins them with the map."""

from logcache_assets.domain.contract_definitions import (
    CONTRACTS_FOLDER,
    DatabaseDefinition,
    definition_path,
    parse_definition,
)
from logcache_assets.domain.yaml_files import ENDING, refuse_other_endings
from logcache_assets.ports import ItaipuRepository


def definition_paths(repository: ItaipuRepository, *, ref: str) -> tuple[str, ...]:
    """Paths of all definitions at a branch or commit, ascending; empty if it has none.

    Raises:
        BadInput: a file looks like a definition but has another ending.
    """
    paths = repository.list_files(CONTRACTS_FOLDER, ref=ref)
    refuse_other_endings(paths)
    return tuple(path for path in paths if path.endswith(ENDING))


def read_definition(repository: ItaipuRepository, database: str, *, sha: str) -> DatabaseDefinition:
    """The definition of a database at a commit; raises PathNotFoundError, and BadInput with file and line."""
    path = definition_path(database)
    return parse_definition(repository.read(path, ref=sha), where=path)


def read_definitions(repository: ItaipuRepository, *, ref: str) -> tuple[DatabaseDefinition, ...]:
    """All definitions at a branch or commit, ascending by database; raises BadInput with file and line."""
    paths = definition_paths(repository, ref=ref)
    return tuple(parse_definition(repository.read(path, ref=ref), where=path) for path in paths)
