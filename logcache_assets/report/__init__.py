"""The validation report as Markdown and as one self-contained HTML page, both from the same verdict."""

import importlib.resources

import jinja2

from logcache_assets.domain.documents import Candidate, ContractOutcome, Verdict


def lowest_share(outcome: ContractOutcome) -> float | None:
    """The share of equal values in a contract's worst column, from 0 to 1; None without a comparison."""
    shares = [
        share for result in outcome.results for name, share in result.figures.items() if name.startswith("share_equal/")
    ]
    return min(shares, default=None)


def keys_found(outcome: ContractOutcome) -> float | None:
    """The share of yesterday's keys that are there, from 0 to 1; None without a comparison."""
    found = (result.figures.get("share_keys_found") for result in outcome.results)
    return next((share for share in found if share is not None), None)


def passed(outcome: ContractOutcome) -> bool:
    """Whether every rule passed."""
    return outcome.passed


def render_report(verdict: Verdict, candidate: Candidate, *, template: str) -> str:
    """Fill `report.html` or `report.md`."""
    environment = jinja2.Environment(
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_load),
    )
    environment.tests["passed"] = passed
    environment.filters |= {"lowest_share": lowest_share, "keys_found": keys_found, "percent": _percent}
    largest_t = max((change.last_t for change in candidate.changes), default=1)
    return environment.get_template(template).render(verdict=verdict, candidate=candidate, largest_t=largest_t)


def _load(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _percent(share: float | None) -> str:
    """Never rounds a difference away: 99.996 % is not 100 %."""
    if share is None:
        return "-"
    text = f"{share:.2%}"
    return "< 100.00%" if text == "100.00%" and share < 1 else text
