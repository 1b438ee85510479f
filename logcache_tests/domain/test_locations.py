"""URIs in the permanent bucket."""

from logcache_assets.domain.locations import Locations, folder_of
from logcache_tests.domain.samples import FEED_S0, NIGHT

LOCATIONS = Locations(permanent_bucket="permanent")


def test_a_cached_log_has_a_folder_of_its_instance_t_and_transaction() -> None:
    """Log, entities and manifest lie side by side in it."""
    folder = LOCATIONS.cache_folder(FEED_S0, last_t=4836, transaction=NIGHT)

    assert folder.log == "s3://permanent/cache/feed-s0/4836-1c7be4a9/log"
    assert folder.materialized_entities == "s3://permanent/cache/feed-s0/4836-1c7be4a9/materialized-entities"
    assert folder.manifest == "s3://permanent/cache/feed-s0/4836-1c7be4a9/manifest.json"


def test_the_folder_is_found_again_from_the_maps_log() -> None:
    """An entry's `log` leads to the manifest beside it."""
    folder = LOCATIONS.cache_folder(FEED_S0, last_t=4836, transaction=NIGHT)

    assert folder_of(folder.log) == folder


def test_documents_lie_below_cache_by_transaction_stage_and_name() -> None:
    """The bucket holds live segments too, so nothing of ours lies outside `cache/`."""
    assert LOCATIONS.export(transaction=NIGHT, database="feed") == (
        f"s3://permanent/cache/_refresh/{NIGHT}/log_export/feed.json"
    )
