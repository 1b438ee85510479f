"""Where work on several machines keeps what it exchanges, until it ends: the only objects that are ever removed."""

import re

SCRATCH = "_logcache"
"""The first folder of the key; what lies below belongs to one piece of work each."""
_FOLDER = re.compile(rf"s3a?://[^/]+/{SCRATCH}/[0-9a-f-]{{36}}")


def is_scratch_folder(uri: str) -> bool:
    """Whether a URI, with or without a slash at its end, is the folder of one piece of work, named by a UUID."""
    return _FOLDER.fullmatch(uri.removesuffix("/")) is not None
