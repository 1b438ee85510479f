"""Asks every configured system what a refresh will ask of it, and judges the answers; nothing is changed.

A probe is a question, and what the domain makes of its answer. A question without an answer has failed, and the error
has the remedy. Probes do not build on each other, so one failure hides no other. Only `write` writes, below one folder.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from logcache_assets.catalog import Catalog
from logcache_assets.domain.health import (
    Finding,
    failed,
    judge_clock,
    judge_encryption,
    judge_expiry_of_caches,
    judge_expiry_of_runs,
    judge_listing,
    judge_newest_items,
    judge_nights,
    judge_owner,
    judge_versioning,
    warned,
)
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import PROBE_FOLDER
from logcache_assets.domain.log_cache_map import all_instances_of, unproven_of
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Ports
from logcache_assets.ports.bucket_facts import BucketFacts
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.settings import Settings

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question to a system."""

    system: str
    check: str
    """What it finds out."""
    ask: Callable[[], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A probe's finding."""

    system: str
    check: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Makes the probes of a deployment."""

    ports: Ports
    buckets: BucketFacts
    settings: Settings
    catalog: Callable[[], Catalog]
    """Loads the catalog of contract definitions."""
    find_key: Callable[[], bytes | None]
    """Finds the key of personal data."""
    sabesp: Path
    now: Callable[[], datetime]
    """This computer's time, whatever the platform's is."""
    others: tuple[Probe, ...] = ()
    """Of what the ports do not reach."""

    def examine(self, *, write: bool) -> tuple[Examined, ...]:
        """Ask all probes, several at once; in a fixed order.

        Args:
            write: also try to write, below `cache/_doctor/` of the permanent bucket.
        """
        probes = tuple(self.probes(write=write))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(_asked, probes)
            return tuple(
                Examined(system=probe.system, check=probe.check, finding=finding)
                for probe, finding in zip(probes, found, strict=True)
            )

    def probes(self, *, write: bool) -> Iterator[Probe]:
        """All probes of this deployment."""
        yield from self._of_runs(self.settings.ephemeral_bucket)
        yield from self._of_caches(self.settings.permanent_bucket, write=write)
        yield Probe(system="clock", check="skew", ask=self._clock)
        yield Probe(system="catalog", check="definitions", ask=self._catalog)
        yield Probe(system="segment index", check="newest item", ask=self._index)
        yield Probe(system="segment index", check="newest file", ask=self._segment_file)
        yield Probe(system="metapod", check="nightly runs", ask=self._metapod)
        yield Probe(system="metapod", check="one run", ask=self._one_run)
        for check, question in self.ports.notebook_runner.checks().items():
            yield Probe(system="notebook", check=check, ask=_finding_of(question))
        yield Probe(system="sabesp", check="executable", ask=self._executable)
        yield Probe(system="sabesp", check="stop command", ask=self._stop_command)
        yield Probe(system="itaipu repository", check="map", ask=self._map)
        yield Probe(system="personal data", check="key", ask=self._key)
        yield from self.others

    def _of_runs(self, bucket: str) -> Iterator[Probe]:
        system, account = f"bucket {bucket}", self.settings.ephemeral_account
        yield Probe(system=system, check="reached", ask=lambda: self._reached(bucket))
        if self._is_on_s3:
            yield Probe(
                system=system, check="owner", ask=lambda: self._owned(bucket, account, "LOGCACHE_EPHEMERAL_ACCOUNT")
            )
        yield from self._reads(system, f"s3://{bucket}/")
        yield Probe(
            system=system, check="lifecycle", ask=lambda: judge_expiry_of_runs(self.ports.store.lifecycle(bucket))
        )

    def _of_caches(self, bucket: str, *, write: bool) -> Iterator[Probe]:
        system = f"bucket {bucket}"
        yield Probe(system=system, check="reached", ask=lambda: self._reached(bucket))
        yield from self._reads(system, self.settings.locations.caches)
        yield Probe(
            system=system, check="lifecycle", ask=lambda: judge_expiry_of_caches(self.ports.store.lifecycle(bucket))
        )
        if self._is_on_s3:
            yield from self._of_permanence(system, bucket)
        if write:
            yield Probe(system=system, check="written", ask=lambda: self._written(bucket))

    def _of_permanence(self, system: str, bucket: str) -> Iterator[Probe]:
        """What keeps objects on S3 from others and from mistakes; a folder has nothing of it."""
        account, key = self.settings.permanent_account, self.settings.permanent_kms_key
        yield Probe(
            system=system, check="owner", ask=lambda: self._owned(bucket, account, "LOGCACHE_PERMANENT_ACCOUNT")
        )
        yield Probe(system=system, check="versioning", ask=lambda: judge_versioning(self.buckets.versioning(bucket)))
        yield Probe(
            system=system,
            check="encryption",
            ask=lambda: judge_encryption(self.buckets.encryption(bucket), wanted_key=key),
        )

    @property
    def _is_on_s3(self) -> bool:
        return self.settings.store == "s3"

    def _owned(self, bucket: str, account: str | None, variable: str) -> Finding:
        if account:
            self.buckets.reach(bucket)
        return judge_owner(account, variable)

    def _reads(self, system: str, prefix_uri: str) -> Iterator[Probe]:
        yield Probe(system=system, check="listed", ask=lambda: self._listed(prefix_uri))
        yield Probe(system=system, check="read", ask=lambda: self._read(prefix_uri))

    def _read(self, prefix_uri: str) -> Finding:
        page = next(self.ports.store.list_pages(prefix_uri), ())
        # The probe of another doctor, or of this one, may be gone before it is read.
        lasting = [found.uri for found in page if f"/{PROBE_FOLDER}" not in found.uri]
        if not lasting:
            return Finding(found="there is nothing to read")
        return Finding(found=f"{self.ports.store.head(lasting[0]).size_bytes:,} bytes of one object")

    def _reached(self, bucket: str) -> Finding:
        self.buckets.reach(bucket)
        return Finding(found="there, and it answers")

    def _listed(self, prefix_uri: str) -> Finding:
        page = next(self.ports.store.list_pages(prefix_uri), ())
        return Finding(found=f"{count_of(len(page), 'object')} on the first page" if page else "empty")

    def _written(self, bucket: str) -> Finding:
        if self.buckets.try_writing(bucket):
            return Finding(found="written, read and deleted again")
        return Finding(found=f"written and read; it stays in {PROBE_FOLDER}, because nobody here may delete")

    def _clock(self) -> Finding:
        return judge_clock(self.buckets.reach(self.settings.permanent_bucket), self.now())

    def _catalog(self) -> Finding:
        catalog = self.catalog()
        if not catalog:
            return failed("no database is defined", "run `logcache catalog pull`")
        return Finding(found=count_of(len(catalog), "database"))

    def _index(self) -> Finding:
        instances = [instance for definition in self.catalog() for instance in definition.instances]
        newest = {instance.name: at for instance, at in ask_each(instances, self._newest_extraction).items()}
        return judge_newest_items(newest, now=self.ports.clock.now())

    def _segment_file(self) -> Finding:
        declared = (instance for definition in self.catalog() for instance in definition.instances)
        newest = next((found for instance in declared if (found := self._newest_segment(instance))), None)
        if newest is None:
            return Finding(found="there is nothing to read")
        return Finding(found=f"{self.ports.store.head(newest.path).size_bytes:,} bytes, of {newest.instance.name}")

    def _newest_extraction(self, instance: Instance) -> datetime | None:
        newest = self._newest_segment(instance)
        return newest.extracted_at if newest else None

    def _newest_segment(self, instance: Instance) -> Segment | None:
        newest_t = self.ports.segment_index.newest_t(instance)
        newest = self.ports.segment_index.segments(instance, after_t=newest_t - 1) if newest_t else ()
        return newest[-1] if newest else None

    def _nights(self) -> tuple[Transaction, ...]:
        """The nights that metapod lists: those of every country, each with the datasets of ours alone."""
        since = self.ports.clock.now() - timedelta(days=self.settings.lookback_days)
        return self.ports.metapod.transactions(TransactionType.DAILY, since=since)

    def _metapod(self) -> Finding:
        return judge_nights(sum(bool(night.datasets) for night in self._nights()), days=self.settings.lookback_days)

    def _one_run(self) -> Finding:
        """Whether both queries of metapod show one night alike: they may be the deployment's own.

        The oldest one, in which nothing changes any more.
        """
        listed = next((night for night in reversed(self._nights()) if night.datasets), None)
        if listed is None:
            return Finding(found="there is nothing to read")
        return judge_listing(listed, self.ports.metapod.transaction(listed.id))

    def _executable(self) -> Finding:
        if shutil.which(self.sabesp) is None:
            why = "may not be run" if os.path.lexists(self.sabesp) else "is not there"
            return failed(f"{self.sabesp} {why}", "install sabesp, or name its executable in LOGCACHE_SABESP")
        return Finding(found=str(self.sabesp))

    def _stop_command(self) -> Finding:
        command = self.settings.stop_command
        if command is None:
            return warned("there is none: the cluster of a cancelled run stays", "name one in LOGCACHE_SABESP_STOP")
        if shutil.which(command.program) is None:
            return failed(f"{command.program} cannot be run", "correct LOGCACHE_SABESP_STOP")
        return Finding(found=str(command))

    def _map(self) -> Finding:
        base = read_base_map(self.ports.repository)
        entries, unproven = tuple(all_instances_of(base.entries)), unproven_of(base.entries)
        found = f"{count_of(len(entries), 'instance')} at {base.sha[:8]}"
        if unproven:
            return warned(f"{found}, of which {len(unproven):,} name no manifest", "prove them with `logcache adopt`")
        return Finding(found=found)

    def _key(self) -> Finding:
        if self.find_key() is None:
            return warned("there is none yet", "set LOGCACHE_PII_KEY to the deployment's key")
        return Finding(found="found")


def _finding_of(question: Callable[[], str]) -> Callable[[], Finding]:
    return lambda: Finding(found=question())


def _asked(probe: Probe) -> Finding:
    """What a probe found; an error of a system is a finding, too."""
    try:
        return probe.ask()
    except LogCacheError as error:
        found, _, remedy = str(error).rpartition("; ")
        return failed(found or remedy, remedy if found else "remove the cause and run again")
