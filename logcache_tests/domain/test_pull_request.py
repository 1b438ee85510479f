"""The pull request's text is reviewed by people, so it is compared with a file that people can read."""

from datetime import timedelta
from pathlib import Path

from logcache_assets.domain.pull_request import render_body, render_title
from logcache_tests.domain.samples import NOW, candidate, changed, inventory, verdict

GOLDEN = Path(__file__).parent / "golden" / "pull_request.md"
REPORT = "s3://permanent/cache/_refresh/1c7be4a9/validation_report/feed.html"


def test_the_pull_request_reads_as_it_was_reviewed() -> None:
    """Title and body, character by character."""
    title = render_title(candidate())
    body = render_body(candidate(), verdict(), report_uri=REPORT, now=NOW)

    assert f"# {title}\n\n{body}" == GOLDEN.read_text(encoding="utf-8")


def test_the_title_names_every_database_and_the_night() -> None:
    """Short enough for a list of pull requests."""
    both = changed(candidate(), databases=("customers", "feed"))

    assert render_title(both) == "Refresh the log cache of customers, feed to 1c7be4a9"


def test_the_age_of_the_active_cache_is_in_whole_days() -> None:
    """From when its segments were read, to now."""
    first = candidate().changes[0]
    aged = changed(candidate(), changes=(changed(first, active_read_at=NOW - timedelta(days=3, hours=23)),))

    assert "| 3 days |" in render_body(aged, verdict(), report_uri=REPORT, now=NOW)


def test_contracts_that_failed_a_rule_are_not_counted_as_passed() -> None:
    """A reviewer sees how many of how many, and that the verdict is a refusal."""
    outcomes = inventory().outcomes
    failing = changed(outcomes[1], results=tuple(changed(result, passed=False) for result in outcomes[1].results))
    refused = changed(verdict(), approved=False, contracts=(outcomes[0], failing))

    body = render_body(candidate(), refused, report_uri=REPORT, now=NOW)

    assert "**Refused**: 1 of 2 contracts passed every rule" in body
