"""`differences_explained`: every row that differs from yesterday's differs because of something that happened since."""

from typing_extensions import override

from logcache_assets.domain.figures import EXPLANATIONS, ContractFigures
from logcache_assets.domain.rules.differences import DifferenceSettings, judge_fault
from logcache_assets.domain.rules.results import RuleResult, conclude
from logcache_assets.domain.rules.rule import Finding, History, Rule
from logcache_assets.domain.rules.strictness import Strictness
from logcache_assets.domain.wording import count_of


class DifferencesExplained(Rule):
    """Judges the rows and cells that nothing in the log or the definition explains (C21)."""

    name = "differences_explained"
    sentence = (
        "Every row that differs from yesterday's has a cause: datoms that arrived since, of its entity or of one that "
        "it refers to, a renamed ident, an excision, or a changed definition."
    )
    remedy = "find what the differing rows share: a segment, a prototype, a column; raise no threshold before"
    settings = DifferenceSettings
    findings = (Finding(name="unexplained", of_columns=True),)
    fault = "unexplained"

    @override
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        reasons, differing = figures.reasons, figures.differing
        unexplained = reasons.get("unexplained", 0)
        share = 1 - unexplained / differing if differing else 1.0
        return conclude(
            self.name,
            judge_fault(contract, figures, strictness, "unexplained"),
            expected="a cause in the log, or in the definition, for every row that differs from yesterday's",
            good=_summary(differing, missed=reasons.get("missed", 0)),
            figures={"differing_rows": differing, "unexplained_rows": unexplained, "share_explained": share}
            | {f"rows/{explanation}": reasons.get(explanation, 0) for explanation in EXPLANATIONS},
        )


DIFFERENCES_EXPLAINED = DifferencesExplained()


def _summary(differing: int, *, missed: int) -> str:
    if not differing:
        return "no row differs"
    rest = f", but for {missed:,} missed" if missed else ""
    return f"{count_of(differing, 'row')} not as yesterday, all explained{rest}"
