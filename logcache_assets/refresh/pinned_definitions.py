"""Reads contract definitions at a commit of the itaipu repository; an Itaipu version pins them with the map."""

from logcache_assets.domain.definitions import DatabaseDefinition, parse_definition
from logcache_assets.ports import ItaipuRepository


def definition_path(database: str) -> str:
    """Path of a database's definition in the itaipu repository."""
    return f"contracts/{database}.yaml"


def read_definition(repository: ItaipuRepository, database: str, *, sha: str) -> DatabaseDefinition:
    """The definition of a database at a commit; raises PathNotFoundError, and BadInput with file and line."""
    path = definition_path(database)
    return parse_definition(repository.read(path, ref=sha), where=path)
