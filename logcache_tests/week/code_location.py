"""The project's code location, with sensors that look again at once: a week passes in minutes."""

import dagster as dg

from logcache_assets.catalog import load_catalog
from logcache_assets.definitions import build_definitions
from logcache_assets.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the configured platform."""
    settings = load_settings()
    found = build_definitions(settings, catalog=load_catalog(settings.catalog_folder))
    for sensor in found.sensors or ():
        sensor._min_interval = 1  # noqa: SLF001 - no public way to change it
    return found
