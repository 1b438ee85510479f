"""A whole refresh as functions that call no Dagster: what a command or a rollback builds on."""

from typing import Any

from logcache_assets.adapters.scratch import local_driver
from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.connect import connect
from logcache_assets.deployment_key import deployment_key
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.commit_candidate import CandidateCommitter
from logcache_assets.refresh.contract_evidence import Evidence
from logcache_assets.refresh.copy_logs import Copier
from logcache_assets.refresh.decide_verdict import Decider
from logcache_assets.refresh.describe_logs import LogDescriber
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.judge_contracts import counted_by, judge_contracts, make_inventory
from logcache_assets.refresh.publish import Publisher
from logcache_assets.refresh.start_test_run import TestRunner
from logcache_tests.conftest import silent


def test_the_steps_lead_from_a_night_to_a_pull_request(world: World) -> None:
    """Each step takes what the one before returned; after the last one a pull request is open."""
    ports, settings, catalog = connect(world.settings), world.settings, load_catalog(world.catalog)
    customers = select_databases(catalog, ("customers",))
    names = [definition.database for definition in catalog]
    asked: dict[str, Any] = {"metapod": ports.metapod, "store": ports.store, "clock": ports.clock, "settings": settings}

    active = read_base_map(ports.repository).entries

    chooser = NightChooser(**asked)
    choice = chooser.judge(customers, named=None)
    night = chooser.screen(choice, customers, active=active, index=ports.segment_index)
    describer = LogDescriber(
        store=ports.store,
        segment_index=ports.segment_index,
        runner=ports.notebook_runner,
        locations=settings.locations,
        tell=silent,
        tell_output=silent,
    )
    exports = describer.describe(night, customers, active=active).exports
    copies = [Copier(ports.store, ports.clock, settings).copy_export(export) for export in exports.values()]
    committer = CandidateCommitter(
        store=ports.store, segment_index=ports.segment_index, repository=ports.repository, settings=settings
    )
    candidate = committer.commit(night, copies, catalog=names)
    runner = TestRunner(
        itaipu=ports.itaipu,
        metapod=ports.metapod,
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        locations=settings.locations,
        time_limit=settings.test_run_time,
        tell=silent,
        tell_output=silent,
    )
    run = runner.find_or_run(candidate)
    evidence = Evidence(
        night=night,
        candidate=candidate,
        run=run,
        segment_index=ports.segment_index,
        repository=ports.repository,
        pii_key=deployment_key(settings),
        **asked,
    )
    with local_driver() as driver:
        count = counted_by(driver, store=ports.store, warn=silent, progress=lambda _: None)
        judged = judge_contracts(evidence, "customers", count=count)
    others = [definition for definition in catalog if definition.database != "customers"]
    inventory = make_inventory(evidence, [judged], others=others)
    decider = Decider(
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=settings,
    )
    decision = decider.decide(candidate, inventory)
    publisher = Publisher(segment_index=ports.segment_index, repository=ports.repository, **asked)
    published = publisher.publish(candidate, decision.verdict, run)

    assert decision.verdict.approved
    assert ports.repository.pull_request(published.pull_request.number).branch == candidate.branch
    assert [change.instance for change in candidate.changes] == ["customers-global", "customers-s0"]
