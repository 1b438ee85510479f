"""Which files below a dataset's folder are its data, and which ones a writer only left beside them.

Spark and Hadoop put unfinished files below `_temporary/`, notes into `_SUCCESS` or `_committed_…`, and checksums into
`.part-0.parquet.crc`; folders of an object store may be objects without bytes.
"""

PARQUET = ".parquet"


def is_hidden(name: str) -> bool:
    """Whether a part of a name, relative to the dataset's folder, begins with `_` or `.`."""
    return any(part[:1] in {"_", "."} for part in name.split("/"))


def is_data_file(name: str, size_bytes: int) -> bool:
    """Whether a file is data: not hidden, and not without bytes unless it should be Parquet, which is then damaged."""
    return not is_hidden(name) and (size_bytes > 0 or name.endswith(PARQUET))
