"""`logcache databricks upload`: puts this version's wheel and notebook where clusters read them."""

from collections.abc import Iterator

from logcache_assets.cli.output import Result
from logcache_assets.connect import own_release
from logcache_assets.errors import WrongUsage
from logcache_assets.settings import Settings


class Upload(Result, frozen=True, kw_only=True):
    """One file."""

    path: str
    was_there: bool


class UploadResult(Result, frozen=True, kw_only=True):
    """The result of `logcache databricks upload`."""

    version: str
    """Of the package, and the beginning of the digest of its content."""
    files: list[Upload]


def upload(settings: Settings) -> UploadResult:
    """Put wheel and notebook of this version there.

    Raises:
        WrongUsage: no workspace is named.
        NotebookError: Databricks refuses it, or does not answer.
    """
    if settings.databricks_host is None:
        raise WrongUsage("LOGCACHE_DATABRICKS_HOST is not set, and nothing else says where to upload; set it")
    release = own_release(settings)
    files = [Upload(path=placed.path, was_there=placed.was_there) for placed in release.upload()]
    return UploadResult(version=release.wheel.version, files=files)


def render(result: UploadResult) -> Iterator[str]:
    """A line per file."""
    yield f"version {result.version}"
    for file in result.files:
        yield f"{'was there ' if file.was_there else 'uploaded  '} {file.path}"
