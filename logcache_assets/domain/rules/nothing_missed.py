"""`nothing_missed`: everything that happened since yesterday shows in today's table."""

from typing_extensions import override

from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules.differences import DifferenceSettings, judge_fault
from logcache_assets.domain.rules.results import Judgement, RuleResult, conclude
from logcache_assets.domain.rules.rule import Finding, History, Rule
from logcache_assets.domain.rules.strictness import Strictness


class NothingMissed(Rule):
    """Judges the rows and cells that should have changed and did not (C1, C21)."""

    name = "nothing_missed"
    sentence = "Every datom that arrived since yesterday shows in the new table."
    remedy = "run Itaipu's test again; if the same datoms are missed, look at the index item of their segment"
    settings = DifferenceSettings
    findings = (Finding(name="missed", of_columns=True),)
    fault = "missed"
    needs_log = True

    @override
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        unknown = Judgement(blocking=(coded("no log was given, so nothing tells what today's table must show", "C29"),))
        return conclude(
            self.name,
            judge_fault(contract, figures, strictness, "missed") if figures.explained else unknown,
            expected="every change in the newer segments shows in today's table",
            good="every change in the newer segments shows",
            figures={"missed_rows": figures.reasons.get("missed", 0)},
        )


NOTHING_MISSED = NothingMissed()
