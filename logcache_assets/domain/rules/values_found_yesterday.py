"""`values_found_yesterday`, the runbook's own check: yesterday's keys are there and show mostly the same values."""

from collections.abc import Iterator, Mapping

from typing_extensions import override

from logcache_assets.domain.figures import CellFigures, ContractFigures
from logcache_assets.domain.rules.differences import nothing_blocks
from logcache_assets.domain.rules.key_problems import describe_unsound_keys
from logcache_assets.domain.rules.results import Judgement, RuleResult, conclude, excused_or_blocking
from logcache_assets.domain.rules.rule import History, Rule
from logcache_assets.domain.rules.sound_table import find_empty_allowance
from logcache_assets.domain.rules.strictness import Settings, Share, Strictness


class ValuesFoundSettings(Settings, frozen=True, kw_only=True):
    """Which shares of yesterday's keys and values must be found again; both are of a whole contract."""

    keys_found: Share = 0.95
    """Share of yesterday's keys that must be there today."""
    values_equal: Share = 0.5
    """Share of the values over these keys that must be equal."""


class ValuesFoundYesterday(Rule):
    """Compares shares only, so it does not block if the log explains every difference, or it is excused (C20, C21)."""

    name = "values_found_yesterday"
    sentence = (
        "Yesterday's keys are found in the new table, and most of their values are equal; the share of every column is "
        "shown."
    )
    remedy = "look at what the other rules say of the contract first"
    settings = ValuesFoundSettings

    @override
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        settings = strictness.settings_of(ValuesFoundSettings, contract)
        found, equal = _share_found(figures), _share_equal(figures)
        return conclude(
            self.name,
            _judge(contract, figures, strictness),
            expected=f"at least {settings.keys_found * 100:g}% of yesterday's keys, and over these at least "
            f"{settings.values_equal * 100:g}% equal values",
            good=_summary(figures),
            figures={"share_keys_found": found, "share_equal": equal}
            | {f"share_equal/{name}": column.share_equal for name, column in figures.columns.items()},
        )


VALUES_FOUND_YESTERDAY = ValuesFoundYesterday()


def _judge(contract: str, figures: ContractFigures, strictness: Strictness) -> Judgement:
    problems = tuple(_find_problems(figures, strictness.settings_of(ValuesFoundSettings, contract)))
    allowance = find_empty_allowance(contract, figures, strictness)
    if allowance is None and nothing_blocks(contract, figures, strictness):
        return Judgement(warning=problems)
    return excused_or_blocking(problems, allowance)


def _find_problems(figures: ContractFigures, settings: ValuesFoundSettings) -> Iterator[str]:
    if figures.prototypes is None:
        yield describe_unsound_keys(figures)
        return
    if (found := _share_found(figures)) < settings.keys_found:
        yield f"only {found:.2%} of yesterday's {figures.yesterday.rows:,} keys are there"
    if (equal := _share_equal(figures)) < settings.values_equal:
        yield f"only {equal:.2%} of the values are equal"


def _share_found(figures: ContractFigures) -> float:
    """Share of yesterday's keys that are there today; 0 where keys could not be compared."""
    if figures.prototypes is None:
        return 0.0
    return figures.found / figures.yesterday.rows if figures.yesterday.rows else 1.0


def _share_equal(figures: ContractFigures) -> float:
    """Share of equal values over the keys of both days, all columns together."""
    columns = figures.columns.values()
    equal = sum(column.equal for column in columns)
    changed = sum(column.compared - column.equal for column in columns)
    return CellFigures(equal=equal, changed=changed).share_equal


def _summary(figures: ContractFigures) -> str:
    columns: Mapping[str, CellFigures] = figures.columns
    summary = (
        f"{_share_found(figures):.2%} of yesterday's {figures.yesterday.rows:,} keys, {_share_equal(figures):.2%} of "
        "their values are equal"
    )
    lowest = min(columns.items(), key=lambda item: item[1].share_equal, default=None)
    if lowest is None or lowest[1].share_equal == 1:
        return summary
    return f"{summary}; fewest in {lowest[0]}, {lowest[1].share_equal:.2%}"
