"""A test run whose transaction is another run's is refused, whatever that run's tables look like."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.world import World
from logcache_tests.refresh.test_publish import candidate_of
from logcache_tests.worlds import materialize, path_of, refusal_of, settings_at


def former_test_run(world: World) -> str:
    """The test run of the world's one refresh."""
    return next(iter(world.metapod_store.find_transactions(types=[TransactionType.CUSTOM]))).id


def the_night(world: World) -> str:
    """The nightly run from which it refreshed."""
    return candidate_of(world).transaction


@pytest.mark.parametrize(
    ("named", "sign"),
    [
        pytest.param(former_test_run, "metapod showed it before the test run was started", id="an earlier test run"),
        pytest.param(
            the_night, "it is the nightly run whose logs the candidate holds; its type is DAILY", id="a night"
        ),
    ],
)
def test_another_runs_transaction_is_refused(
    refreshed_feed_world: World, tmp_path: Path, named: Callable[[World], str], sign: str
) -> None:
    """Sabesp attached to it, or printed its parent's; no document says that it computed this candidate."""
    world = refreshed_feed_world
    candidate = candidate_of(world)
    uri = world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    path_of(world, uri).unlink()
    shutil.rmtree(path_of(world, world.settings.locations.begun_runs(transaction=candidate.transaction)))
    sabesp = tmp_path / "sabesp"
    sabesp.write_text(f"#!/bin/sh\necho 'Running Itaipu with --transaction {named(world)}'\n")
    sabesp.chmod(0o755)

    refusal = refusal_of(materialize(World(settings_at(world.home, sabesp=str(sabesp))), "itaipu_test_run"))

    assert "that sabesp named is not of this test run: " in refusal
    assert sign in refusal
    assert not path_of(world, uri).exists()
