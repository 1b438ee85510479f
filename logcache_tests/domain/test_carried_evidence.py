"""What changed between two commits decides whether the contracts of one prove the other, too."""

import pytest

from logcache_assets.domain.carried_evidence import Compared, describe_beside, find_news
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import LogCacheMap, with_entries
from logcache_tests.domain.samples import map_entry

FEED, CARDS = parse_instance("feed-s0"), parse_instance("cards-s0")
MAP = "log_cache_map.json"
ENTRIES = with_entries({}, {FEED: map_entry(), CARDS: map_entry(last_t=7)})
UNRELATED = ("*.md", "docs/*", ".github/*")


def compared(*files: str, proposed: LogCacheMap = ENTRIES) -> Compared:
    """Two commits that differ in these files."""
    return Compared(files=files, tested=ENTRIES, proposed=proposed, unrelated=UNRELATED)


def news_of(found: Compared) -> list[str]:
    """What the contracts of feed would be computed from anew."""
    return list(find_news(found, databases=("feed",), tested=("cards", "feed")))


BESIDE = (
    *("README.md", "deep/in/NOTES.md", "docs/a/b.png", ".github/workflows/x.yml"),
    *("contracts/cards.yaml", "validation.yaml", MAP),
)


@pytest.mark.parametrize("path", BESIDE)
def test_a_file_that_no_contract_is_computed_from_needs_no_test_run(path: str) -> None:
    """Documents, definitions of other databases, and the rules, by which the same contracts are judged again."""
    assert news_of(compared(path)) == []


@pytest.mark.parametrize(
    ("path", "news"),
    [
        ("contracts/feed.yaml", "the definitions (contracts/feed.yaml)"),
        ("src/main/scala/LogOp.scala", "Itaipu's code (src/main/scala/LogOp.scala)"),
        ("build.sbt", "Itaipu's code (build.sbt)"),
        ("md", "Itaipu's code (md)"),
        ("contracts.yaml", "Itaipu's code (contracts.yaml)"),
        ("sub/validation.yaml", "Itaipu's code (sub/validation.yaml)"),
    ],
)
def test_a_file_that_contracts_are_computed_from_needs_one(path: str, news: str) -> None:
    """Whatever is not known to be beside them is code."""
    assert news_of(compared("README.md", path)) == [news]


def test_an_entry_of_its_own_needs_a_test_run() -> None:
    """That of another database does not, and is told."""
    own = compared(MAP, proposed=with_entries(ENTRIES, {FEED: map_entry(last_t=9)}))
    others = compared(MAP, proposed=with_entries(ENTRIES, {CARDS: map_entry(last_t=9)}))

    assert news_of(own) == ["the entry of feed-s0"]
    assert news_of(others) == []
    assert list(describe_beside(others, databases=("feed",))) == ["the entry of cards-s0"]


def test_a_database_that_was_left_out_needs_a_test_run() -> None:
    """Its contracts were refused, or never computed."""
    assert list(find_news(compared(), databases=("cards", "feed"), tested=("feed",))) == ["cards, which was left out"]
