"""Errors of the folder store, by whether a failed system call may succeed later."""

import errno

from logcache_assets.ports import (
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
)

_LASTING = {errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EACCES, errno.EPERM}
"""Errors that the file system would give again."""


def error_kind(error: OSError) -> type[ObjectStoreError]:
    """The error class for a failed system call: unavailable, unless the next call would fail in the same way."""
    return ObjectStoreWrongData if error.errno in _LASTING else ObjectStoreUnavailable


def failure(found: str, error: OSError, remedy: str) -> ObjectStoreError:
    """The error of a failed system call: what was found, why, and what to do."""
    return error_kind(error)(f"{found}: {error}; {remedy}")


def unreadable(uri: str, error: OSError) -> ObjectStoreError:
    """The error of an object that exists and cannot be read."""
    return failure(f"{uri} cannot be read", error, "repair the file or its permissions")
