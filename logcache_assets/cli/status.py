"""`logcache status`: what is active, what is proposed, and what the last verdict said."""

from collections.abc import Iterator
from typing import cast

from logcache_assets.cli.output import Result, table
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, MapEntry, entry_of, parse_map
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Ports
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings


def run(settings: Settings) -> Result:
    """The state of every instance of the active map, and the newest candidate with its verdict."""
    world = World(settings)
    world.require()
    ports = world.ports()
    active = parse_map(ports.repository.read(MAP_PATH, ref="main"), where=f"{MAP_PATH} on main")
    candidate = newest_candidate(settings, ports)
    proposed = {change.instance: change.last_t for change in candidate.changes} if candidate else {}
    instances = [
        Instance(database=database, prototype=prototype) for prototype in active for database in active[prototype]
    ]
    return {
        "now": utc_text(ports.clock.now()),
        "instances": [
            _instance(instance, entry, proposed.get(instance.name), ports)
            for instance in sorted(instances)
            if (entry := entry_of(active, instance))
        ],
        "candidate": _candidate(settings, ports, candidate) if candidate else None,
        "pull_requests": [
            {"number": p.number, "state": p.state, "title": p.title, "url": p.url}
            for p in ports.repository.pull_requests()
        ],
    }


def _instance(instance: Instance, entry: MapEntry, proposed_t: int | None, ports: Ports) -> dict[str, object]:
    return {
        "instance": instance.name,
        "active_t": entry.last_t,
        "candidate_t": proposed_t,
        "index_t": ports.segment_index.newest_t(instance),
        "age_days": (ports.clock.now() - entry.source_read_at).days,
        "transaction": entry.transaction,
    }


def newest_candidate(settings: Settings, ports: Ports) -> Candidate | None:
    """The candidate that was committed last; of several at one instant the one that reaches further."""
    documents = Documents(ports.store)
    listed = [
        item
        for item in ports.store.list_objects(settings.locations.documents)
        if item.uri.split("/")[-2] == "log_cache_candidate"
    ]
    newest = max((item.modified_at for item in listed), default=None)
    found = [documents.read(item.uri, Candidate) for item in listed if item.modified_at == newest]
    return max(found, key=lambda candidate: sum(change.last_t for change in candidate.changes), default=None)


def _candidate(settings: Settings, ports: Ports, candidate: Candidate) -> dict[str, object]:
    uri = settings.locations.document(
        transaction=candidate.transaction, stage="validation_report", name=candidate.selection
    )
    verdict = Documents(ports.store).find(uri, Verdict)
    decided = verdict and verdict.binding and verdict.binding.candidate_sha == candidate.sha
    return {
        "transaction": candidate.transaction,
        "itaipu_version": candidate.version,
        "branch": candidate.branch,
        "verdict": ("approved" if verdict.approved else "refused") if verdict and decided else "none yet",
        "reasons": [str(reason) for reason in verdict.reasons] if verdict and decided else [],
    }


def render(result: Result) -> Iterator[str]:
    """The state for a person."""
    rows = [
        (i["instance"], i["active_t"], i["candidate_t"], i["index_t"], i["age_days"])
        for i in cast("list[dict[str, object]]", result["instances"])
    ]
    yield f"It is {result['now']}."
    yield ""
    yield from table(("instance", "active t", "candidate t", "index t", "age in days"), rows)
    yield ""
    candidate = cast("dict[str, object] | None", result["candidate"])
    if candidate is None:
        yield "No candidate was ever built; `logcache refresh` builds one."
        return
    yield f"Candidate {candidate['itaipu_version']} on {candidate['branch']}: verdict {candidate['verdict']}"
    for reason in cast("list[str]", candidate["reasons"]):
        yield f"  {reason}"
    for pull_request in cast("list[dict[str, object]]", result["pull_requests"]):
        yield f"Pull request #{pull_request['number']}, {pull_request['state']}: {pull_request['url']}"
