"""`logcache doctor`: all is well in a new world, and each thing that is broken is the one that is shown."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logcache_assets.adapters.alerts.heartbeat import Heartbeat
from logcache_assets.adapters.metapod.queries import read_queries
from logcache_assets.cli import doctor, local
from logcache_assets.cli.main import run_command
from logcache_assets.domain.locations import PROBE_FOLDER
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings
from logcache_tests.adapters.alerts.web_server import running_callee
from logcache_tests.conftest import silent
from logcache_tests.servers.metapod_server import tls_metapod
from logcache_tests.worlds import files_of, settings_at


def examined(settings: Settings, *, write: bool = False) -> dict[tuple[str, str], doctor.Examination]:
    """What the doctor finds, by system and check."""
    return {(p.system, p.check): p for p in doctor.run(settings, write=write, tell=silent).probes}


def settings_of(world: World, variables: dict[str, str]) -> Settings:
    """The settings of a world, changed by some variables."""
    return settings_at(world.home, **{name.removeprefix("LOGCACHE_"): value for name, value in variables.items()})


def unwell(settings: Settings) -> dict[tuple[str, str], str]:
    """What is not well, and what was found there."""
    return {key: f"{p.found}; {p.remedy}" for key, p in examined(settings, write=True).items() if p.mark != "ok"}


def test_a_new_world_is_well(feed_world: World) -> None:
    """Every probe passes, and nothing is left behind."""
    before = files_of(feed_world.home)

    assert unwell(feed_world.settings) == {}
    assert len(examined(feed_world.settings)) == 19
    assert files_of(feed_world.home) == before


def test_another_doctors_probe_is_nothing_to_read(feed_world: World) -> None:
    """It may be gone at any moment, so nobody else reads it, and it is not removed with ours."""
    probe = feed_world.buckets / "nu-spark-metapod" / PROBE_FOLDER / "probe"
    probe.parent.mkdir(parents=True)
    probe.write_bytes(b"one of 31,415 bytes".ljust(31415))

    assert unwell(feed_world.settings) == {}
    assert "31,415" not in examined(feed_world.settings)["bucket nu-spark-metapod", "read"].found
    assert probe.is_file()


def add_prototype(world: World) -> None:
    """Declare a prototype that no segment is of."""
    file = world.catalog / "feed.yaml"
    file.write_text(file.read_text("utf-8").replace("[s0, s1]", "[s0, s1, s9]"), encoding="utf-8")


def untouched(_: World) -> None:
    """A setting alone is wrong."""


@dataclass(frozen=True)
class Damage:
    """One thing that somebody broke, the probes that show it, and the settings that are wrong."""

    act: Callable[[World], object]
    shown: dict[tuple[str, str], str]
    settings: dict[str, str]


def damage(act: Callable[[World], object], shown: dict[tuple[str, str], str], **settings: str) -> Damage:
    """A damage with what is found of it."""
    return Damage(act, shown, settings)


EPHEMERAL, PERMANENT = "bucket nu-spark-metapod-ephemeral-1", "bucket nu-spark-metapod"
LIFECYCLE = '{"nu-spark-metapod": 7, "nu-spark-metapod-ephemeral-1": 7}'
DAMAGES = {
    "no bucket of runs": damage(
        lambda world: shutil.rmtree(world.buckets / "nu-spark-metapod-ephemeral-1"),
        {(EPHEMERAL, "reached"): "reset", (EPHEMERAL, "listed"): "", (EPHEMERAL, "read"): ""},
    ),
    "runs do not expire": damage(
        lambda world: (world.home / "lifecycle.json").write_text("{}"),
        {(EPHEMERAL, "lifecycle"): "nothing expires in the bucket of runs; add a lifecycle rule"},
    ),
    "caches expire": damage(
        lambda world: (world.home / "lifecycle.json").write_text(LIFECYCLE),
        {(PERMANENT, "lifecycle"): "a lifecycle rule deletes caches: objects expire after 7 days; remove that rule"},
    ),
    "no room for the probe": damage(
        lambda world: (world.buckets / "nu-spark-metapod/cache/_doctor").write_bytes(b"a file"),
        {(PERMANENT, "written"): "cannot be written"},
    ),
    "no index": damage(
        lambda world: world.files.segment_index.unlink(),
        {("segment index", "newest item"): "no segment index; ", ("segment index", "newest file"): ""},
    ),
    "a segment is gone": damage(
        lambda world: shutil.rmtree(world.buckets / "nu-spark-datomic-logs"),
        {("segment index", "newest file"): "no "},
    ),
    "an instance that nobody extracts": damage(
        add_prototype,
        {("segment index", "newest item"): "1 instance without an item, first feed-s9; check the index's table"},
    ),
    "no metapod": damage(
        lambda world: world.files.metapod.unlink(),
        {("metapod", "nightly runs"): "metapod", ("metapod", "one run"): "metapod"},
    ),
    "nights of another country alone": damage(
        untouched,
        {("metapod", "nightly runs"): "no nightly run in 14 days; check metapod's address, LOGCACHE_COUNTRY"},
        country="MX",
        ephemeral_bucket="nu-spark-metapod-ephemeral-1",
        permanent_bucket="nu-spark-metapod",
    ),
    "no sabesp": damage(
        untouched,
        {("sabesp", "executable"): "/nowhere/sabesp is not there; install sabesp, or name its executable in LOGCACHE_"},
        sabesp="/nowhere/sabesp",
        sabesp_stop="true",
    ),
    "a sabesp that is no program": damage(
        untouched, {("sabesp", "executable"): "may not be run; "}, sabesp=__file__, sabesp_stop="true"
    ),
    "a sabesp that nothing stops": damage(
        untouched, {("sabesp", "stop command"): "the cluster of a cancelled run stays; name one in"}, sabesp="/bin/true"
    ),
    "a stop command that is not there": damage(
        untouched,
        {("sabesp", "stop command"): "/nowhere/stop cannot be run; correct LOGCACHE_SABESP_STOP"},
        sabesp_stop="/nowhere/stop {run_name}",
    ),
    "a map that nobody can read": damage(
        lambda world: world.repository.commit_to_base({MAP_PATH: "{"}, "Damage"),
        {("itaipu repository", "map"): MAP_PATH},
    ),
    "a catalog that nobody can read": damage(
        lambda world: (world.catalog / "feed.yaml").write_text("database: ["),
        {
            ("catalog", "definitions"): "feed.yaml",
            ("segment index", "newest item"): "feed.yaml",
            ("segment index", "newest file"): "feed.yaml",
        },
    ),
    "a weak key": damage(untouched, {("personal data", "key"): "LOGCACHE_PII_KEY"}, pii_key="short"),
}


@pytest.mark.parametrize("broken", DAMAGES.values(), ids=DAMAGES)
def test_what_is_broken_is_shown_and_nothing_else(feed_world: World, broken: Damage) -> None:
    """With what was found and what to do about it."""
    broken.act(feed_world)

    found = unwell(settings_at(feed_world.home, **broken.settings))

    assert found.keys() == broken.shown.keys()
    assert [key for key, text in broken.shown.items() if text not in found[key]] == []
    assert [text for text in found.values() if text.endswith("; ")] == []


def test_a_real_metapod_is_probed(feed_world: World, tmp_path: Path) -> None:
    """Its certificate, its address and the deployment's own listing."""
    with tls_metapod(feed_world.metapod_store, tmp_path) as running:
        assert unwell(settings_of(feed_world, running.variables)) == {}

        refused = unwell(settings_of(feed_world, {**running.variables, "LOGCACHE_METAPOD_CERTIFICATE": "/nowhere.pem"}))
        queries = tmp_path / "queries.graphql"
        queries.write_text(read_queries().text.replace("path\n", "path: name\n"))
        own = unwell(settings_of(feed_world, {**running.variables, "LOGCACHE_METAPOD_QUERIES": str(queries)}))
        queries.write_text(queries.read_text().replace("startedAt\n", ""))
        lacking = unwell(settings_of(feed_world, {**running.variables, "LOGCACHE_METAPOD_QUERIES": str(queries)}))

    assert refused.keys() == lacking.keys() == {("metapod", "nightly runs"), ("metapod", "one run")}
    assert "/nowhere.pem cannot be read" in refused["metapod", "nightly runs"]
    assert "no field named 'startedAt'" in lacking["metapod", "nightly runs"]
    assert own.keys() == {("metapod", "one run")}
    assert "without an s3:// path, first contract-feed/" in own["metapod", "one run"]


