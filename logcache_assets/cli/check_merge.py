"""`logcache check-merge`: may a branch or commit be merged now? For the check that the itaipu repository requires."""

from collections.abc import Iterator

from logcache_assets.cli.output import Result
from logcache_assets.cli.platform import open_to_judge
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.errors import Refused
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.publish import publisher_of
from logcache_assets.settings import Settings


class CheckMergeResult(Result, frozen=True, kw_only=True):
    """The result of `logcache check-merge` for what may be merged; anything else is an error."""

    ref: str
    changes_map: bool
    """False if it leaves the log cache map as it is."""


def run(settings: Settings, ref: str) -> CheckMergeResult:
    """Judge a branch or commit; raises Refused with every reason not to merge it now."""
    judge = MergeJudge(publisher_of(open_to_judge(settings), settings))
    require_mergeable(ref, judge.find_problems(ref))
    return CheckMergeResult(ref=ref, changes_map=judge.changes_map(ref))


def require_mergeable(what: str, problems: tuple[Problem, ...]) -> None:
    """Raise Refused if there is a reason not to merge."""
    if problems:
        raise Refused(f"{what} must not be merged now: {join_problems(problems)}")


def render(result: CheckMergeResult) -> Iterator[str]:
    """One line."""
    yield f"{result.ref} may be merged" + ("" if result.changes_map else ": it leaves the log cache map as it is")
