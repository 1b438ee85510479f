"""Builds the local world from a data folder, runs its nights, and delivers the segments of its days.

A new world has a cache at `old`, a nightly run at `night`, and the segments up to `end`: ready for a refresh.
"""

import shutil
import uuid
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime, time
from pathlib import Path

import msgspec

from logcache_assets.adapters.home_lock import LOCK_FILE, holding
from logcache_assets.adapters.scratch import local_driver
from logcache_assets.domain.contract_definitions import definition_path
from logcache_assets.domain.index_items import render_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, MapEntry, render_map, with_entries
from logcache_assets.domain.names import CONTRACT_PREFIX, RAW_PREFIX
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.errors import BadInput, Refused
from logcache_assets.local_platform.demo_data import DemoData, read_demo_data, read_index_file, segment_file
from logcache_assets.local_platform.itaipu_run import ItaipuRun
from logcache_assets.local_platform.timeline import (
    COMMITTED,
    DAY,
    MORNING,
    NIGHT,
    newest_extraction,
    next_at,
    plan_night,
)
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Tell
from logcache_assets.refresh.first_cache import Origin, write_first_cache

RETENTION_DAYS = 7
DAGSTER_YAML = """telemetry: {enabled: false}
nux: {enabled: false}
sensors: {use_threads: true, num_workers: 4}
run_monitoring: {enabled: true, poll_interval_seconds: 30, max_runtime_seconds: 21600}
run_coordinator: {module: logcache_assets.defs.run_coordinator, class: RefreshRunCoordinator}
storage:
  custom:
    module: logcache_assets.defs.run_storage
    class: OneEngineStorage
    config: {base_dir: {env: DAGSTER_HOME}}
"""
"""A sensor that waits for others keeps no other waiting, every run has a maximum runtime and tags, and the storage is
the one of commands: it costs Dagit's runs less, and takes folders of any name."""


def build_world(world: World, data_folder: Path, tell: Tell) -> None:
    """Build a world from a data folder; it replaces the existing one when it is complete.

    The old world is moved aside before it is removed, and whatever an earlier call left aside is removed, so a call
    that is killed can be repeated. What lies outside its folder, on S3 or in DynamoDB, is emptied at the beginning.

    Raises:
        BadInput: the data is malformed, or the home folder holds files of something else.
        Refused: a refresh works in the existing world.
    """
    data = read_demo_data(data_folder)
    _require_replaceable(world)
    staging, aside = (world.home.with_name(f".{world.home.name}.{what}") for what in ("building", "replaced"))
    with holding(world.home) if world.home.exists() else nullcontext():
        _remove(staging)
        _remove(aside)
        try:
            _replay_history(World(msgspec.structs.replace(world.settings, home=str(staging))), data, tell)
            if world.home.exists():
                world.home.rename(aside)
            staging.rename(world.home)
        finally:
            _remove(staging)
            _remove(aside)


def _replay_history(world: World, data: DemoData, tell: Tell) -> None:
    """Replay the history up to the point where a refresh is due."""
    old, night, end = (set(data.until(cut)) for cut in ("old", "night", "end"))
    _create_empty_world(world, data)
    tell(f"{len(data.segments)} segments of {len(data.instances)} database instances, {_names(data)}")
    world.clock.set(next_at(newest_extraction(old), NIGHT))
    deliver(world, old)
    _write_first_cache(world, data)
    tell(
        f"{world.clock.now():%Y-%m-%d}: a log cache up to the cut-off `old` is active on {world.repository.base_branch}"
    )
    started_at = plan_night(before=night, delivered_next=end - night)
    deliver(world, night - old)
    transaction = _sound_night(world, started_at)
    tell(f"{started_at:%Y-%m-%d}: the nightly run left raw logs and contracts, transaction {transaction}")
    world.clock.set(next_at(max(world.clock.now(), newest_extraction(end)), DAY))
    deliver(world, end - night)
    tell(f"{world.clock.now():%Y-%m-%d}: a day delivered {len(end - night)} more segments")


def _sound_night(world: World, started_at: datetime) -> str:
    """Run the first night and require all its datasets, because no refresh can start from a bad night."""
    said: list[str] = []
    transaction = run_night(world, started_at=started_at, tell=said.append)
    if aborted := [line for line in said if line.startswith("aborted dataset")]:
        raise BadInput(f"the data does not make a world, its nightly run gave up {len(aborted)} datasets: {aborted[0]}")
    return transaction


def _names(data: DemoData) -> str:
    return ", ".join(instance.name for instance in data.instances)


