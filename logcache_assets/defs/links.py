"""Links that a browser opens from Dagit's pages, where `file://` and `s3://` do nothing."""

from typing import Any

import dagster as dg

from logcache_assets.domain.report_links import local_pull_request
from logcache_assets.settings import Settings


def report_value(settings: Settings, uri: str) -> dg.MetadataValue[Any]:
    """The link to a report; its URI as text where no browser finds it."""
    link = settings.report_link(uri)
    return dg.MetadataValue.url(link) if link else dg.MetadataValue.path(uri)


def pull_request_value(settings: Settings, *, number: int, url: str) -> dg.MetadataValue[Any]:
    """The link to a pull request; those of the local world are files that `logcache local ui` serves."""
    is_file = url.startswith("file:")
    return dg.MetadataValue.url(local_pull_request(number, port=settings.pages_port) if is_file else url)
