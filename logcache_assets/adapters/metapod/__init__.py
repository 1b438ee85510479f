"""metapod, the metadata service, over GraphQL.

What other programs use is imported when it is asked for, because commands that ask no metapod start faster without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logcache_assets.adapters.metapod.client import GraphQLMetapod
    from logcache_assets.adapters.metapod.transport import requests_transport

__all__ = ["GraphQLMetapod", "requests_transport"]

_PLACES = {"GraphQLMetapod": "client", "requests_transport": "transport"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import one of `__all__`; Python calls this for names that the package does not have yet."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