def test_a_failure_is_an_exit_code(
    feed_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people a table and the remedies, for programs one document."""
    monkeypatch.setenv("LOGCACHE_HOME", str(feed_world.home))

    assert run_command(["doctor"]) == 0
    well = capsys.readouterr().out
    monkeypatch.setenv("LOGCACHE_SABESP", "/nowhere/sabesp")
    assert run_command(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert run_command(["doctor", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)

    assert "19 probes, 0 failed" in well
    assert "failed: sabesp, executable: install sabesp, or name its executable in LOGCACHE_SABESP" in shown
    assert [p["system"] for p in document["probes"] if p["mark"] == "failed"] == ["sabesp"]


def test_a_map_written_by_hand_is_a_warning(feed_world: World) -> None:
    """Refreshes work, and nothing proves its caches."""
    local.break_(feed_world.settings, "hand-written-map")

    (told,) = unwell(feed_world.settings).values()

    assert "2 instances at " in told
    assert told.endswith("of which 2 name no manifest; prove them with `logcache adopt`")


def test_channels_of_alerts_are_probed(feed_world: World) -> None:
    """Nothing is sent unless writing is asked for; then a message that says that it is a test."""
    with running_callee() as callee:
        settings = settings_at(feed_world.home, alert_webhook=callee.url)
        looked = examined(settings)["alerts", "webhook"]
        assert callee.taken == []
        sent = examined(settings, write=True)["alerts", "webhook"]
        callee.status = 404
        gone = examined(settings, write=True)["alerts", "webhook"]

    assert (looked.mark, sent.mark, gone.mark) == ("ok", "ok", "failed")
    assert [text.splitlines()[0] for text in callee.taken] == ["*Log cache: A test of alerts*"]
    assert "answered with status 404" in gone.found + gone.remedy


def test_an_old_heartbeat_is_a_failure(feed_world: World) -> None:
    """The daemon looked once, an hour ago."""
    Heartbeat(home=feed_world.home).beat(datetime.now(UTC) - timedelta(hours=1))

    found = examined(feed_world.settings)["alerts", "heartbeat"]

    assert (found.mark, found.found) == ("failed", "the daemon last showed 1.0 hours ago that it lives")