def _require_replaceable(world: World) -> None:
    """Refuse to replace a folder that is not a local world."""
    if world.home.exists() and not world.home.is_dir():
        raise BadInput(f"{world.home} is a file; name a folder in LOGCACHE_HOME")
    held = [item.name for item in world.home.iterdir()] if world.home.exists() else []
    strange = [name for name in held if "pii_key" not in name and name != LOCK_FILE]
    if strange and not world.exists:
        raise BadInput(
            f"{world.home} holds {strange[0]} and is no local world, so it is not removed; "
            "name an empty folder in LOGCACHE_HOME"
        )


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _create_empty_world(world: World, data: DemoData) -> None:
    """Create an empty world: buckets, lifecycle rule, undelivered segments, definitions, Dagster's home."""
    buckets = {segment.path.split("/")[2] for segment in data.segments}
    named = {world.settings.ephemeral_bucket, world.settings.permanent_bucket, *buckets}
    world.world_buckets.make_empty(sorted(named), retention_days={world.settings.ephemeral_bucket: RETENTION_DAYS})
    world.segment_items.make_empty()
    for segment in data.segments:
        _copy(segment_file(data.folder, segment), segment_file(world.undelivered, segment))
    _write_undelivered(world, data.segments)
    if (data.folder / "reextraction").is_dir():
        shutil.copytree(data.folder / "reextraction", world.reextraction)
    for definition in data.catalog:
        _copy(data.folder / definition_path(definition.database), world.catalog / f"{definition.database}.yaml")
    world.dagster_home.mkdir(parents=True)
    (world.dagster_home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    (world.home / LOCK_FILE).touch()
    world.pii_key()


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, destination)


def undelivered(world: World) -> tuple[Segment, ...]:
    """The segments that later days will deliver."""
    return tuple(read_index_file(world.undelivered / "index.jsonl"))


def _write_undelivered(world: World, segments: Iterable[Segment]) -> None:
    lines = [render_index_item(segment) + "\n" for segment in segments]
    (world.undelivered / "index.jsonl").write_text("".join(lines), encoding="utf-8")


def deliver(world: World, segments: Iterable[Segment]) -> None:
    """Write these segments as the extractor does: files first, then index items."""
    due = set(segments)
    for segment in due:
        world.store.write(segment.path, segment_file(world.undelivered, segment).read_bytes())
    world.segment_items.put(sorted(due, key=lambda s: (s.instance, s.last_t)))
    _write_undelivered(world, [segment for segment in undelivered(world) if segment not in due])


def run_day(world: World) -> int:
    """Advance the clock to the next 14:00 and deliver what was extracted until then; returns the number of segments."""
    world.require()
    world.clock.set(next_at(world.clock.now(), DAY))
    due = [segment for segment in undelivered(world) if segment.extracted_at <= world.clock.now()]
    deliver(world, due)
    return len(due)


def run_night(world: World, *, tell: Tell, started_at: datetime | None = None, until: time = MORNING) -> str:
    """Run a night: raw logs and contracts of all databases in one DAILY transaction, whose id is returned.

    Args:
        world: whose night it is.
        tell: takes what the run says.
        started_at: by default at the next half past midnight.
        until: the time of the clock afterwards.
    """
    started_at = started_at or next_at(world.clock.now(), NIGHT)
    transaction = open_transaction(world, TransactionType.DAILY, name="nightly", started_at=started_at)
    world.clock.set(started_at + COMMITTED)
    base = world.repository.base_branch
    head = world.repository.head(base)
    if head is None:
        raise Refused(f"the itaipu repository has no branch {base}; build a new world with `logcache local reset`")
    ItaipuRun(
        world=world,
        transaction=transaction,
        version=head,
        out_uri=f"s3://{world.settings.ephemeral_bucket}",
        prefixes=(RAW_PREFIX, CONTRACT_PREFIX),
        policy=CachePolicy.FALLBACK,
        tell=tell,
    ).compute()
    world.clock.set(next_at(world.clock.now(), until))
    return transaction


def open_transaction(world: World, kind: TransactionType, *, name: str, started_at: datetime) -> str:
    """Open a transaction in the local metapod. Its id derives from the history, so a rebuilt world has the same ids."""
    earlier = len(world.metapod_store.find_transactions()) if world.metapod_store.exists else 0
    transaction = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}/{started_at.isoformat()}/{earlier}"))
    world.metapod_store.open_transaction(
        transaction,
        name,
        kind,
        started_at=started_at,
        target_date=started_at.date(),
        reference_date=started_at.date(),
    )
    return transaction


def _write_first_cache(world: World, data: DemoData) -> None:
    """Write the active cache from everything delivered so far, with manifests, and the map on the base branch."""
    started_at = world.clock.now()
    transaction = open_transaction(world, TransactionType.DAILY, name="nightly", started_at=started_at)
    entries = {
        instance: _write_cached_log(world, instance, transaction=transaction, read_at=started_at)
        for instance in data.instances
    }
    files = {MAP_PATH: render_map(with_entries({}, entries))}
    for file in sorted(world.catalog.glob("*.yaml")):
        files[definition_path(file.stem)] = file.read_text(encoding="utf-8")
    if data.rules.is_file():
        files[RULES_PATH] = data.rules.read_text(encoding="utf-8")
    world.repository.initialise(files, "Log cache map and contract definitions")


def _write_cached_log(world: World, instance: Instance, *, transaction: str, read_at: datetime) -> MapEntry:
    source = LogSource(instance=instance, index=world.segment_index)
    with local_driver() as driver:
        return write_first_cache(
            source,
            last_t=world.segment_index.newest_t(instance),
            locations=world.settings.locations,
            origin=Origin(transaction=transaction, read_at=read_at),
            store=world.store,
            driver=driver,
            warn=lambda _: None,
        )
