"""Links on Dagit's pages: http where the platform has a page, plain text where it has none."""

from pathlib import Path

import pytest

from logcache_assets.defs.links import commit_value, pull_request_value, report_value, transaction_value
from logcache_assets.settings import Settings, load_settings
from logcache_tests.worlds import settings_at

SHA = "0123456789abcdef0123456789abcdef01234567"
NIGHT = "ba22b651-c64b-5fc9-9eab-3eed5d22cfce"
GITHUB = {"repository": "github", "github_repository": "acme/itaipu"}


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    """Of the local world."""
    return settings_at(tmp_path, pages_port="3191")


@pytest.mark.parametrize(
    ("url", "page"),
    [
        pytest.param({}, f"https://github.com/acme/itaipu/commit/{SHA}", id="GitHub"),
        pytest.param(
            {"github_url": "https://git.acme.example/api/v3"},
            f"https://git.acme.example/acme/itaipu/commit/{SHA}",
            id="an Enterprise Server",
        ),
    ],
)
def test_a_commit_links_to_its_page(tmp_path: Path, url: dict[str, str], page: str) -> None:
    """On the site whose API is asked."""
    assert commit_value(settings_at(tmp_path, **GITHUB, **url), SHA).value == page


def test_a_transaction_links_to_the_page_that_the_deployment_names(tmp_path: Path) -> None:
    """Metapod has a page of its own, if it has one."""
    named = settings_at(tmp_path, metapod_page="https://metapod.acme.example/t/{transaction}?full=1")

    assert transaction_value(named, NIGHT).value == f"https://metapod.acme.example/t/{NIGHT}?full=1"


def test_what_has_no_page_is_text(local: Settings) -> None:
    """A link that opens nothing would be worse."""
    assert (commit_value(local, SHA).value, transaction_value(local, NIGHT).value) == (SHA[:8], NIGHT)


def test_a_pull_request_of_the_local_world_links_to_its_server(local: Settings) -> None:
    """Its file does not open from a page that came over http; a real one has a page already."""
    there = "https://github.com/acme/itaipu/pull/7"

    assert pull_request_value(local, "file:///a%20home/pull_requests/12.md").value == (
        "http://127.0.0.1:3191/pull_requests/12"
    )
    assert pull_request_value(local, there).value == there


def test_no_link_to_a_report_expires() -> None:
    """A signature in it would: whoever opens the link months later is asked for rights then."""
    on_s3 = load_settings({"LOGCACHE_STORE": "s3", "LOGCACHE_REPORT_URL": "https://r/{key}"})

    link = str(report_value(on_s3, "s3://b/cache/_refresh/x/validation_report/all.html").value)

    assert link == "https://r/cache/_refresh/x/validation_report/all.html"
