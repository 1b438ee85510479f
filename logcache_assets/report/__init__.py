"""Renders a verdict for people, as an HTML page and as Markdown for the pull request.

The third form, JSON, is the Verdict document itself. page.py chooses what is shown; templates only lay it out.
"""

import importlib.resources
from collections.abc import Sequence
from typing import Literal

import jinja2

from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.wording import count_of
from logcache_assets.report import charts
from logcache_assets.report import formatting as text
from logcache_assets.report.glossary import REASON_MEANINGS, TERMS
from logcache_assets.report.markdown import clip, code, codes, cut_to_size, escape_markdown
from logcache_assets.report.page import view_report
from logcache_assets.report.summary import REASONS

Template = Literal["report.html", "report.md"]


def render_report(
    verdict: Verdict, *, candidate: Candidate | None = None, past: Sequence[Verdict] = (), template: Template
) -> str:
    """Render a verdict.

    Args:
        verdict: the verdict.
        candidate: the candidate it judges; None outside a refresh.
        past: verdicts of earlier refreshes, oldest first.
        template: the form to render.

    Returns:
        A self-contained HTML page, or Markdown that fits into a pull request.
    """
    page = template == "report.html"
    environment = html_environment() if page else markdown_environment()
    view = view_report(verdict, candidate, past)
    rendered = environment.get_template(template).render(view=view, verdict=verdict, candidate=candidate)
    return rendered if page else cut_to_size(rendered)


def html_environment() -> jinja2.Environment:
    """Templates of pages."""
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_load),
    )
    return _add_filters(environment)


def markdown_environment() -> jinja2.Environment:
    """Escapes everything a template writes, as autoescape does for HTML."""
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - would escape for HTML; `finalize` escapes for Markdown
        finalize=escape_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_load),
    )
    environment.filters |= {"code": code, "codes": codes, "clip": clip}
    return _add_filters(environment)


def _add_filters(environment: jinja2.Environment) -> jinja2.Environment:
    environment.filters |= {
        "number": text.show_number,
        "share": text.show_share,
        "day": text.show_day,
        "moment": text.show_moment,
        "t_range": text.show_range,
        "count_of": count_of,
        "prototype": text.show_prototype,
    }
    environment.globals |= {"REASONS": REASONS, "MEANINGS": REASON_MEANINGS, "TERMS": TERMS, "CHART": charts}
    return environment


def _load(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
