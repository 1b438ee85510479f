"""`logcache status`: shows active caches, and every candidate with its verdict, obstacles and own pull request."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.alert_status import AlertsStatus, alert_lines, find_alerts
from logcache_assets.cli.output import Result, table
from logcache_assets.cli.platform import open_platform
from logcache_assets.domain.adoption import unproven_problem
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Stage, stage_of
from logcache_assets.domain.log_cache_map import MAP_PATH, AnyEntry, MapEntry, all_instances_of
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.selections import ALL
from logcache_assets.domain.soundness import stale_problem
from logcache_assets.domain.wording import sentence_of
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.errors import LogCacheError, Unavailable, WrongData
from logcache_assets.ports import Ports, PullRequest, StoredObject
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.find_candidate import find_candidate
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
    """The last t that the newest candidate proposes; None if it does not change this instance. Each candidate names
    its own in `proposed_t`."""
    index_t: int
    """The last t of its newest segment."""
    age_days: int | None
    """Whole days since the active cache's segments were read; None if the map does not prove it."""
    transaction: str | None
    """The nightly run that wrote the active cache; None as above."""
    stale: str | None
    """What shows that the active cache may hold deleted personal data (C7); None if nothing does."""
    unproven: str | None
    """What a map that was written by hand does not prove (C14), and what to do; None for a cache with a manifest."""


class PullRequestStatus(Result, frozen=True, kw_only=True):
    """One pull request of the itaipu repository."""

    number: int
    state: str
    title: str
    url: str
    obstacles: list[str]
    """Reasons for which it must not be merged now; empty if it may be."""


class CandidateStatus(Result, frozen=True, kw_only=True):
    """One candidate: the newest, or one whose pull request is open."""

    transaction: str
    """The nightly run that it builds on."""
    itaipu_version: str
    branch: str
    proposed_t: dict[str, int]
    """Instance → the last t that it proposes."""
    pull_request: PullRequestStatus | None
    """Its own, if it is open."""
    verdict: str
    """`approved`, `refused` or `none yet`."""
    reasons: list[str]
    """Why it was refused."""
    obstacles: list[str]
    """Reasons for which no pull request of it could be opened now; empty if one is open or merged."""


class StatusResult(Result, frozen=True, kw_only=True):
    """The result of `logcache status`."""

    now: str
    """The platform's time, ISO-8601 UTC."""
    next: str
    """What is done next about a refresh of the whole catalog, as the sensor says it."""
    instances: list[InstanceStatus]
    candidate: CandidateStatus | None
    """The newest; None if no candidate was ever committed."""
    candidates: list[CandidateStatus]
    """The newest, and every older one whose pull request is open; each with its own pull request."""
    pull_requests: list[PullRequestStatus]
    """All that are open and change the map, also those of people."""
    alerts: AlertsStatus


def run(settings: Settings) -> StatusResult:
    """Describe every instance of the active map, and the newest candidate with its verdict."""
    ports = open_platform(settings)
    active = read_base_map(ports.repository).entries
    entries = dict(all_instances_of(active))
    newest = newest_candidate(settings, ports)
    proposed = {change.instance: change.last_t for change in newest.changes} if newest else {}
    shown = tuple(ports.repository.open_pull_requests(changing=MAP_PATH))
    pull_requests = list(_pull_requests(settings, ports, shown))
    candidates = [
        _candidate(settings, ports, candidate, pull_requests)
        for candidate in _candidates(settings, ports, newest, shown)
    ]
    return StatusResult(
        now=utc_text(ports.clock.now()),
        next=_next(settings, ports),
        instances=list(
            ask_each(sorted(entries), lambda i: _instance(i, entries[i], proposed.get(i.name), ports)).values()
        ),
        candidate=candidates[0] if newest else None,
        candidates=candidates,
        pull_requests=pull_requests,
        alerts=find_alerts(settings),
    )


def _pull_requests(settings: Settings, ports: Ports, open_now: Sequence[PullRequest]) -> Iterator[PullRequestStatus]:
    judge = MergeJudge(publisher_of(ports, settings))
    for shown in open_now:
        obstacles = _told(partial(judge.find_problems, judge.ref_of(shown)))
        yield PullRequestStatus(
            number=shown.number, state=shown.state, title=shown.title, url=shown.url, obstacles=obstacles
        )


def _candidates(
    settings: Settings, ports: Ports, newest: Candidate | None, open_now: Sequence[PullRequest]
) -> list[Candidate]:
    """The newest candidate, then those of open pull requests that are another one, newest pull request first."""
    found = {newest.branch: newest} if newest else {}
    for shown in open_now:
        if shown.branch not in found:
            with suppress(WrongData):  # what is on the branch of a person is told by its pull request
                own = find_candidate(shown.branch, ports.store, ports.repository, settings.locations)
                found |= {shown.branch: own} if own else {}
    return list(found.values())


