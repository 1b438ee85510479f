"""Title and body of a refresh's pull request."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from logcache_assets.domain.carried_evidence import carried_text
from logcache_assets.domain.documents import Candidate, ChangedEntry, Verdict
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.selections import NAMED_AT_MOST


def render_title(candidate: Candidate) -> str:
    """The title: which databases are refreshed, and from which transaction."""
    return f"Refresh the log cache of {shortened(candidate.databases)} to {candidate.transaction[:8]}"


def shortened(databases: Sequence[str]) -> str:
    """The first few names and how many more there are."""
    more = len(databases) - NAMED_AT_MOST
    return ", ".join(databases[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def superseded_text(candidate: Candidate, number: int) -> str:
    """The comment with which an older pull request is closed."""
    return (
        f"Superseded by pull request #{number}, which refreshes the same log caches from the nightly run "
        f"{candidate.transaction[:8]}."
    )


BODY_CHARACTERS = 65_536
"""The longest text that GitHub accepts."""
WARNINGS = 15
"""How many warnings the text shows."""


def render_body(  # noqa: PLR0913 - all that a reviewer reads
    candidate: Candidate,
    verdict: Verdict,
    *,
    report_uri: str,
    now: datetime,
    report: str = "",
    report_url: str | None = None,
) -> str:
    """The body, for the reviewer: what changes per instance, what was validated, how to roll back.

    Args:
        candidate: what is proposed.
        verdict: on the candidate.
        report_uri: URI of the HTML report.
        now: the present instant.
        report: the whole report as Markdown; appended, folded, if it fits.
        report_url: where a browser finds the report.
    """
    shown = f"[`{report_uri}`]({report_url})" if report_url else f"`{report_uri}`"
    body = "\n".join(
        [
            *_changes(candidate, now),
            *_left_out(candidate),
            *_validation(verdict, candidate, shown),
            *_rollback(candidate),
        ]
    )
    folded = f"\n<details><summary>The validation report</summary>\n\n{report.strip()}\n\n</details>\n"
    return body + folded if report and len(body) + len(folded) <= BODY_CHARACTERS else body


def _changes(candidate: Candidate, now: datetime) -> Iterator[str]:
    yield "## What changes"
    yield ""
    yield "| instance | active t | new t | datoms | files | bytes | age of the active cache |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for change in candidate.changes:
        yield (
            f"| {change.instance} | {change.active_t or 'none'} | {change.last_t} | {change.log.rows:,} "
            f"| {change.log.files} | {change.log.size_bytes:,} | {_age(change, now)} |"
        )
    yield ""
    others = "Every other entry of the map is unchanged byte for byte."
    if candidate.rewrites_map:
        others = "The map was written by hand and is now canonical JSON; no other entry says anything else than before."
    yield f"Source: metapod transaction `{candidate.transaction}`. {others}"
    yield ""


def _left_out(candidate: Candidate) -> Iterator[str]:
    """What the refresh does not change, though it was asked for it or ought to be changed."""
    if candidate.left_out:
        yield "## Left out"
        yield ""
        yield "These databases have a fault of their own. Their active caches stay as they are."
        yield ""
        yield "| database | found by | why, and what to do |"
        yield "|---|---|---|"
        for left in candidate.left_out[:WARNINGS]:
            yield f"| {left.database} | {left.stage} | {_in_cell(left.reasons)} |"
        if more := len(candidate.left_out[WARNINGS:]):
            yield f"| and {more:,} more | | |"
        yield ""
    if candidate.damaged:
        yield "**Other entries of the map are damaged, before this change and after it:**"
        yield ""
        yield from _listed(candidate.damaged)


def _listed(problems: Sequence[Problem], *, rest: str = "more") -> Iterator[str]:
    """The first problems as a list, and how many more there are."""
    yield from (f"- {problem}" for problem in problems[:WARNINGS])
    if more := len(problems[WARNINGS:]):
        yield f"- and {more:,} {rest}"
    yield ""


def _in_cell(text: str) -> str:
    """A sentence as a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _age(change: ChangedEntry, now: datetime) -> str:
    return f"{(now - change.active_read_at).days} days" if change.active_read_at else "-"


def _validation(verdict: Verdict, candidate: Candidate, report: str) -> Iterator[str]:
    passed = sum(
        contract.passed and all(result.passed for result in contract.results) for contract in verdict.contracts
    )
    rows = sum(contract.rows or 0 for contract in verdict.contracts)
    yield "## Validation"
    yield ""
    run = verdict.binding
    by = f", computed by Itaipu {candidate.tested_sha[:8]} in transaction `{run.test_transaction}`" if run else ""
    yield (
        f"**{'Approved' if verdict.approved else 'Refused'}**: {passed} of {len(verdict.contracts)} contracts passed "
        f"every rule, {rows:,} rows{by}."
    )
    yield ""
    if candidate.carried:
        yield f"No new test run was needed: {carried_text(candidate.carried)}."
        yield ""
    elif candidate.news:
        yield f"Its contracts were computed again, because of {', '.join(candidate.news[:WARNINGS])}."
        yield ""
    if verdict.warnings:
        yield "Read these before merging; they include what was excused:"
        yield ""
        yield from _listed(verdict.warnings, rest="more in the report")
    yield f"Report: {report}"
    yield ""


def _rollback(candidate: Candidate) -> Iterator[str]:
    yield "## Rolling back"
    yield ""
    yield (
        "Merging publishes these pointers; `git revert` of the merged commit returns to the former ones, whose files "
        "are never deleted. Do not roll back to a cache that was read before a re-extraction: "
        "it may hold deleted personal data."
    )
    yield ""
    if candidate.warnings:
        yield "**Do not roll back to these former entries, they are damaged or unproven:**"
        yield ""
        yield from _listed(candidate.warnings)
    yield "```"
    yield f"git revert {candidate.version}"
    yield "```"
    yield ""
