"""The report that reviewers read: complete, escaped, and self-contained."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

import pytest
from msgspec.structs import replace

from logcache_assets.catalog import load_catalog
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules.results import AppliedAllowance
from logcache_assets.domain.rules.strictness import Allowance
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_assets.report import Template, render_report
from logcache_tests.engine.expected import EXPECTED
from logcache_tests.report import samples

REFRESH = "cache/_refresh/"
EXTERNAL = r"<script|<link|<iframe|<object|<embed|src=|url\((?!#)|@import|https?://|\son\w+="
"""Matches anything that runs or loads something; `url(#…)` is a pattern in the page itself."""
TEMPLATES: tuple[Template, ...] = ("report.md", "report.html")
HOSTILE = '<img src=x onerror=alert(1)>|`a`*b*[c](https://x.y)"\n# @here'


def page_of(verdict: Verdict, *, past: Sequence[Verdict] = ()) -> str:
    """The page of a refresh."""
    return render_report(verdict, candidate=samples.candidate(), past=past, template="report.html")


def markdown_of(verdict: Verdict) -> str:
    """The Markdown of a refresh."""
    return render_report(verdict, candidate=samples.candidate(), template="report.md")


def stored(world: World, stage: str) -> str:
    """URI of a stage's document."""
    listed = world.store.list_objects(f"s3://{world.settings.permanent_bucket}/{REFRESH}")
    return next(item.uri for item in listed if item.uri.endswith(f"/{stage}/all.json"))


def documents_of(world: World) -> tuple[Verdict, Candidate]:
    """Verdict and candidate of the world's refresh."""
    documents = Documents(world.store)
    verdict = documents.read(stored(world, "validation_report"), Verdict)
    return verdict, documents.read(stored(world, "log_cache_candidate"), Candidate)


def test_the_page_is_self_contained(refreshed_world: World) -> None:
    """No script, no link, no image from elsewhere; a viewport and a title for people on phones."""
    page = refreshed_world.store.read(stored(refreshed_world, "validation_report").replace(".json", ".html")).decode()

    assert not re.search(EXTERNAL, page)
    assert '<meta name="viewport"' in page
    assert "<title>Approved: log cache candidate" in page


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page_of(samples.approved(), past=samples.past()), id="approved"),
        pytest.param(page_of(samples.refused(), past=samples.past()), id="refused"),
        pytest.param(render_report(samples.alone(), template="report.html"), id="outside a refresh"),
    ],
)
def test_every_page_is_self_contained(page: str) -> None:
    """Every page is self-contained, and its policy makes browsers refuse anything else."""
    assert not re.search(EXTERNAL, page)
    assert "default-src 'none'" in page
    assert page.startswith('<!doctype html>\n<html lang="en">\n<head>')


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_contract_and_instance_is_in_the_report(refreshed_world: World, template: Template) -> None:
    """Each contract is shown with its rows, today and yesterday."""
    verdict, candidate = documents_of(refreshed_world)

    text = render_report(verdict, candidate=candidate, template=template)

    assert all(change.instance in text for change in candidate.changes)
    assert all(contract.dataset in text for contract in verdict.contracts)
    row = next(row for row in re.split(r"\n(?=\||<tr)", text) if re.search(r"contract-feed/transactions[<`]", row))
    assert re.search(r"3,302.*2,821", row, re.DOTALL)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("verdict", [samples.approved(), samples.refused()], ids=["approved", "refused"])
def test_every_contract_instance_and_binding_is_in_the_report(verdict: Verdict, template: Template) -> None:
    """Nothing is left out of a small report."""
    text = render_report(verdict, candidate=samples.candidate(), template=template)

    assert all(contract.dataset in text for contract in verdict.contracts)
    assert all(change.instance in text for change in samples.candidate().changes)
    assert all(f"{span.today_t:,}" in text for span in verdict.spans)
    wanted = (samples.SHA, samples.MAP_SHA256, samples.TEST_RUN, samples.NIGHT, samples.RULES_SHA256)
    assert all(text.count(identity) >= 1 for identity in wanted)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_refusal_comes_first_with_its_reasons(template: Template) -> None:
    """The verdict, the likely cause, other reasons and warnings precede any table."""
    text = render_report(samples.refused(), candidate=samples.candidate(), template=template)

    head = re.split(r"<table|\n\|", text)[0]
    order = ["Refused", "2018-05-28 14:00 UTC", "Likely cause:", "all 62 unexplained rows are on s1", "it is not there"]
    places = [head.index(words) for words in order]
    assert places == sorted(places)
    assert "only 48.20% of the values are equal" in head


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_approval_names_no_reason(template: Template) -> None:
    """An approval says how many rows were compared."""
    text = render_report(samples.approved(), candidate=samples.candidate(), template=template)

    assert "Approved" in text
    assert "Refused" not in text
    assert "Likely cause" not in text
    assert re.search(r"2 of 2 contracts passed(, \d+ of them with warnings)?\.", text)
    assert "687 of 3,390 rows differ from yesterday's, all of them explained." in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_rows_that_were_not_compared_are_never_passed_over(template: Template) -> None:
    """Contracts that were not compared are named, because no differences would look good."""
    text = render_report(samples.refused(), candidate=samples.candidate(), template=template)

    assert "Rows of 1 contract could not be compared." in text