def _next(settings: Settings, ports: Ports) -> str:
    """The sentence of the next step, or why there is none."""
    try:
        catalog = load_catalog(settings.catalog_folder)
        asked = Asked(databases=catalog, selection=ALL, is_going_on=is_held(settings.home_folder))
        return look_ahead(asked, ports=ports, settings=settings).step.sentence
    except LogCacheError as error:
        return str(error)


def _instance(instance: Instance, entry: AnyEntry, proposed_t: int | None, ports: Ports) -> InstanceStatus:
    proven = entry if isinstance(entry, MapEntry) else None
    return InstanceStatus(
        instance=instance.name,
        active_t=entry.last_t,
        candidate_t=proposed_t,
        index_t=ports.segment_index.newest_t(instance),
        age_days=(ports.clock.now() - proven.source_read_at).days if proven else None,
        transaction=proven.transaction if proven else None,
        stale=_stale(instance, proven, ports) if proven else None,
        unproven=None if isinstance(entry, MapEntry) else str(unproven_problem(instance, entry)),
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


def _candidate(
    settings: Settings, ports: Ports, candidate: Candidate, pull_requests: Sequence[PullRequestStatus]
) -> CandidateStatus:
    uri = settings.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
    verdict = Documents(ports.store).find(uri, Verdict)
    proposal = ports.repository.open_pull_request(candidate.branch)
    is_proposed = proposal is not None and proposal.head_sha == candidate.sha
    obstacles = [] if is_proposed else _told(partial(find_obstacles, candidate, ports=ports, settings=settings))
    decided = verdict and verdict.binding and verdict.binding.candidate_sha == candidate.sha
    return CandidateStatus(
        transaction=candidate.transaction,
        itaipu_version=candidate.version,
        branch=candidate.branch,
        proposed_t={change.instance: change.last_t for change in candidate.changes},
        pull_request=next((shown for shown in pull_requests if proposal and shown.number == proposal.number), None),
        verdict=("approved" if verdict.approved else "refused") if verdict and decided else "none yet",
        reasons=[str(reason) for reason in verdict.reasons] if verdict and decided else [],
        obstacles=obstacles,
    )


def _told(find: Callable[[], Iterable[Problem]]) -> list[str]:
    """Every problem; while metapod is out, why nobody knows them: the rest of the status is needed then, too."""
    try:
        return [str(problem) for problem in find()]
    except Unavailable as error:
        return [f"whether it may be is not known: {error}"]


def render(result: StatusResult) -> Iterator[str]:
    """A table of the instances, then each candidate with its verdict and its pull request, then those of people."""
    own = [_short_name(candidate) for candidate in result.candidates]
    rows = [
        (i.instance, i.active_t, *(c.proposed_t.get(i.instance) for c in result.candidates), i.index_t, i.age_days)
        for i in result.instances
    ]
    yield f"It is {result.now}."
    yield ""
    yield from table(("instance", "active t", *(f"t of {name}" for name in own), "index t", "age in days"), rows)
    yield from (f"  the active cache of {told}" for i in result.instances for told in (i.stale, i.unproven) if told)
    yield ""
    yield sentence_of(result.next)
    yield from alert_lines(result.alerts)
    if not result.candidates:
        yield "No candidate was ever built; `logcache refresh` builds one."
    for candidate in result.candidates:
        yield from _candidate_lines(candidate)
    shown = {candidate.pull_request.number for candidate in result.candidates if candidate.pull_request}
    for pull_request in result.pull_requests:
        if pull_request.number not in shown:
            yield from _pull_request_lines(pull_request)


def _short_name(candidate: CandidateStatus) -> str:
    """`#2` for a candidate with a pull request, its Itaipu version for another."""
    return f"#{candidate.pull_request.number}" if candidate.pull_request else candidate.itaipu_version


def _candidate_lines(candidate: CandidateStatus) -> Iterator[str]:
    yield f"Candidate {candidate.itaipu_version} on {candidate.branch}: verdict {candidate.verdict}"
    yield from (f"  {reason}" for reason in candidate.reasons)
    yield from (f"  in the way of publishing it: {obstacle}" for obstacle in candidate.obstacles)
    if candidate.pull_request:
        yield from (f"  {line}" for line in _pull_request_lines(candidate.pull_request))


def _pull_request_lines(shown: PullRequestStatus) -> Iterator[str]:
    yield f"Pull request #{shown.number}, {shown.state}: {shown.url}"
    yield from (f"  must not be merged now: {obstacle}" for obstacle in shown.obstacles)
