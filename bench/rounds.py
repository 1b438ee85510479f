"""Runs contenders in rounds, each once per round: what slows the machine down for a while slows all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from statistics import median

from measure import Cost

Costs = Mapping[str, Sequence[Cost]]
"""Contender → its cost in every round."""


def run_rounds(contenders: Mapping[str, Callable[[], Cost]], *, repeat: int) -> Costs:
    """Run all contenders one after the other, as often as is asked."""
    rounds = [[run() for run in contenders.values()] for _ in range(repeat)]
    return dict(zip(contenders, zip(*rounds, strict=True), strict=True))


def median_cost(rounds: Sequence[Cost]) -> Cost:
    """The median of each figure, which need not be of one round."""
    return Cost(**{field.name: median(getattr(cost, field.name) for cost in rounds) for field in fields(Cost)})


def paired_ratio(ours: Sequence[Cost], theirs: Sequence[Cost]) -> Cost:
    """Ours as a share of theirs: the median of the rounds' ratios, figure by figure."""
    return median_cost([_share(own, peer) for own, peer in zip(ours, theirs, strict=True)])


def _share(own: Cost, peer: Cost) -> Cost:
    return Cost(**{field.name: getattr(own, field.name) / getattr(peer, field.name) for field in fields(Cost)})