def test_a_failed_contract_is_open_and_others_are_closed() -> None:
    """Failed contracts are open, so that readers see them first."""
    page = page_of(samples.refused())

    summaries = re.findall(r'<details class="contract"( open)?>\n<summary><h3>(.*?)</h3>', page)
    assert summaries == [
        (" open", "contract-feed/transactions"),
        (" open", "contract-feed/accounts"),
        ("", "contract-customers/customers"),
    ]


def test_a_reason_leads_to_its_contract() -> None:
    """The link's target is inside the closed part, so that browsers open it."""
    page = page_of(samples.refused())

    anchor = re.search(r'Likely cause:</span> <a href="#(.*?)">contract-feed/transactions</a>', page)
    assert anchor
    assert re.search(rf'contract-feed/transactions</h3>(?:(?!</details>).)*<div id="{anchor[1]}">', page, re.DOTALL)


def test_reasons_are_told_apart_without_colour() -> None:
    """Each reason has its own fill pattern, and the legend gives its name, rows and share."""
    page = page_of(samples.refused(), past=samples.past())

    used, defined = set(re.findall(r"url\(#(.*?)\)", page)), re.findall(r'<pattern id="(.*?)".*?>(.*?)</pattern>', page)
    assert used <= {name for name, _ in defined}
    assert len({drawing for name, drawing in defined if name != "m-plain"}) == len(defined) - 1
    stacked = re.findall(r'<rect x="[\d.]+%"[^>]*fill="(.*?)"><title>(.*?):', page)
    assert len(stacked) == 7
    assert all(fill == f"url(#m-{reason})" for fill, reason in stacked)
    assert "unexplained 62 (8.28%)" in page
    assert "new-transaction 642 (85.71%)" in page


def test_columns_that_are_entirely_equal_are_counted_not_listed() -> None:
    """Equal columns are only counted."""
    page = page_of(samples.refused())

    assert '<th scope="row">transaction__amount<td>2,821<td>2,700<td>121' in page
    assert "transaction__currency" not in page
    assert "1 column entirely equal." in page


def test_every_fault_pattern_is_shown_before_a_few_that_are_explained() -> None:
    """All patterns of faults are shown, and a few of those that are explained."""
    found = samples.transactions(unexplained=62)
    assert found.figures is not None
    faults = [replace(samples.fault_pattern(n), segments=("only.avro",)) for n in range(12, 0, -1)]
    explained = [replace(samples.NEW_ROWS, rows=n) for n in range(20, 0, -1)]
    contract = replace(found, figures=replace(found.figures, patterns=(*faults, *explained)))

    page = page_of(replace(samples.refused(), contracts=(contract,)))

    reasons = re.findall(r'<tr><th scope="row"(?: class="bad")?>(unexplained|new-transaction)<td', page)
    assert reasons == ["unexplained"] * 12 + ["new-transaction"] * 8
    assert "12 smaller patterns left out; the JSON document has the first 32." in page


def test_tables_scroll_within_named_regions() -> None:
    """Every table is in a focusable region with a name of its own."""
    page = page_of(samples.refused(), past=samples.past())

    names = re.findall(r'<div class="scroll" role="region" aria-label="(.*?)" tabindex="0"><table', page)
    assert len(names) == page.count("<table")
    assert len(set(names)) == len(names)


def test_headings_are_in_order() -> None:
    """There is one first heading, and no heading skips a level."""
    levels = [int(level) for level in re.findall(r"<h([1-6])", page_of(samples.refused()))]

    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_trend_begins_with_the_second_refresh() -> None:
    """A single refresh has no trend."""
    page = page_of(samples.approved())

    assert "the trend begins with the second refresh" in page
    assert 'class="chart"' not in page


def test_the_trend_shows_every_refresh() -> None:
    """Four described charts, the same numbers as a table, and a row chart per contract."""
    page = page_of(samples.approved(), past=samples.past(4))

    assert page.count('class="chart"') == page.count("<desc ") == 4
    assert "5 refreshes from 2017-09-30 to 2018-05-28: last 687, lowest 687, highest 760." in page
    assert page.count("14:00 UTC<td") == 5
    assert page.count("from 88 to 88 rows in 5 refreshes</title>") == 1


def test_the_allow_list_shows_owner_reason_and_end_of_every_entry() -> None:
    """Unused allowances are shown too, so that they get removed."""
    page, markdown = page_of(samples.refused()), markdown_of(samples.refused())

    assert re.search(r"team-customers<.*known late writer<.*2018-06-30<.*yes", page)
    assert re.search(r"transaction__memo<.*team-feed<.*2018-07-31<.*no", page)
    assert re.search(r"\| team-feed \| the memo is trimmed by a job \| 2018-07-31 \| no \|", markdown)


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_empty_allow_list_is_said_to_be_empty(template: Template) -> None:
    """An empty allow-list is stated."""
    text = render_report(samples.approved(), candidate=samples.candidate(), template=template)

    assert "empty: no finding was excused" in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_outside_a_refresh_there_is_no_candidate(template: Template) -> None:
    """The report names the databases instead, and says that it cannot be used to publish."""
    text = render_report(samples.alone(), template=template)

    assert "Approved: contracts of customers, feed" in text
    assert "cannot be used to publish" in text
    assert "no log given" in text
    assert "active t" not in text


