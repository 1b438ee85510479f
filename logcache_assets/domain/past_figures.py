"""Figures of contracts in earlier refreshes, which rules use as history."""

from collections.abc import Iterable, Mapping

from logcache_assets.domain.documents import Verdict
from logcache_assets.domain.figures import ContractFigures


def find_past_figures(verdicts: Iterable[Verdict], *, night: str) -> Mapping[str, tuple[ContractFigures, ...]]:
    """The figures of every contract in earlier refreshes, the oldest first.

    Figures that a rule blocked are left out, because they do not show what is usual. If a night has several verdicts,
    the last one counts.

    Args:
        verdicts: of earlier refreshes, in any order.
        night: the nightly transaction of the present refresh, whose own verdicts are no history.
    """
    by_night: dict[str, dict[str, ContractFigures]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.decided_at):
        if verdict.binding is None or verdict.binding.yesterday_transaction == night:
            continue
        # A night that was judged again keeps its place in time.
        figures_of_night = by_night.setdefault(verdict.binding.yesterday_transaction, {})
        for outcome in verdict.contracts:
            figures_of_night.pop(outcome.dataset, None)
            if outcome.passed and outcome.figures is not None:
                figures_of_night[outcome.dataset] = outcome.figures
    datasets = dict.fromkeys(dataset for figures in by_night.values() for dataset in figures)
    return {name: tuple(figures[name] for figures in by_night.values() if name in figures) for name in datasets}
