"""`logcache copy`: copies any folder of objects with proof, or says what that would cost."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from logcache_assets.cli.copy_progress import shown_progress
from logcache_assets.cli.output import Result
from logcache_assets.connect import connect, require_platform
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.copying import CopyEstimate, estimate_copy
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import LogCacheError, Refused, WrongUsage
from logcache_assets.ports import Ports, Tell
from logcache_assets.refresh.copying.copy_folder import FolderCopy
from logcache_assets.refresh.copying.copy_meter import ignore
from logcache_assets.refresh.copying.ledger import Ledger, ledger_file, open_ledger
from logcache_assets.settings import Settings

TOLD_FAILURES = 20


class CopyResult(Result, frozen=True, kw_only=True):
    """The result of `logcache copy`."""

    source: str
    destination: str
    dry_run: bool
    objects: int
    """At the source."""
    size_bytes: int
    copied: int
    """Objects that this call copied, or would copy; the others were there already."""
    requests: int
    dollars: float
    """Of the requests, estimated."""
    minutes: float
    """Estimated if nothing was copied, otherwise measured."""
    expires_at: datetime | None
    """When the first source is deleted."""
    manifest: str | None


def run(  # noqa: PLR0913 - one parameter per option of the command
    settings: Settings, source: str, destination: str, *, dry_run: bool, manifest: str | None, tell: Tell
) -> CopyResult:
    """Copy a folder; prints every object that was not copied.

    Raises:
        WrongUsage: an argument is no folder of an object store, or the folders lie in each other.
        LogCacheError: an object was not copied, or the copy is not proven; no manifest was written.
    """
    source, destination = _folder(source, "SRC"), _folder(destination, "DST")
    if source.startswith(destination) or destination.startswith(source):
        raise WrongUsage(f"{destination} and {source} lie in each other; name two separate folders")
    ports = _ports(settings)
    if manifest is not None and not dry_run:
        _require_new(manifest, ports)
    with _ledger(settings, source, destination, dry_run=dry_run) as ledger, shown_progress(tell) as progress:
        copy = FolderCopy(
            store=ports.store,
            clock=ports.clock,
            ledger=ledger,
            source=source,
            destination=destination,
            data_only=False,
            asked_at_once=settings.copy_threads,
            progress=ignore if dry_run else progress,
        )
        began = time.monotonic()
        inventory = copy.freeze()
        copy.look() if dry_run else copy.compare()
        missing, estimate = ledger.inventory(missing_only=True), _estimate(ledger, settings)
        _require_time(missing.expires_at, estimate, ports)
        if not dry_run:
            _copy(copy, settings, tell)
            _write_manifest(manifest, copy, ports)
        minutes = estimate.time.total_seconds() if dry_run else time.monotonic() - began
        return CopyResult(
            source=source,
            destination=destination,
            dry_run=dry_run,
            objects=inventory.objects,
            size_bytes=inventory.size_bytes,
            copied=missing.objects,
            requests=estimate.requests,
            dollars=round(estimate.dollars, 4),
            minutes=round(minutes / 60, 2),
            expires_at=inventory.expires_at,
            manifest=None if dry_run else manifest,
        )


def _ports(settings: Settings) -> Ports:
    """The ports, of which only store and clock are used; a local world is needed only if one of them is its own."""
    if "local" in {settings.store, settings.clock}:
        require_platform(settings)
    return connect(settings)


def _folder(uri: str, argument: str) -> str:
    if not uri.startswith(("s3://", "s3a://")) or not uri.split("/", 3)[3:]:
        raise WrongUsage(f"{argument} {uri!r} is no folder of an object store; write s3://<bucket>/<folder>")
    return "s3://" + uri.partition("://")[2].rstrip("/") + "/"


@contextmanager
def _ledger(settings: Settings, source: str, destination: str, *, dry_run: bool) -> Iterator[Ledger]:
    """The ledger of this copy; of a dry run one that is thrown away."""
    if not dry_run:
        with open_ledger(ledger_file(settings.home_folder, source, destination)) as ledger:
            yield ledger
        return
    with tempfile.TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.sqlite") as ledger:
        yield ledger


def _estimate(ledger: Ledger, settings: Settings) -> CopyEstimate:
    missing = ledger.inventory(missing_only=True)
    return estimate_copy(
        objects=missing.objects,
        size_bytes=missing.size_bytes,
        listed=ledger.inventory().objects,
        large_bytes=ledger.large(settings.multipart_copy_bytes),
    )


def _require_time(expires_at: datetime | None, estimate: CopyEstimate, ports: Ports) -> None:
    """Refuse what may expire before it is copied, at twice the estimated time (C12)."""
    if expires_at is not None and expires_at - ports.clock.now() < 2 * estimate.time:
        problem = (
            f"the first source expires at {utc_text(expires_at)}, and the copy may take twice "
            f"{estimate.time.total_seconds() / 60:.1f} minutes: nothing was copied"
        )
        raise Refused.of(Problem(code="C12", found=(problem,), remedy="copy from a newer night"))


def _copy(copy: FolderCopy, settings: Settings, tell: Tell) -> None:
    try:
        copy.copy_missing()
    except LogCacheError:
        _tell_failures(copy, settings, tell)
        raise
    copy.prove()


def _tell_failures(copy: FolderCopy, settings: Settings, tell: Tell) -> None:
    """Name every object that was not copied: the first on the terminal, all of them in a file."""
    file = ledger_file(settings.home_folder, copy.source, copy.destination).with_suffix(".failures")
    with file.open("w", encoding="utf-8") as lines:
        for name, error in copy.ledger.failures():
            lines.write(f"{name}\t{error}\n")
    for name, error in islice(copy.ledger.failures(), TOLD_FAILURES):
        tell(f"  {name}: {error}")
    tell(f"  every object that was not copied is named in {file}")


def _require_new(manifest: str, ports: Ports) -> None:
    """Refuse a manifest that exists, before anything is copied."""
    there = next(ports.store.list_uris(manifest), None) == manifest if _is_uri(manifest) else Path(manifest).exists()
    if there:
        raise WrongUsage(f"--manifest {manifest} exists and is never overwritten; name another one")


def _is_uri(manifest: str) -> bool:
    return manifest.startswith("s3://")


def _write_manifest(manifest: str | None, copy: FolderCopy, ports: Ports) -> None:
    """Write one JSON object per copy, in the order of names (docs/formats.md)."""
    if manifest is None:
        return
    lines = (
        json.dumps({"name": e.name, "size_bytes": e.size_bytes, "etag": e.copy_etag, "checksum": e.copy_checksum})
        for e in copy.ledger.entries()
    )
    if _is_uri(manifest):
        ports.store.create(manifest, "".join(f"{line}\n" for line in lines).encode())
        return
    with Path(manifest).open("x", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def render(result: CopyResult) -> Iterator[str]:
    """What was copied, or would be; then what it costs, and until when."""
    there = result.objects - result.copied
    verb = "would copy" if result.dry_run else "copied"
    before = f"; {there:,} were there already" if there else ""
    yield f"{verb} {result.copied:,} of {result.objects:,} objects ({result.size_bytes:,} bytes in all){before}"
    about = "about " if result.dry_run else ""
    yield f"{result.requests:,} requests, about ${result.dollars:.2f}, {about}{result.minutes:.1f} minutes"
    if result.expires_at is not None:
        yield f"the first source expires at {utc_text(result.expires_at)}"
    if not result.dry_run:
        named = f"; the manifest is {result.manifest}" if result.manifest else ""
        yield f"every copy is proven by its checksum{named}"
