"""Links that a browser opens from Dagit's pages, where `file://` and `s3://` do nothing.

No link expires: Amazon's console, GitHub and the deployment's own pages ask who comes, each time.
"""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from logcache_assets.domain.report_links import local_pull_request
from logcache_assets.settings import Settings


def report_value(settings: Settings, uri: str) -> dg.MetadataValue[Any]:
    """The link to a report; its URI as text where no browser finds it."""
    link = settings.report_link(uri)
    return dg.MetadataValue.url(link) if link else dg.MetadataValue.path(uri)


def pull_request_link(settings: Settings, url: str) -> str:
    """The address of a pull request's page; those of the local world are files that `logcache local ui` serves."""
    parts = urlsplit(url)
    is_file = parts.scheme == "file"
    return local_pull_request(int(PurePosixPath(parts.path).stem), port=settings.pages_port) if is_file else url


def pull_request_value(settings: Settings, url: str) -> dg.MetadataValue[Any]:
    """The link to a pull request."""
    return dg.MetadataValue.url(pull_request_link(settings, url))


def commit_value(settings: Settings, sha: str) -> dg.MetadataValue[Any]:
    """The link to a commit of the itaipu repository; its short sha where it has no page."""
    link = settings.commit_link(sha)
    return dg.MetadataValue.url(link) if link else dg.MetadataValue.text(sha[:8])


def transaction_value(settings: Settings, transaction: str) -> dg.MetadataValue[Any]:
    """The link to a transaction of metapod; its id where nobody said which page shows it."""
    link = settings.transaction_link(transaction)
    return dg.MetadataValue.url(link) if link else dg.MetadataValue.text(transaction)
