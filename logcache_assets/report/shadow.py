"""Renders what `logcache shadow` found, as an HTML page and as Markdown; JSON is the document itself."""

from typing import Literal

from logcache_assets.domain.shadow import ShadowStudy
from logcache_assets.report import html_environment, markdown_environment
from logcache_assets.report.markdown import cut_to_size

StudyTemplate = Literal["shadow.html", "shadow.md"]


def render_study(study: ShadowStudy, *, template: StudyTemplate) -> str:
    """Render a study: a self-contained page, or Markdown."""
    page = template == "shadow.html"
    environment = html_environment() if page else markdown_environment()
    rendered = environment.get_template(template).render(study=study)
    return rendered if page else cut_to_size(rendered)
