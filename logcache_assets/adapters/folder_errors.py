"""The errors of the folder store: which failed system calls may succeed later, and which never will."""

import errno

from logcache_assets.ports import (
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
)

_LASTING = {errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EACCES, errno.EPERM}
"""What the file system will answer the next time, too."""


def error_kind(error: OSError) -> type[ObjectStoreError]:
    """The class of a failed system call's error: unavailable, unless the next call would answer the same."""
    return ObjectStoreWrongData if error.errno in _LASTING else ObjectStoreUnavailable


def failure(found: str, error: OSError, remedy: str) -> ObjectStoreError:
    """The error of a failed system call: what was found, why, and what to do."""
    return error_kind(error)(f"{found}: {error}; {remedy}")


def unreadable(uri: str, error: OSError) -> ObjectStoreError:
    """The error of an object that is there and cannot be read."""
    return failure(f"{uri} cannot be read", error, "repair the file or its permissions")


def not_found(uri: str) -> ObjectNotFoundError:
    """The error of a URI at which nothing lies."""
    return ObjectNotFoundError(f"no object lies at {uri}; it expired, was removed, or the URI is wrong")


def exists_already(uri: str) -> ObjectExistsError:
    """The error of a copy whose destination is taken."""
    return ObjectExistsError(
        f"an object already lies at {uri} and is never overwritten; find out who wrote it, "
        "or choose another destination"
    )
