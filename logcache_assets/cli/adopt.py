"""`logcache adopt`: proves the caches of a map that was written by hand, and proposes the canonical map."""

from collections.abc import Iterator

from logcache_assets.adapters.scratch import DriverName, open_driver
from logcache_assets.cli.output import Result, table
from logcache_assets.cli.platform import open_platform
from logcache_assets.cli.refresh_result import PullRequestLink
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.wording import count_of
from logcache_assets.ports import Tell
from logcache_assets.refresh.adopt import Adopter, Adoption
from logcache_assets.refresh.prove_entries import EntryProver, ProvenCache
from logcache_assets.settings import Settings


class AdoptedCache(Result, frozen=True, kw_only=True):
    """A cache that was proven."""

    instance: str
    last_t: int
    datoms: int
    files: int
    size_bytes: int
    source_read_at: str
    """The newest extraction that it was found to equal, ISO-8601 UTC."""


class Reason(Result, frozen=True, kw_only=True):
    """Why an entry was left as it is."""

    code: str | None
    text: str
    """What was found, why that is no proof, and what to do."""


class LeftEntry(Result, frozen=True, kw_only=True):
    """An entry that is not proven; runs read the segments in its place."""

    instance: str
    reasons: list[Reason]


class AdoptResult(Result, frozen=True, kw_only=True):
    """The result of `logcache adopt`."""

    adopted: list[AdoptedCache]
    """With `--dry-run`, what would be."""
    left: list[LeftEntry]
    pull_request: PullRequestLink | None
    """None if nothing was proposed."""
    dry_run: bool


def run(
    settings: Settings, *, databases: tuple[str, ...], driver: DriverName, dry_run: bool, tell: Tell
) -> AdoptResult:
    """Prove what can be proven and propose it.

    Raises:
        WrongUsage: the map has none of these databases.
        LogCacheError: the map is malformed, or an outside system could not answer.
    """
    ports = open_platform(settings)
    with open_driver(driver) as running:
        prover = EntryProver(
            store=ports.store,
            segment_index=ports.segment_index,
            clock=ports.clock,
            settings=settings,
            driver=running,
            tell=tell,
        )
        adopter = Adopter(store=ports.store, repository=ports.repository, prover=prover)
        return _told(adopter.adopt(databases, dry_run=dry_run), dry_run=dry_run)


def _told(adoption: Adoption, *, dry_run: bool) -> AdoptResult:
    proposed = adoption.pull_request
    return AdoptResult(
        adopted=[_adopted(instance, cache) for instance, cache in adoption.proven.items()],
        left=[
            LeftEntry(instance=i.name, reasons=[Reason(code=p.code, text=str(p)) for p in problems])
            for i, problems in adoption.left.items()
        ],
        pull_request=PullRequestLink(number=proposed.number, url=proposed.url) if proposed else None,
        dry_run=dry_run,
    )


def _adopted(instance: Instance, cache: ProvenCache) -> AdoptedCache:
    log, entities = cache.manifest.log, cache.manifest.materialized_entities
    return AdoptedCache(
        instance=instance.name,
        last_t=cache.manifest.last_t,
        datoms=log.rows,
        files=len(log.files) + len(entities.files),
        size_bytes=log.size_bytes + entities.size_bytes,
        source_read_at=utc_text(cache.manifest.source_read_at),
    )


def render(result: AdoptResult) -> Iterator[str]:
    """A table of what was proven, then every entry that was left, with what to do."""
    if not result.adopted and not result.left:
        yield "Nothing to adopt: every entry of the map names its manifest."
        return
    if result.adopted:
        rows = [(c.instance, c.last_t, c.datoms, c.files, c.size_bytes, c.source_read_at) for c in result.adopted]
        yield from table(("instance", "last t", "datoms", "files", "bytes", "equals what was extracted until"), rows)
        yield ""
    for left in result.left:
        yield from (f"Not adopted: {reason.text}" for reason in left.reasons)
    yield _outcome(result)


def _outcome(result: AdoptResult) -> str:
    proven = f"{count_of(len(result.adopted), 'cache')} proven, {len(result.left)} left as they are"
    if result.pull_request:
        return f"{proven}. Pull request: #{result.pull_request.number} {result.pull_request.url}"
    return f"{proven}. " + ("Nothing was written." if result.dry_run else "Nothing was proposed.")
