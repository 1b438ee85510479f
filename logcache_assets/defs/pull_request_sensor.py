"""The sensor that keeps the statuses of open pull requests true. An excision pushes nothing, so nothing else would."""

import time
from collections.abc import Iterator

import dagster as dg

from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, PullRequest, SegmentIndex
from logcache_assets.refresh.merge_statuses import StatusKeeper
from logcache_assets.refresh.publish import Publisher
from logcache_assets.settings import Settings

_BUDGET_SECONDS = 40
"""No judgement begins later, because an evaluation may take 60 seconds."""


DESCRIPTION = (
    "Judges the open pull requests that change the log cache map again, and sets each commit status that changed: "
    "an excision or another merge may have made one unfit since."
)


@dg.sensor(minimum_interval_seconds=300, description=DESCRIPTION)
def open_pull_requests(
    context: dg.SensorEvaluationContext,
    metapod: dg.ResourceParam[Metapod],
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
) -> dg.SkipReason:
    """Judges the open pull requests that change the log cache map again, and sets each status that changed."""
    publisher = Publisher(
        metapod=metapod,
        store=store,
        segment_index=segment_index,
        repository=repository,
        clock=clock,
        settings=settings,
    )
    try:
        shown = tuple(repository.open_pull_requests(changing=MAP_PATH))
    except LogCacheError as error:
        return dg.SkipReason(str(error))
    ordered = _after(context.cursor, shown)
    sentences = list(_kept(ordered, StatusKeeper(publisher)))
    left = len(ordered) - len(sentences)
    context.update_cursor(str(ordered[len(sentences) - 1].number) if left else "")
    rest = [f"{left:,} more next time"] if left else []
    return dg.SkipReason("; ".join([*sentences, *rest]) or "no open pull request changes the log cache map")


def _after(cursor: str | None, shown: tuple[PullRequest, ...]) -> list[PullRequest]:
    """The pull requests, newest first, beginning behind the one that was judged last if time ran out."""
    last = int(cursor) if cursor else 0
    return sorted(shown, key=lambda pull: (pull.number >= last > 0, -pull.number))


def _kept(ordered: list[PullRequest], keeper: StatusKeeper) -> Iterator[str]:
    """A sentence for each pull request that could be judged in time."""
    end = time.monotonic() + _BUDGET_SECONDS
    for pull in ordered:
        if time.monotonic() > end:
            return
        yield _sentence(pull, keeper)


def _sentence(pull: PullRequest, keeper: StatusKeeper) -> str:
    try:
        judged = keeper.keep(pull)
    except LogCacheError as error:
        return f"#{pull.number} could not be judged: {error}"
    stays = "is" if judged.is_new else "stays"
    return f"#{pull.number} {stays} {judged.status.state}: {judged.status.sentence}"
