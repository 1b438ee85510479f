"""The outcomes of `logcache refresh` as JSON documents and as lines."""

import json

import msgspec

from logcache_assets.cli.demo import MeasuredRefresh, Speed, render_demo
from logcache_assets.cli.output import json_of
from logcache_assets.cli.refresh_result import (
    Due,
    Move,
    NothingToRefresh,
    PullRequestLink,
    Refreshed,
    RefreshedDatabase,
    Rejected,
    render,
)

REJECTED = Rejected(transaction="eed4", type="HOTFIX", reasons=["it is a HOTFIX", "it expires too soon"])
FEED = RefreshedDatabase(
    database="feed",
    instances={"feed-s0": Move(active_t=3185, new_t=4836), "feed-s1": Move(active_t=None, new_t=4770)},
    datoms=35285,
    files=6,
    size_bytes=702787,
    contracts=10,
    contracts_passed=9,
    differing_rows={"new-transaction": 7055, "renamed-ident": 9918},
)
REFRESHED = Refreshed(
    transaction="ba22b651",
    itaipu_version="4527c408",
    branch="log-cache/2018-05-24-ba22b651",
    approved=True,
    databases=[FEED],
    left_out={"customers": "customers-s0: the segment index has a gap"},
    report="file:///all.html",
    pull_request=PullRequestLink(number=1, url="file:///1.md"),
)


def test_the_status_of_an_outcome_is_its_first_key() -> None:
    """Programs distinguish the three outcomes by it."""
    outcomes = {
        "nothing to refresh": (NothingToRefresh(reason="it is active", rejected=[REJECTED]), ["reason", "rejected"]),
        "due": (
            Due(transaction="ba22b651", databases=["feed"], next="a refresh is due", rejected=[]),
            ["transaction", "databases", "next", "rejected"],
        ),
        "refreshed": (
            REFRESHED,
            ["transaction", "itaipu_version", "branch", "approved", "databases", "left_out", "report", "pull_request"],
        ),
    }

    for status, (outcome, keys) in outcomes.items():
        document = json.loads(json_of(outcome))
        assert document["status"] == status
        assert list(document) == ["status", *keys]


def test_a_finished_refresh_is_a_document_per_database() -> None:
    """Instances by name with the old and the new t, counts, and rows by reason."""
    document = json.loads(json_of(REFRESHED))

    assert document["pull_request"] == {"number": 1, "url": "file:///1.md"}
    assert document["databases"] == [
        {
            "database": "feed",
            "instances": {
                "feed-s0": {"active_t": 3185, "new_t": 4836},
                "feed-s1": {"active_t": None, "new_t": 4770},
            },
            "datoms": 35285,
            "files": 6,
            "size_bytes": 702787,
            "contracts": 10,
            "contracts_passed": 9,
            "differing_rows": {"new-transaction": 7055, "renamed-ident": 9918},
        }
    ]


def test_a_finished_refresh_is_a_table_and_its_evidence() -> None:
    """An instance without a cache moves from none; reasons with most rows first."""
    assert list(render(REFRESHED)) == [
        "database  old t -> new t                    datoms  files    bytes       contracts",
        "feed      s0 3185 -> 4836, s1 none -> 4770  35,285      6  702,787  9 of 10 passed",
        "",
        "Verdict:       approved",
        "Differences:   16,973 rows differ from yesterday's: 9,918 renamed-ident, 7,055 new-transaction",
        "Report:        file:///all.html",
        "Pull request:  #1 file:///1.md",
        "Left out:      customers, whose active cache stays: customers-s0: the segment index has a gap",
    ]


def test_transactions_that_were_passed_over_are_told() -> None:
    """They are listed with every reason, even if there is nothing to refresh."""
    assert list(render(NothingToRefresh(reason="it is active", rejected=[REJECTED]))) == [
        "Nothing to refresh: it is active.",
        "Passed over HOTFIX eed4: it is a HOTFIX; it expires too soon",
    ]


def test_a_measured_refresh_is_a_refresh_with_its_speed() -> None:
    """The demo's document has one key more, and its lines one line and what to try next."""
    speed = Speed(contracts_with_cache=1.221, contracts_without=1.23, files_with_cache=83, files_without=381)
    measured = MeasuredRefresh(**msgspec.structs.asdict(REFRESHED), speed=speed)

    lines = list(render_demo(measured))

    assert json.loads(json_of(measured)) == json.loads(json_of(REFRESHED)) | {"speed": msgspec.structs.asdict(speed)}
    assert lines[1:9] == list(render(REFRESHED))
    assert (
        lines[9]
        == "Speed:         contracts took 1.22 s with the new cache, 1.23 s without, and opened 83 files instead of 381"
    )
