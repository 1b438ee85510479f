"""`logcache verify-pull-request`: judges a pull request again, and says on its page whether it may be merged now."""

from collections.abc import Iterator

from logcache_assets.cli.output import Result
from logcache_assets.cli.platform import open_to_judge
from logcache_assets.domain.merge_status import STATUS_NAME
from logcache_assets.errors import Refused
from logcache_assets.refresh.merge_statuses import StatusKeeper
from logcache_assets.refresh.publish import publisher_of
from logcache_assets.settings import Settings


class VerifiedPullRequest(Result, frozen=True, kw_only=True):
    """The result of `logcache verify-pull-request`."""

    number: int
    url: str
    sha: str
    """The commit that was judged."""
    changes_map: bool
    """False if it leaves the log cache map as it is."""
    state: str
    """`success`, `pending` where waiting remedies it, or `failure`."""
    problems: list[str]
    """Every reason not to merge it now."""
    is_set: bool
    """True if its page said something else before."""

    @property
    def may_be_merged(self) -> bool:
        """True if nothing is in the way."""
        return not self.problems


def run(settings: Settings, number: int, *, keeps_status: bool = True) -> VerifiedPullRequest:
    """Judge the newest commit of an open pull request.

    Args:
        settings: of the deployment.
        number: of the pull request.
        keeps_status: set the status of that commit, too.

    Raises:
        Refused: it is not open any more.
    """
    ports = open_to_judge(settings)
    shown = ports.repository.pull_request(number)
    if shown.state != "open":
        raise Refused(f"pull request {number} is {shown.state}, so there is nothing to verify; name an open one")
    keeper = StatusKeeper(publisher_of(ports, settings))
    judged = keeper.keep(shown) if keeps_status else keeper.judge(shown)
    return VerifiedPullRequest(
        number=shown.number,
        url=shown.url,
        sha=shown.head_sha,
        changes_map=judged.changes_map,
        state=judged.status.state,
        problems=[str(problem) for problem in judged.problems],
        is_set=judged.is_new,
    )


def render(result: VerifiedPullRequest) -> Iterator[str]:
    """What was found, reason by reason."""
    if result.may_be_merged:
        untouched = "" if result.changes_map else ": it leaves the log cache map as it is"
        yield f"pull request #{result.number} may be merged{untouched}"
    else:
        yield f"pull request #{result.number} must not be merged now:"
        yield from (f"- {problem}" for problem in result.problems)
    if result.is_set:
        yield f"The status {STATUS_NAME!r} of {result.sha[:8]} is {result.state} now."
