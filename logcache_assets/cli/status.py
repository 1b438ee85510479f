"""`logcache status`: shows active caches, the newest candidate with its verdict and obstacles, and pull requests."""

from collections.abc import Iterable, Iterator

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.output import Result, table
from logcache_assets.cli.platform import open_platform
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Stage, stage_of
from logcache_assets.domain.log_cache_map import MapEntry, instances_of
from logcache_assets.domain.selections import ALL
from logcache_assets.domain.soundness import stale_problem
from logcache_assets.domain.wording import sentence_of
from logcache_assets.errors import WrongData
from logcache_assets.ports import Ports, StoredObject
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.look_ahead import Asked, look_ahead
from logcache_assets.refresh.publish import find_obstacles, publisher_of
from logcache_assets.settings import Settings


class InstanceStatus(Result, frozen=True, kw_only=True):
    """One instance of the active map."""

    instance: str
    active_t: int
    """The last t of its cache in the active map."""
    candidate_t: int | None
    """The last t that the newest candidate proposes; None if it does not change this instance."""
    index_t: int
    """The last t of its newest segment."""
    age_days: int
    """Whole days since the active cache's segments were read."""
    transaction: str
    """The nightly run that wrote the active cache."""
    stale: str | None
    """What shows that the active cache may hold deleted personal data (C7); None if nothing does."""


class CandidateStatus(Result, frozen=True, kw_only=True):
    """The newest candidate."""

    transaction: str
    """The nightly run that it builds on."""
    itaipu_version: str
    branch: str
    verdict: str
    """`approved`, `refused` or `none yet`."""
    reasons: list[str]
    """Why it was refused."""
    obstacles: list[str]
    """Reasons for which the gate would refuse now; empty if the candidate could be published, or is published."""


class PullRequestStatus(Result, frozen=True, kw_only=True):
    """One pull request of the itaipu repository."""

    number: int
    state: str
    title: str
    url: str
    obstacles: list[str]
    """Reasons for which it must not be merged now; empty if it may be."""


class StatusResult(Result, frozen=True, kw_only=True):
    """The result of `logcache status`."""

    now: str
    """The platform's time, ISO-8601 UTC."""
    next: str
    """What is done next about a refresh of the whole catalog, as the sensor says it."""
    instances: list[InstanceStatus]
    candidate: CandidateStatus | None
    """None if no candidate was ever committed."""
    pull_requests: list[PullRequestStatus]


def run(settings: Settings) -> StatusResult:
    """Describe every instance of the active map, and the newest candidate with its verdict."""
    ports = open_platform(settings)
    active = read_base_map(ports.repository).entries
    candidate = newest_candidate(settings, ports)
    proposed = {change.instance: change.last_t for change in candidate.changes} if candidate else {}
    return StatusResult(
        now=utc_text(ports.clock.now()),
        next=_next(settings, ports),
        instances=[
            _instance(instance, entry, proposed.get(instance.name), ports)
            for instance, entry in sorted(instances_of(active), key=lambda found: found[0])
        ],
        candidate=_candidate(settings, ports, candidate) if candidate else None,
        pull_requests=list(_pull_requests(settings, ports)),
    )


def _pull_requests(settings: Settings, ports: Ports) -> Iterator[PullRequestStatus]:
    judge = MergeJudge(publisher_of(ports, settings))
    for shown in ports.repository.open_pull_requests():
        obstacles = [str(problem) for problem in judge.find_problems(shown.branch)]
        yield PullRequestStatus(
            number=shown.number, state=shown.state, title=shown.title, url=shown.url, obstacles=obstacles
        )


def _next(settings: Settings, ports: Ports) -> str:
    """The sentence of the next step, or why there is none."""
    try:
        catalog = load_catalog(settings.catalog_folder)
        asked = Asked(databases=catalog, selection=ALL, is_going_on=is_held(settings.home_folder))
        return look_ahead(asked, ports=ports, settings=settings).step.sentence
    except WrongData as error:
        return str(error)


def _instance(instance: Instance, entry: MapEntry, proposed_t: int | None, ports: Ports) -> InstanceStatus:
    return InstanceStatus(
        instance=instance.name,
        active_t=entry.last_t,
        candidate_t=proposed_t,
        index_t=ports.segment_index.newest_t(instance),
        age_days=(ports.clock.now() - entry.source_read_at).days,
        transaction=entry.transaction,
        stale=_stale(instance, entry, ports),
    )


def _stale(instance: Instance, entry: MapEntry, ports: Ports) -> str | None:
    found = ports.segment_index.extracted_since(instance, before_t=entry.last_t, since=entry.source_read_at)
    return str(stale_problem(instance.name, found)) if found else None


def newest_candidate(settings: Settings, ports: Ports) -> Candidate | None:
    """The candidate that was committed last; of several at one instant, that with the largest sum of last t."""
    documents = Documents(ports.store)
    listed = ports.store.list_objects(settings.locations.documents)
    newest = find_newest(item for item in listed if stage_of(item.uri) == Stage.CANDIDATE)
    found = [documents.read(item.uri, Candidate) for item in newest]
    return max(found, key=lambda candidate: sum(change.last_t for change in candidate.changes), default=None)


def find_newest(items: Iterable[StoredObject]) -> tuple[StoredObject, ...]:
    """The objects that were modified last, in their order; holds no others."""
    newest: list[StoredObject] = []
    for item in items:
        if newest and item.modified_at > newest[0].modified_at:
            newest.clear()
        if not newest or item.modified_at == newest[0].modified_at:
            newest.append(item)
    return tuple(newest)


def _candidate(settings: Settings, ports: Ports, candidate: Candidate) -> CandidateStatus:
    uri = settings.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
    verdict = Documents(ports.store).find(uri, Verdict)
    decided = verdict and verdict.binding and verdict.binding.candidate_sha == candidate.sha
    return CandidateStatus(
        transaction=candidate.transaction,
        itaipu_version=candidate.version,
        branch=candidate.branch,
        verdict=("approved" if verdict.approved else "refused") if verdict and decided else "none yet",
        reasons=[str(reason) for reason in verdict.reasons] if verdict and decided else [],
        obstacles=[str(problem) for problem in find_obstacles(candidate, ports=ports, settings=settings)],
    )


def render(result: StatusResult) -> Iterator[str]:
    """A table of the instances, then the candidate with its verdict, then the pull requests."""
    rows = [(i.instance, i.active_t, i.candidate_t, i.index_t, i.age_days) for i in result.instances]
    yield f"It is {result.now}."
    yield ""
    yield from table(("instance", "active t", "candidate t", "index t", "age in days"), rows)
    yield from (f"  the active cache of {i.stale}" for i in result.instances if i.stale)
    yield ""
    yield sentence_of(result.next)
    candidate = result.candidate
    if candidate is None:
        yield "No candidate was ever built; `logcache refresh` builds one."
        return
    yield f"Candidate {candidate.itaipu_version} on {candidate.branch}: verdict {candidate.verdict}"
    yield from (f"  {reason}" for reason in candidate.reasons)
    yield from (f"  in the way of publishing it: {obstacle}" for obstacle in candidate.obstacles)
    for shown in result.pull_requests:
        yield f"Pull request #{shown.number}, {shown.state}: {shown.url}"
        yield from (f"  must not be merged now: {obstacle}" for obstacle in shown.obstacles)
