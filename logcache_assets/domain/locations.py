"""Where everything lies in the permanent bucket: the one class that builds these URIs.

Everything of ours is below `cache/`: the same bucket holds live segments, so nothing else is ever listed or written.
"""

from dataclasses import dataclass

from logcache_assets.domain.instances import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFolder:
    """The immutable folder of one cached log."""

    uri: str

    @property
    def log(self) -> str:
        """Folder of the raw log's Parquet."""
        return f"{self.uri}/log"

    @property
    def materialized_entities(self) -> str:
        """Folder of the materialized entities' Parquet."""
        return f"{self.uri}/materialized-entities"

    @property
    def manifest(self) -> str:
        """The manifest, written last: without it the folder does not count."""
        return f"{self.uri}/manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """URIs by what they are for."""

    permanent_bucket: str

    def cache_folder(self, instance: Instance, *, last_t: int, transaction: str) -> CacheFolder:
        """`s3://…/cache/feed-s0/4836-1c7be4a9`: one per instance, t and transaction."""
        return CacheFolder(uri=f"s3://{self.permanent_bucket}/cache/{instance.name}/{last_t}-{transaction[:8]}")

    @property
    def scratch(self) -> str:
        """Folder for what a distributed build spills; of no account afterwards."""
        return f"s3://{self.permanent_bucket}/cache/_scratch"

    def document(self, *, transaction: str, stage: str, name: str) -> str:
        """The JSON document with which a stage ends."""
        return f"{self.documents}{transaction}/{stage}/{name}.json"

    @property
    def documents(self) -> str:
        """The beginning of every document's URI."""
        return f"s3://{self.permanent_bucket}/cache/_refresh/"


def folder_of(map_log_uri: str) -> CacheFolder:
    """The cache folder that a map entry's `log` points into."""
    return CacheFolder(uri=map_log_uri.removesuffix("/log"))
