"""Raw logs are described once, and again when the files or the segments that they were compared with change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from typing_extensions import override

from logcache_assets.adapters.scratch import local_driver
from logcache_assets.catalog import Catalog, load_catalog
from logcache_assets.connect import connect
from logcache_assets.domain.documents import NightlyTransaction
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import LogCacheMap
from logcache_assets.domain.log_documents import LogExport
from logcache_assets.engine.raw.prove_logs import prove_each
from logcache_assets.local_platform.world import World
from logcache_assets.ports import NotebookRun, NotebookRunner, Tell
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.describe_logs import Described, LogDescriber, find_problems
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.export_run import read_request, write_answer
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_tests.conftest import silent
from logcache_tests.worlds import path_of

FEED_S0 = parse_instance("feed-s0")


@dataclass
class NotebookHere(NotebookRunner):
    """Does the notebook's work in this process, and remembers what it was asked."""

    world: World
    tokens: list[str] = field(default_factory=list)

    @override
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell, tell_output: Tell) -> NotebookRun:
        self.tokens.append(token)
        store, locations = self.world.store, self.world.settings.locations
        request = read_request(parameters["request"], store)
        with local_driver() as driver:
            found = prove_each(request.instances, store=store, driver=driver, tell=tell_output)
        result = write_answer(request, found, locations=locations, store=store)
        return NotebookRun(result=result, page="here")

    @override
    def checks(self) -> Mapping[str, Callable[[], str]]:
        return {}


@dataclass
class Stage:
    """The stage log_export of one world."""

    world: World
    runner: NotebookHere
    night: NightlyTransaction
    active: LogCacheMap
    catalog: Catalog

    def export(self, *, verify_all: bool = False) -> LogExport:
        """Describe the raw logs of feed and keep the document, as the asset does."""
        export = self.describe(verify_all=verify_all).exports["feed"]
        uri = self.world.settings.locations.export(transaction=self.night.transaction, database="feed")
        Documents(self.world.store).write(uri, export)
        return export

    def describe(self, *, verify_all: bool = False) -> Described:
        """Describe the raw logs of feed."""
        describer = LogDescriber(
            store=self.world.store,
            segment_index=self.world.segment_index,
            runner=self.runner,
            locations=self.world.settings.locations,
            tell=silent,
            tell_output=silent,
            verify_all=verify_all,
        )
        return describer.describe(self.night, self.catalog, active=self.active)

    def deliver(self) -> None:
        """A segment arrives now that continues the log."""
        newest = max(self.world.segment_index.segments(FEED_S0), key=lambda s: s.last_t)
        begin, end = newest.last_t, newest.last_t + 10
        later = replace(
            newest,
            path=newest.path.replace(f"-{newest.last_batch_t}-{newest.last_t}.avro", f"-{begin}-{end}.avro"),
            last_batch_t=begin,
            initial_t=begin + 1,
            last_t=end,
            timestamp_ms=int(self.world.clock.now().timestamp() * 1000),
        )
        self.world.segment_items.put([later])


@pytest.fixture
def stage(feed_world: World) -> Stage:
    """A world of feed whose night was chosen."""
    ports, catalog = connect(feed_world.settings), load_catalog(feed_world.catalog)
    chooser = NightChooser(metapod=ports.metapod, store=ports.store, clock=ports.clock, settings=feed_world.settings)
    active = read_base_map(ports.repository).entries
    choice = chooser.judge(catalog, named=None)
    night = chooser.screen(choice, catalog, active=active, index=ports.segment_index)
    return Stage(feed_world, NotebookHere(feed_world), night, active, catalog)


def read_by(export: LogExport) -> dict[str, list[bool]]:
    """Instance → for each range whether a manifest vouched for it."""
    return {logs.instance: [r.vouched for r in logs.ranges] for logs in export.instances}


def test_only_what_is_newer_than_the_active_cache_is_read(stage: Stage) -> None:
    """The manifests of the active caches vouch for the older segments, and the logs are proven."""
    export = stage.export()

    cached_t = {logs.instance: stage.active["s" + logs.instance[-1]]["feed"].last_t for logs in export.instances}
    for logs in export.instances:
        assert [r.vouched for r in logs.ranges] == [r.last_t <= cached_t[logs.instance] for r in logs.ranges]
    assert list(find_problems(export, stage.active)) == []


def test_a_second_time_nothing_is_read(stage: Stage) -> None:
    """The document is still true, also when a newer segment arrived meanwhile."""
    first = stage.export()
    stage.deliver()

    assert stage.export() == first
    assert len(stage.runner.tokens) == 1


def test_a_lost_answer_is_asked_for_by_the_same_token(stage: Stage) -> None:
    """A refresh that was killed finds its notebook run, though a segment was delivered in between."""
    stage.export()
    uri = stage.world.settings.locations.export(transaction=stage.night.transaction, database="feed")
    path_of(stage.world, uri).unlink()
    stage.deliver()

    stage.export()

    assert len(set(stage.runner.tokens)) == 1


def test_a_segment_that_was_extracted_again_is_compared_again(stage: Stage) -> None:
    """The former comparison says nothing of the new file; extracted after the night began, it is refused (C7)."""
    stage.export()
    first = min(stage.world.segment_index.segments(FEED_S0), key=lambda s: s.last_t)
    now_ms = int(stage.world.clock.now().timestamp() * 1000)
    stage.world.segment_items.put([replace(first, timestamp_ms=now_ms)])

    described = stage.describe()

    assert len(set(stage.runner.tokens)) == 2
    assert described.exports == {}
    assert [problem.code for problem in described.left_out["feed"].problems] == ["C7"]


def test_every_segment_can_be_asked_for(stage: Stage) -> None:
    """With verify_all no manifest is believed, and a comparison that believed one is made again."""
    stage.export()

    export = stage.export(verify_all=True)

    assert not any(vouched for of_instance in read_by(export).values() for vouched in of_instance)
    assert list(find_problems(export, stage.active)) == []
    assert stage.export(verify_all=True) == export
    assert len(stage.runner.tokens) == 2


def test_a_manifest_that_the_map_does_not_name_vouches_for_nothing(stage: Stage) -> None:
    """Every segment of the instance is read, as for a first cache."""
    entry = stage.active["s0"]["feed"]
    manifest = entry.log.removesuffix("/log") + "/manifest.json"
    stage.world.store.write(manifest, stage.world.store.read(manifest).replace(b'"rows": ', b'"rows":  '))

    vouched = read_by(stage.export())

    assert not any(vouched["feed-s0"])
    assert any(vouched["feed-s1"])
