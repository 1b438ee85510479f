"""The report: what a reviewer reads, in a file of its own that asks the network for nothing."""

import gzip
import json
import re
from collections.abc import Iterator

import pytest

from logcache_assets.catalog import load_catalog
from logcache_assets.document_store import Documents
from logcache_assets.domain.definitions import contract_tables
from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.local_platform.world import World
from logcache_assets.report import render_report
from logcache_tests.engine.expected import EXPECTED

REFRESH = "cache/_refresh/"


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

    assert not re.search(r"<script|<link|src=|url\(|@import|https?://", page)
    assert '<meta name="viewport"' in page
    assert "<title>Approved: log cache candidate" in page


@pytest.mark.parametrize("template", ["report.md", "report.html"])
def test_every_contract_and_instance_is_in_the_report(refreshed_world: World, template: str) -> None:
    """With its rows, today and yesterday."""
    verdict, candidate = documents_of(refreshed_world)

    text = render_report(verdict, candidate, template=template)

    assert all(change.instance in text for change in candidate.changes)
    assert all(contract.dataset in text for contract in verdict.contracts)
    row = next(
        line
        for line in re.split(r"\n(?=\||<tr)", text)
        if "contract-feed/transactions<" in line or "contract-feed/transactions |" in line
    )
    assert re.search(r"3,?302.*2,?821", row, re.DOTALL)


@pytest.mark.parametrize("template", ["report.md", "report.html"])
def test_a_refusal_comes_first_with_its_reasons(refreshed_world: World, template: str) -> None:
    """Before any table, and text from outside is escaped."""
    verdict, candidate = documents_of(refreshed_world)
    refused = type(verdict)(
        **{name: getattr(verdict, name) for name in verdict.__struct_fields__}
        | {"approved": False, "reasons": ("contract-feed/accounts: <b>it is empty</b>",)}
    )

    text = render_report(refused, candidate, template=template)

    assert "Refused" in text
    assert text.index("contract-feed/accounts") < text.index("customers-global")
    assert ("<b>it is empty" in text) is (template == "report.md")


def personal_values(world: World) -> Iterator[str]:
    """Personal data of the demo's customers, as Datomic gave it."""
    for definition in load_catalog(world.catalog):
        for table in contract_tables(definition):
            columns = [attribute.column for attribute in table.attributes if attribute.pii]
            with gzip.open(EXPECTED / "end" / f"{table.dataset}.jsonl.gz", "rt", encoding="utf-8") as lines:
                for row in map(json.loads, lines if columns else ()):
                    for cell in (row[column] for column in columns):
                        yield from cell if isinstance(cell, list) else [cell or ""]


def test_no_personal_value_leaves_the_data(refreshed_world: World) -> None:
    """Nothing that a refresh writes beside the data holds a customer's name, mail, phone or number."""
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
