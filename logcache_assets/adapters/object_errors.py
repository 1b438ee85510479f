"""What every object store says of an object that is not there, is there already, or is another one."""

from logcache_assets.ports import ObjectChangedError, ObjectExistsError, ObjectNotFoundError, StoredObject


def not_found(uri: str) -> ObjectNotFoundError:
    """The error of a URI without an object."""
    return ObjectNotFoundError(f"no object lies at {uri}; it expired, was removed, or the URI is wrong")


def exists_already(uri: str) -> ObjectExistsError:
    """The error of a copy whose destination already has an object."""
    return ObjectExistsError(
        f"an object already lies at {uri} and is never overwritten; find out who wrote it, "
        "or choose another destination"
    )


def exists_with_other_bytes(uri: str) -> ObjectExistsError:
    """The error of an object that was to be created and lies there with other bytes."""
    return ObjectExistsError(
        f"{uri} exists with other bytes and is never overwritten; find out who wrote it, or choose another destination"
    )


def changed(source: StoredObject, *, etag: str = "another") -> ObjectChangedError:
    """The error of a source that is no longer the object that was listed, and has this etag now."""
    return ObjectChangedError(
        f"{source.uri} is not the object that was listed: its etag was {source.etag}, is {etag}; "
        "list the source again and plan a new copy"
    )
