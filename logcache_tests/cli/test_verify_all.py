"""`logcache refresh --verify-all`."""

from logcache_assets.cli import refresh
from logcache_assets.cli.refresh_result import Refreshed
from logcache_assets.domain.log_documents import LogExport
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_tests.conftest import silent


def test_verify_all_reads_every_segment_also_of_what_is_proposed(refreshed_feed_world: World) -> None:
    """The log is compared anew with no manifest's help; the copies and the test run are those of before."""
    world = refreshed_feed_world
    before = tuple(world.repository.open_pull_requests())

    result = refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent, verify_all=True)

    assert isinstance(result, Refreshed)
    uri = world.settings.locations.export(transaction=result.transaction, database="feed")
    export = Documents(world.store).read(uri, LogExport)
    assert not any(r.vouched for logs in export.instances for r in logs.ranges)
    assert tuple(world.repository.open_pull_requests()) == before
