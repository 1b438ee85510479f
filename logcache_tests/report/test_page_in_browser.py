"""The page in a browser, on a desktop and on a phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from logcache_assets.report import render_report
from logcache_tests.report import samples

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DESK, PHONE = (1200, 800), (390, 844)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    """A headless browser's page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A refused refresh as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    page = render_report(samples.refused(), candidate=samples.candidate(), past=samples.past(), template="report.html")
    path.write_text(page, encoding="utf-8")
    return path


def show(window: Page, report: Path, size: tuple[int, int]) -> None:
    """Open a report in a window of this size."""
    window.set_viewport_size({"width": size[0], "height": size[1]})
    window.goto(report.as_uri())


@pytest.mark.parametrize("size", [DESK, PHONE, (320, 640)], ids=["desk", "phone", "small phone"])
def test_the_page_never_scrolls_sideways(window: Page, report: Path, size: tuple[int, int]) -> None:
    """Tables scroll inside their own regions, even with everything open."""
    show(window, report, size)

    window.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")

    assert window.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_verdict_reasons_and_databases_are_on_the_first_screen(window: Page, report: Path) -> None:
    """At 1200 by 800, the table of databases is fully visible."""
    show(window, report, DESK)

    region = window.get_by_role("region", name="Rows of all contracts of a database")
    box = region.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < DESK[1]
    assert region.evaluate("part => part.scrollWidth <= part.clientWidth")


def test_a_link_opens_the_contract_it_leads_to(window: Page, report: Path) -> None:
    """The link opens the contract without a script."""
    show(window, report, DESK)
    contract = window.locator(
        "details.contract", has=window.get_by_role("heading", name="contract-customers/customers")
    )

    closed = contract.evaluate("part => part.open")
    window.get_by_role("link", name="contract-customers/customers").first.click()

    assert closed is False
    window.wait_for_function("part => part.open", arg=contract.element_handle())


def test_the_first_stop_by_keyboard_skips_to_the_contracts(window: Page, report: Path) -> None:
    """Keyboard users need not tab through every reason."""
    show(window, report, DESK)

    window.keyboard.press("Tab")
    window.keyboard.press("Enter")

    assert window.evaluate("document.activeElement.id") == "contracts"
