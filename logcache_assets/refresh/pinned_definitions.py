"""The contract definitions of one commit of the itaipu repository: an Itaipu version pins them with the map."""

from logcache_assets.domain.definitions import DatabaseDefinition, parse_definition
from logcache_assets.ports import ItaipuRepository


def definition_path(database: str) -> str:
    """Where a database's definition lies in the itaipu repository."""
    return f"contracts/{database}.yaml"


def read_definition(repository: ItaipuRepository, database: str, *, sha: str) -> DatabaseDefinition:
    """What a commit declares of a database; raises PathNotFoundError, and BadInput with file and line."""
    path = definition_path(database)
    return parse_definition(repository.read(path, ref=sha), where=path)
