"""Where `make test-servers` puts servers that are built here."""

from pathlib import Path

from logcache_tests.servers.server import NotBuiltError

TOOLS = Path(__file__).parents[2] / ".tools"


def built(tool: str, *, needs: str, folder: Path = TOOLS) -> Path:
    """The path of a tool.

    Args:
        tool: its path in the folder.
        needs: what its building needs.
        folder: of all tools.

    Raises:
        NotBuiltError: it has not been built.
    """
    path = folder / tool
    if not path.exists():
        raise NotBuiltError(
            f"{path.name} is not in {folder.name}/: `make test-servers` builds it where {needs} is there"
        )
    return path
