"""The pull request's text is reviewed by people, so it is compared with a file that people can read."""

from datetime import timedelta
from pathlib import Path

from logcache_assets.domain.problems import Problem
from logcache_assets.domain.pull_request import render_body, render_title
from logcache_tests.domain.contract_samples import reason
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


def test_contracts_that_a_rule_blocks_are_not_counted_as_passed() -> None:
    """A reviewer sees how many of how many, and that the verdict is a refusal."""
    transactions, accounts = inventory().outcomes
    failing = changed(accounts, results=tuple(changed(result, passed=False) for result in accounts.results))
    refused = changed(verdict(), approved=False, contracts=(transactions, failing))

    body = render_body(candidate(), refused, report_uri=REPORT, now=NOW)

    assert "**Refused**: 1 of 2 contracts passed every rule, 1,650 rows, computed by Itaipu 33a485bc" in body


def test_a_verdict_that_is_bound_to_nothing_names_no_run() -> None:
    """Such a text is never proposed; it can be rendered all the same."""
    body = render_body(candidate(), changed(verdict(), binding=None), report_uri=REPORT, now=NOW)

    assert "2 of 2 contracts passed every rule, 1,650 rows.\n" in body


def test_a_reviewer_is_told_of_every_warning() -> None:
    """What was excused, and by whom, is what a review is for; a warning is no rule that passed."""
    transactions, accounts = inventory().outcomes
    warned = changed(accounts, results=tuple(changed(r, passed=False, severity="warn") for r in accounts.results))
    found = changed(
        verdict(),
        contracts=(transactions, warned),
        warnings=(reason("all gone", "most of them"), reason("few", contract="cards", rule="sound_table")),
    )

    body = render_body(candidate(), found, report_uri=REPORT, now=NOW)

    assert "**Approved**: 1 of 2 contracts passed every rule" in body
    assert "- contract-feed/accounts: all gone; most of them\n- cards: sound_table: few\n\nReport: " in body


def test_a_reviewer_is_told_where_no_rollback_leads() -> None:
    """Former entries whose files are damaged are replaced; nobody may return to them."""
    gone = Problem(code="C13", subjects=("feed-s0",), found=("part-0.parquet is gone",), remedy="find out who did it")
    body = render_body(changed(candidate(), warnings=(gone,) * 17), verdict(), report_uri=REPORT, now=NOW)

    rollback = body.partition("## Rolling back")[2]
    told = "- feed-s0: part-0.parquet is gone (C13); find out who did it\n"
    assert (
        f"**Do not roll back to these former entries, they are damaged or unproven:**\n\n{told * 15}- and 2 more\n"
        in rollback
    )


def test_a_contract_without_results_passed_no_rule() -> None:
    """Absence is failure."""
    transactions, accounts = inventory().outcomes
    refused = changed(verdict(), approved=False, contracts=(transactions, changed(accounts, results=())))

    body = render_body(candidate(), refused, report_uri=REPORT, now=NOW)

    assert "1 of 2 contracts passed every rule" in body


def test_the_report_is_folded_in_where_it_fits() -> None:
    """GitHub refuses a longer text; the report's place is told in any case."""
    whole = render_body(candidate(), verdict(), report_uri=REPORT, now=NOW, report="# Report\n\nall equal")
    short = render_body(candidate(), verdict(), report_uri=REPORT, now=NOW, report="x" * 65_000)

    assert whole.endswith("<details><summary>The validation report</summary>\n\n# Report\n\nall equal\n\n</details>\n")
    assert short == render_body(candidate(), verdict(), report_uri=REPORT, now=NOW)
