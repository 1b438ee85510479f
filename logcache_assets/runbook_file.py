"""Reads docs/runbook.md, which lies beside the package where the project is installed from its folder."""

from functools import cache
from pathlib import Path

from logcache_assets.domain.runbook import Runbook, parse_runbook

FILE = Path(__file__).parent.parent / "docs" / "runbook.md"


@cache
def load_runbook() -> Runbook:
    """The runbook; one without sections where there is no file."""
    return parse_runbook(FILE.read_text(encoding="utf-8")) if FILE.is_file() else Runbook()
