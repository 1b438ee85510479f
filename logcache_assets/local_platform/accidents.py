"""The accidents of `logcache local break`; each repeats the damage of a recorded incident."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import polars as pl

from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.documents import PermanentLog
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import MAP_PATH, AnyEntry, all_instances_of, instances_of
from logcache_assets.domain.names import contract_dataset, raw_entities_dataset, raw_log_dataset
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.engine.storage.parquet import list_parquet, parquet_bytes, read_parquet_files
from logcache_assets.errors import BadInput, Refused
from logcache_assets.local_platform.demo_data import read_index_file
from logcache_assets.local_platform.faults import EMPTY_CONTRACT, STALE_READER, TRUNCATED_COPY, WRONG_VALUE, Fault
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.ports import ObjectNotFoundError
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.pinned_definitions import read_definitions


def accidents_of(world: World) -> tuple[Fault, ...]:
    """Every accident that can be made to happen in this world."""
    acts = _Accidents(world)
    return (
        Fault(name="gap", description="the segment index loses an item in the middle", inject=acts.gap),
        Fault(name="overlap", description="the same datoms are extracted under another last_t", inject=acts.overlap),
        Fault(
            name="stale-personal-data",
            description="personal data is excised and its segments are extracted again; the cache still holds it",
            inject=acts.stale_personal_data,
        ),
        Fault(
            name=TRUNCATED_COPY,
            description="copies into the permanent bucket are cut short",
            inject=acts.truncated_copy,
        ),
        Fault(
            name="aborted-dataset",
            description="a raw dataset of the nightly transaction is aborted, the run stays green",
            inject=acts.aborted_dataset,
        ),
        Fault(
            name="placeholder",
            description="a raw dataset is committed empty at the placeholder path",
            inject=acts.placeholder,
        ),
        Fault(
            name="lost-files",
            description="the files of a committed raw dataset are deleted",
            inject=acts.lost_files,
        ),
        Fault(
            name="lost-datom",
            description="the raw log of the nightly transaction lacks one datom; its contracts do not show it",
            inject=acts.lost_datom,
        ),
        Fault(
            name="wrong-last-t",
            description="somebody edits a last_t of the map on the base branch",
            inject=acts.wrong_last_t,
        ),
        Fault(
            name="hand-written-map",
            description="the map on the base branch is of the older form, written by hand; no manifest lies anywhere",
            inject=acts.hand_written_map,
            hint="See what is said of it with `logcache status`, and prove it with `logcache adopt`.",
        ),
        Fault(
            name=EMPTY_CONTRACT,
            description="Itaipu's test run commits a contract without rows",
            inject=acts.empty_contract,
        ),
        Fault(
            name=WRONG_VALUE,
            description="Itaipu's test run cuts one text of one contract short",
            inject=acts.wrong_value,
        ),
        Fault(
            name=STALE_READER,
            description="Itaipu's test run does not read the newest segment of a database instance",
            inject=acts.stale_reader,
        ),
    )


def written_by_hand(entries: Mapping[Instance, AnyEntry]) -> str:
    """A map of the older form: each last_t as a text, the first as Clojure prints it, and no order."""
    plain: dict[str, dict[str, dict[str, str]]] = {}
    for instance, entry in sorted(entries.items(), reverse=True, key=lambda item: item[0]):
        plain.setdefault(instance.prototype, {})[instance.database] = {
            "materialized_entities": entry.materialized_entities,
            "last_t": f"{entry.last_t}N",
            "log": entry.log,
        }
    return re.sub(r'"(\d+N)"', r"\1", json.dumps(plain, indent=4), count=1)


class _Accidents:
    def __init__(self, world: World) -> None:
        self._world = world

    def gap(self) -> str:
        segments = self._newest_chain()
        lost = segments[-2]
        self._require_unread(lost)
        self._world.segment_items.remove(lost.instance, lost.last_t)
        return f"the index item of {lost.instance.name} for t in ({lost.last_batch_t}, {lost.last_t}] is gone"

    def _require_unread(self, segment: Segment) -> None:
        """Refuse a segment that nobody would miss, as the active cache holds its datoms."""
        active = dict(instances_of(read_base_map(self._world.repository).entries)).get(segment.instance)
        if active is not None and segment.last_t <= active.last_t:
            raise Refused(
                f"nobody would notice a gap of {segment.instance.name} at t in ({segment.last_batch_t}, "
                f"{segment.last_t}], because the active cache holds the log up to t {active.last_t}; let newer "
                "segments come with `logcache local day`, or build a new world with `logcache local reset`"
            )

    def overlap(self) -> str:
        newest = self._newest_chain()[-1]
        last_t = newest.last_t + 1
        path = newest.path.removesuffix(f"-{newest.last_t}.avro") + f"-{last_t}.avro"
        self._world.store.write(path, self._world.store.read(newest.path))
        self._world.segment_items.put([replace(newest, path=path, last_t=last_t)])
        return (
            f"{newest.instance.name}: the datoms of t in ({newest.last_batch_t}, {newest.last_t}] lie in a second "
            f"segment too, under last_t {last_t}"
        )

    def stale_personal_data(self) -> str:
        index = self._world.reextraction / "index.jsonl"
        if not index.is_file():
            raise BadInput("this world's data has no reextraction/ folder; build it from data that has one")
        now_ms = int(self._world.clock.now().timestamp() * 1000)
        segments = [replace(s, timestamp_ms=now_ms) for s in read_index_file(index)]
        for segment in segments:
            file = self._world.reextraction / "buckets" / segment.path.removeprefix("s3://")
            self._world.store.write(segment.path, file.read_bytes())
        self._world.segment_items.put(segments)
        names = sorted({segment.instance.name for segment in segments})
        return f"a customer was excised: {len(segments)} segments of {', '.join(names)} were extracted again"

    def truncated_copy(self) -> str:
        """Cut an existing copy short; if there is none, arm the fault for the next copies."""
        for document in self._permanent_logs():
            uri = document.logs[0].manifest.replace("/manifest.json", "/log/part-00000.parquet")
            content = self._world.store.read(uri)
            self._world.store.write(uri, content[: len(content) // 2])
            return f"{uri} lost its second half"
        self._world.faults.arm(TRUNCATED_COPY, "on")
        return "every copy into the permanent bucket loses its second half from now on"

    def aborted_dataset(self) -> str:
        night, name = self._night(), self._raw_dataset()
        self._world.metapod_store.abort_dataset(night.id, name, aborted_at=self._world.clock.now())
        return f"{name} of transaction {night.id} is aborted"

    def placeholder(self) -> str:
        night, name = self._night(), self._raw_dataset()
        path = f"s3://{self._world.settings.ephemeral_bucket}/empty-materialized/empty.gz.parquet"
        self._world.metapod_store.set_path(night.id, name, path=path)
        return f"{name} of transaction {night.id} is committed at {path}"

    def lost_files(self) -> str:
        night, name = self._night(), self._raw_dataset()
        folder = night.datasets[name].path or ""
        for item in tuple(self._world.store.list_objects(folder)):
            self._world.world_buckets.remove(item.uri)
        return f"no file is left at {folder}"

    def lost_datom(self) -> str:
        instance = next(self._instances())
        store, folder = self._world.store, self._night().datasets[raw_log_dataset(instance)].path or ""
        uri = list_parquet(folder, store)[0]
        log = read_parquet_files([uri], store)
        middle = len(log) // 2
        store.write(uri, parquet_bytes(pl.concat([log[:middle], log[middle + 1 :]])))
        return f"{raw_log_dataset(instance)} of transaction {self._night().id} lacks one datom, at t {log['t'][middle]}"

    def wrong_last_t(self) -> str:
        repository = self._world.repository
        base = read_base_map(repository)
        instance, entry = next(instances_of(base.entries), (None, None))
        if instance is None or entry is None:
            raise BadInput("no entry of the map names a manifest; build a new world with `logcache local reset`")
        plain = json.loads(base.text)
        plain[instance.prototype][instance.database]["last_t"] = entry.last_t + 1
        edited = json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        repository.commit_to_base({MAP_PATH: edited}, f"Correct last_t of {instance.name}")
        return (
            f"{repository.base_branch} says last_t {entry.last_t + 1} for {instance.name}, "
            f"the data ends at {entry.last_t}"
        )

    def hand_written_map(self) -> str:
        """Leave last_t and paths alone in every entry, as people and their scripts wrote them, and no manifest."""
        repository = self._world.repository
        entries = dict(all_instances_of(read_base_map(repository).entries))
        for manifest in (folder_of(entry.log).manifest for entry in entries.values()):
            with suppress(ObjectNotFoundError):
                self._world.store.head(manifest)
                self._world.world_buckets.remove(manifest)
        repository.commit_to_base({MAP_PATH: written_by_hand(entries)}, "Point to the new caches")
        return f"the map on {repository.base_branch} has last_t and paths alone, and {len(entries)} manifests are gone"

    def empty_contract(self) -> str:
        self._world.faults.arm(EMPTY_CONTRACT, self._contract())
        return f"test runs of Itaipu commit {self._contract()} without rows from now on"

    def wrong_value(self) -> str:
        self._world.faults.arm(WRONG_VALUE, self._contract())
        return f"test runs of Itaipu cut one text in {self._contract()} short from now on"

    def stale_reader(self) -> str:
        newest = self._newest_chain()[-1]
        self._world.faults.arm(STALE_READER, newest.instance.name)
        return (
            f"test runs of Itaipu do not read the newest segment of {newest.instance.name}, t in "
            f"({newest.last_batch_t}, {newest.last_t}], from now on"
        )

    def _contract(self) -> str:
        definition = self._definitions()[0]
        return contract_dataset(definition.database, definition.entities[0].name)

    def _newest_chain(self) -> tuple[Segment, ...]:
        """The segments of the instance that has the most."""
        chains = [self._world.segment_index.segments(instance) for instance in self._instances()]
        longest = max(chains, key=len)
        if len(longest) < 2:  # noqa: PLR2004 - a neighbour is needed
            raise BadInput("no instance of this world has two segments; build it from more data")
        return longest

    def _instances(self) -> Iterator[Instance]:
        for definition in self._definitions():
            yield from definition.instances

    def _definitions(self) -> tuple[DatabaseDefinition, ...]:
        repository = self._world.repository
        return read_definitions(repository, ref=repository.base_branch)

    def _raw_dataset(self) -> str:
        return raw_entities_dataset(next(self._instances()))

    def _night(self) -> Transaction:
        found = self._world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)
        if not found:
            raise BadInput("this world has no nightly transaction; let one run with `logcache local night`")
        return found[0]

    def _permanent_logs(self) -> Iterator[PermanentLog]:
        """Cached logs that were already copied from the newest night."""
        night = self._night()
        for definition in self._definitions():
            uri = self._world.settings.locations.permanent_log(transaction=night.id, database=definition.database)
            if document := Documents(self._world.store).find(uri, PermanentLog):
                yield document
