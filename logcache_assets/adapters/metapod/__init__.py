"""metapod, the metadata service, over GraphQL."""

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.metapod.transport import requests_transport

__all__ = ["GraphQLMetapod", "requests_transport"]