def test_numbers_that_differ_are_never_rounded_to_all() -> None:
    """A share just below 100 % is not shown as 100 %."""
    page = page_of(samples.big(contracts=10, differing=1))

    assert "99.93%" in page
    assert "7,200 of 9,876,536 rows differ" in page


def hostile() -> Verdict:
    """A verdict in which every name that people choose is hostile."""
    found = samples.refused()
    contracts = [replace(outcome, dataset=outcome.dataset + HOSTILE, state=HOSTILE) for outcome in found.contracts]
    allowance = Allowance(
        contract=HOSTILE, column=HOSTILE, finding="empty", owner=HOSTILE, reason=HOSTILE, expires=date(2018, 6, 1)
    )
    return replace(
        found,
        reasons=(Problem(subjects=(HOSTILE,), found=(HOSTILE, HOSTILE)),),
        warnings=(Problem(found=(HOSTILE,)),),
        databases=("feed" + HOSTILE,),
        contracts=tuple(contracts),
        allowances=(AppliedAllowance(allowance=allowance, used=True),),
    )


def test_hostile_names_stay_text_on_the_page() -> None:
    """Hostile names create no tags or attributes."""
    page = page_of(hostile())

    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page
    assert not re.search(r'aria-label="[^"]*"\w', page)


def test_hostile_names_stay_in_their_cell_of_markdown() -> None:
    """Hostile names create no tag, link, cell, line or mention."""
    markdown = markdown_of(hostile())

    outside_code = re.sub(r"`[^`\n]*`", "", markdown)
    assert "<img" not in outside_code
    assert not re.search(r"(?<!\\)\[c", outside_code)
    assert "@here" not in outside_code
    assert all(not line.startswith("# @") for line in markdown.splitlines())
    tables = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)]
    assert len(tables) == 5
    for head, *rows in tables:
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {head.count("|")}


@pytest.mark.parametrize("faulty", [False, True], ids=["all explained", "all refused"])
def test_a_big_refresh_stays_readable(*, faulty: bool) -> None:
    """With 300 contracts of 60 columns, the page is below 5 MB and the Markdown fits a pull request."""
    verdict = samples.big(faulty=faulty, differing=60 if faulty else 6)

    assert len(page_of(verdict).encode()) < 5_000_000
    markdown = markdown_of(verdict)
    assert len(markdown) <= 60_000
    assert markdown.splitlines()[-1].startswith("- Decided")


def test_markdown_is_cut_where_even_names_are_too_long() -> None:
    """Markdown that is cut ends with a line that says so."""
    long = "x" * 2_000
    entry = replace(samples.ALLOWANCE.allowance, owner=long, reason=long, contract=long)
    big = samples.big(faulty=True)
    contracts = tuple(replace(outcome, dataset=outcome.dataset + long) for outcome in big.contracts)
    allowances = (AppliedAllowance(allowance=entry, used=False),) * 90

    markdown = markdown_of(replace(big, contracts=contracts, allowances=allowances))

    assert len(markdown) <= 60_000
    assert markdown.endswith("Cut here: the rest is in the report's HTML page.\n")


def test_markdown_lists_what_differs_and_sums_up_the_rest() -> None:
    """Contracts equal to yesterday's take no table row."""
    markdown = markdown_of(samples.approved())

    assert re.search(r"\| `contract-feed/transactions` \| passed \| 3,302 \| 2,821 \| 100.00% \| 687 \|", markdown)
    assert "1 contract passed and is equal to yesterday's, 88 rows: `contract-customers/phones`." in markdown


def personal_values(world: World) -> Iterator[str]:
    """Personal data of the demo's customers, as Datomic returned it."""
    for definition in load_catalog(world.catalog):
        for table in contract_tables(definition):
            columns = [attribute.column for attribute in table.attributes if attribute.pii]
            with gzip.open(EXPECTED / "end" / f"{table.dataset}.jsonl.gz", "rt", encoding="utf-8") as lines:
                for row in map(json.loads, lines if columns else ()):
                    for cell in (row[column] for column in columns):
                        yield from cell if isinstance(cell, list) else [cell or ""]


def test_no_personal_value_leaves_the_data(refreshed_world: World) -> None:
    """Apart from the data, no file of a refresh has a customer's name, mail, phone or number."""
    data = {".parquet", ".avro"}
    written = [
        path.read_bytes()
        for path in refreshed_world.home.rglob("*")
        if path.is_file() and path.suffix not in data and "undelivered" not in path.parts
    ]
    wanted = sorted({value for value in personal_values(refreshed_world) if len(value) > 5})[::20]

    found = [value for value in wanted if any(value.encode() in content for content in written)]

    assert len(wanted) > 100
    assert found == []
