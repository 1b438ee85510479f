"""What must not have happened twice in a week, and what must not be left of it."""

import json
from collections import Counter

from logcache_assets.domain.documents import TestRun
from logcache_assets.domain.locations import Stage, stage_of
from logcache_assets.domain.log_cache_map import all_instances_of
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.world import World
from logcache_assets.ports import PullRequest
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map


def notebook_runs_made_twice(world: World) -> list[str]:
    """The requests for which the notebook ran more than once."""
    files = world.files.notebook_runs.glob("*/parameters.json")
    asked = Counter(_request(file.read_text(encoding="utf-8")) for file in files)
    return [request for request, number in asked.items() if number > 1]


def _request(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def superfluous_test_runs(world: World) -> set[str]:
    """The test runs that Itaipu made and no candidate stands on: another one was made in its place."""
    made = {row.id for row in world.metapod_store.find_transactions(types=[TransactionType.CUSTOM])}
    documents = Documents(world.store)
    uris = list(world.store.list_uris(world.settings.locations.documents))
    return made - {documents.read(uri, TestRun).transaction for uri in uris if stage_of(uri) == Stage.TEST_RUN}


def pull_requests(world: World) -> list[PullRequest]:
    """All of them."""
    files = world.files.pull_requests.glob("*.json")
    return [world.repository.pull_request(int(file.stem)) for file in files]


def branches_proposed_twice(world: World) -> list[str]:
    """The branches of more than one pull request."""
    branches = Counter(found.branch for found in pull_requests(world))
    return [branch for branch, number in branches.items() if number > 1]


def unpublished(world: World, nights: list[str]) -> list[str]:
    """The nights that were neither merged nor are superseded by a newer one that was."""
    merged = {found.branch for found in pull_requests(world) if found.state == "merged"}
    newest = max((n for n, night in enumerate(nights) if any(night[:8] in b for b in merged)), default=-1)
    return nights[newest + 1 :]


def active_nights(world: World) -> dict[str, str | None]:
    """Instance → the night that wrote its active cache."""
    entries = dict(all_instances_of(read_base_map(world.repository).entries))
    return {instance.name: getattr(entry, "transaction", None) for instance, entry in entries.items()}
