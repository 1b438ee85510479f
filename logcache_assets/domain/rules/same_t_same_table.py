"""`same_t_same_table`: recomputed at yesterday's t from the candidate's caches, a contract is exactly yesterday's."""

from typing_extensions import override

from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules.results import Judgement, RuleResult, conclude, excused_or_blocking
from logcache_assets.domain.rules.rule import Finding, History, Rule, Subject
from logcache_assets.domain.rules.strictness import Allowance, Strictness
from logcache_assets.domain.wording import count_of

SAME_T = Finding(name="same-t", of_columns=False)


class SameTSameTable(Rule):
    """Tests the caches and nothing else: one log at one t has one table (C18, C21)."""

    name = "same_t_same_table"
    sentence = (
        "Recomputed at yesterday's t from the candidate's caches, the contract is exactly yesterday's. Not run, and "
        "shown as passed, where the settings do not ask for it."
    )
    remedy = "do not publish these caches; export and copy another night"
    findings = (SAME_T,)
    always_required = False

    @override
    def is_required(self, subject: Subject) -> bool:
        return subject.same_t.selects(subject.table.dataset, subject.definition)

    @override
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        same_t = figures.same_t
        rows = same_t.rows if same_t else 0
        return conclude(
            self.name,
            _judge(figures, strictness.allowance_of(contract, SAME_T.name)),
            expected="recomputed at yesterday's t from the candidate's caches, exactly yesterday's rows",
            good=f"{count_of(rows, 'row')} recomputed, all equal",
            figures={"same_t_rows": rows, "same_t_differing": same_t.differing if same_t else 0},
        )


SAME_T_SAME_TABLE = SameTSameTable()


def _judge(figures: ContractFigures, allowance: Allowance | None) -> Judgement:
    """A contract that was not recomputed blocks; no allowance excuses a check that did not run."""
    same_t = figures.same_t
    if same_t is None:
        cause = f": {figures.same_t_failure}" if figures.same_t_failure else ""
        return Judgement(blocking=(coded(f"it was not recomputed{cause}", "C29"),))
    if not same_t.differing:
        return Judgement()
    where = f", in {', '.join(same_t.columns[:3])}" if same_t.columns else ""
    text = f"{same_t.differing:,} of {same_t.rows:,} rows differ from yesterday's{where}: the caches are not sound"
    return excused_or_blocking((text,), allowance)
