"""`rows_within_band`: rows, and rows that differ, are about as many as the last refreshes of the contract had.

The other rules say whether a table is what the log says. This one says whether what the log says is usual: a service
that writes a million entities by mistake has a sound log. So it only warns, unless the settings say otherwise.

The band is computed from the last refreshes that the contract passed, ten at most:

    rows            last refresh's rows, plus the least and the most that any refresh added, each `band_factor` times
    differing rows  the largest share of rows that differed from the day before, `band_factor` times

Both are widened by `band_rows`, so that small tables may move. A contract may always stay as it is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import msgspec
from typing_extensions import override

from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.rules.results import Judgement, RuleResult, conclude, excused_or_blocking
from logcache_assets.domain.rules.rule import Finding, History, Rule
from logcache_assets.domain.rules.sound_table import find_empty_allowance
from logcache_assets.domain.rules.strictness import Settings, Severity, Strictness
from logcache_assets.domain.wording import count_of

BAND = Finding(name="band", of_columns=False)
FEWEST_REFRESHES = 3
"""With fewer earlier refreshes there is no band."""
MOST_REFRESHES = 10
"""Older refreshes are ignored, so that a table whose growth accelerates is compared with its recent growth."""


class BandSettings(Settings, frozen=True, kw_only=True):
    """How wide the band is, and what happens outside it."""

    band_severity: Severity = "warn"
    """Whether a table outside the band blocks or warns."""
    band_factor: Annotated[float, msgspec.Meta(ge=1)] = 3.0
    """How many times as much as in the last refreshes may be added, lost or different."""
    band_rows: Annotated[int, msgspec.Meta(ge=0)] = 100
    """Rows by which the band is wider on each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What is usual for a contract."""

    refreshes: int
    """How many earlier refreshes it is computed from."""
    last_rows: int
    """Rows of the last one."""
    least_growth: int
    """Fewest rows added from one refresh to the next; negative if rows were lost."""
    most_growth: int
    """Most rows added from one refresh to the next."""
    least_rows: int
    """Fewest rows that today's table may have."""
    most_rows: int
    """Most rows that today's table may have."""
    most_share_differing: float | None
    """Largest share of compared rows that differed in a refresh; None if too few refreshes could compare rows."""
    most_differing: int | None
    """Most rows of today that may differ; None if there is no share to compute it from."""


class RowsWithinBand(Rule):
    """Compares two counts of a contract with its last refreshes; passes silently if there are too few of these."""

    name = "rows_within_band"
    sentence = (
        "The table has about as many rows, and about as many that differ from yesterday's, as the last refreshes had. "
        "Passes where there are fewer than three earlier ones; warns only, unless the settings say otherwise."
    )
    remedy = "ask the database's owner whether the log grew or shrank as it should"
    settings = BandSettings
    findings = (BAND,)

    @override
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        settings = strictness.settings_of(BandSettings, contract)
        band = find_band(history, settings, compared=figures.compared)
        problems = tuple(_find_problems(figures, band)) if band else ()
        allowance = strictness.allowance_of(contract, BAND.name) or find_empty_allowance(contract, figures, strictness)
        if allowance is None and settings.band_severity == "warn":
            judgement = Judgement(warning=problems)
        else:
            judgement = excused_or_blocking(problems, allowance)
        return conclude(
            self.name,
            judgement,
            expected=_expected(band, settings),
            good=_summary(figures) if band else _describe_missing(len(history)),
            figures=_numbers(figures, band, refreshes=len(history)),
        )


ROWS_WITHIN_BAND = RowsWithinBand()


def find_band(history: History, settings: BandSettings, *, compared: int) -> Band | None:
    """The band of a contract; None if there were too few refreshes.

    Args:
        history: figures of earlier refreshes, the oldest first.
        settings: how far it is widened.
        compared: keys that today's comparison has.
    """
    past = history[-MOST_REFRESHES:]
    if len(past) < FEWEST_REFRESHES:
        return None
    rows = [figures.today.rows for figures in past]
    growths = [after - before for before, after in pairwise(rows)]
    least, most = min(0, *growths) * settings.band_factor, max(0, *growths) * settings.band_factor
    shares = [share for figures in past if (share := _share_differing(figures)) is not None]
    share = max(shares) if len(shares) >= FEWEST_REFRESHES else None
    return Band(
        refreshes=len(past),
        last_rows=rows[-1],
        least_growth=min(growths),
        most_growth=max(growths),
        least_rows=max(0, rows[-1] + math.floor(least) - settings.band_rows),
        most_rows=rows[-1] + math.ceil(most) + settings.band_rows,
        most_share_differing=share,
        most_differing=None if share is None else _most_differing(share, compared, settings),
    )


def _most_differing(share: float, compared: int, settings: BandSettings) -> int:
    return min(compared, math.ceil(share * settings.band_factor * compared) + settings.band_rows)


def _share_differing(figures: ContractFigures) -> float | None:
    """Share of the compared rows that differ; None if keys could not be compared or yesterday had no rows."""
    if figures.prototypes is None or not figures.yesterday.rows:
        return None
    return figures.differing / figures.compared


def _find_problems(figures: ContractFigures, band: Band) -> Iterator[str]:
    rows, share = figures.today.rows, _share_differing(figures)
    if not band.least_rows <= rows <= band.most_rows:
        yield (
            f"{count_of(rows, 'row')}, {rows - band.last_rows:+,} since the last refresh; between the "
            f"{band.refreshes} refreshes before it was {band.least_growth:+,} to {band.most_growth:+,}"
        )
    if share is not None and band.most_differing is not None and figures.differing > band.most_differing:
        yield (
            f"{figures.differing:,} of {figures.compared:,} rows differ from yesterday's, {share:.2%}; in the "
            f"{band.refreshes} refreshes before at most {band.most_share_differing:.2%} did"
        )


def _expected(band: Band | None, settings: BandSettings) -> str:
    if band is None:
        return "rows, and rows that differ from yesterday's, within the band of earlier refreshes"
    differing = "" if band.most_differing is None else f", of which at most {band.most_differing:,} differ"
    return (
        f"{band.least_rows:,} to {band.most_rows:,} rows{differing}: {settings.band_factor:g} times as much change as "
        f"in the last {band.refreshes} refreshes, give or take {count_of(settings.band_rows, 'row')}"
    )


def _summary(figures: ContractFigures) -> str:
    return f"{count_of(figures.today.rows, 'row')}, {figures.differing:,} not as yesterday: within the band"


def _describe_missing(refreshes: int) -> str:
    if not refreshes:
        return "no earlier refreshes to compare with"
    return f"{refreshes} of the {FEWEST_REFRESHES} earlier refreshes that make a band"


def _numbers(figures: ContractFigures, band: Band | None, *, refreshes: int) -> dict[str, int | float]:
    share = _share_differing(figures)
    numbers: dict[str, int | float] = {"earlier_refreshes": refreshes}
    if share is not None:
        numbers["share_differing"] = share
    if band:
        numbers |= {
            "rows_added_since_refresh": figures.today.rows - band.last_rows,
            "band_least_rows": band.least_rows,
            "band_most_rows": band.most_rows,
        }
    if band and band.most_differing is not None:
        numbers["band_most_differing"] = band.most_differing
    return numbers
