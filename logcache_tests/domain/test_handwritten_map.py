"""The older form of the map, as people and their scripts wrote it."""

import pytest

from logcache_assets.domain.handwritten_map import parse_any_map
from logcache_assets.domain.log_cache_map import (
    LogCacheMap,
    UnprovenEntry,
    any_entry_of,
    changed_instances,
    entry_of,
    instances_of,
    render_map,
    unproven_of,
    with_entries,
)
from logcache_assets.errors import BadInput
from logcache_tests.domain.samples import CUSTOMERS, FEED_S0, FEED_S1, map_entry

WHERE = "log_cache_map.json on main"
FOLDER = "s3://permanent/cache/feed-s0/95599-old"
BY_HAND = f'{{"s0":{{"feed":{{"log":"{FOLDER}/log",\n"last_t": 95599, "materialized_entities":"{FOLDER}/me"}}}}}}'
UNPROVEN = UnprovenEntry(last_t=95599, log=f"{FOLDER}/log", materialized_entities=f"{FOLDER}/me")
CANONICAL: LogCacheMap = {"s1": {"feed": map_entry(FEED_S1)}}


@pytest.mark.parametrize("last_t", ["95599", '"95599"', '"95599N"', "95599N"])
def test_a_last_t_is_read_however_it_was_written(last_t: str) -> None:
    """As an integer, a text, or what Clojure prints; written again it is an integer, in canonical form."""
    entries = parse_any_map(BY_HAND.replace("95599,", f"{last_t},"), where=WHERE)

    assert entries == {"s0": {"feed": UNPROVEN}}
    assert render_map(entries) == (
        '{\n  "s0": {\n    "feed": {\n      "last_t": 95599,\n'
        f'      "log": "{FOLDER}/log",\n      "materialized_entities": "{FOLDER}/me"\n    }}\n  }}\n}}\n'
    )


def test_only_an_entry_with_a_manifest_is_a_cache() -> None:
    """The other one is told apart wherever a cache is read, and counts where the map is compared."""
    mixed = with_entries(CANONICAL, {FEED_S0: UNPROVEN})

    assert (entry_of(mixed, FEED_S0), any_entry_of(mixed, FEED_S0)) == (None, UNPROVEN)
    assert [instance for instance, _ in instances_of(mixed)] == [FEED_S1]
    assert unproven_of(mixed) == {FEED_S0: UNPROVEN}
    assert changed_instances(CANONICAL, mixed) == (FEED_S0,)


def test_what_people_wrote_beside_it_is_kept_and_proves_nothing() -> None:
    """A transaction and an instant, in whatever form."""
    text = BY_HAND.replace('"last_t"', '"transaction": "1c7b", "source_read_at": "in May", "last_t"')

    (entry,) = unproven_of(parse_any_map(text, where=WHERE)).values()

    assert (entry.transaction, entry.source_read_at) == ("1c7b", "in May")
    assert '"source_read_at": "in May"' in render_map({"s0": {"feed": entry}})


def test_entries_of_both_forms_stand_in_one_map() -> None:
    """As after the adoption of some."""
    mixed = with_entries(CANONICAL, {FEED_S0: UNPROVEN})

    assert parse_any_map(render_map(mixed), where=WHERE) == mixed


def test_a_path_is_not_read_as_a_number() -> None:
    """`95599N` inside a text stays."""
    text = BY_HAND.replace("95599-old", "x 95599N")

    (entry,) = unproven_of(parse_any_map(text, where=WHERE)).values()

    assert entry.log == "s3://permanent/cache/feed-s0/x 95599N/log"


@pytest.mark.parametrize(
    ("found", "spoilt", "reason"),
    [
        pytest.param('"last_t": 95599, ', "", "missing required field `last_t`", id="no last_t"),
        pytest.param("95599,", "0,", "$.last_t", id="zero"),
        pytest.param("95599,", "-5,", "$.last_t", id="negative"),
        pytest.param("95599,", '"95599.0",', "$.last_t", id="a text of a float"),
        pytest.param("95599,", '"0095599",', "$.last_t", id="leading zeros"),
        pytest.param("95599,", "9223372036854775808N,", "$.last_t", id="beyond a long"),
        pytest.param(f'"{FOLDER}/log"', '"cache/log"', "$.log", id="no URI"),
        pytest.param('"last_t"', '"note": 1, "last_t"', "unknown field `note`", id="an unknown key"),
    ],
)
def test_every_field_is_checked(found: str, spoilt: str, reason: str) -> None:
    """The refusal names the entry and what to do (C15)."""
    assert found in BY_HAND

    with pytest.raises(BadInput) as refusal:
        parse_any_map(BY_HAND.replace(found, spoilt), where=WHERE)

    assert str(refusal.value).startswith(f"{WHERE}: entry s0 / feed: ")
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith("(C15); correct it and commit")


def test_a_map_whose_entries_all_have_manifests_has_one_form() -> None:
    """Whoever edits it by hand is told, as ever: other entries' bytes would move."""
    with pytest.raises(BadInput, match="is not in canonical form"):
        parse_any_map(render_map(CANONICAL).replace("  ", "    "), where=WHERE)
    with pytest.raises(BadInput, match="is not JSON"):
        parse_any_map(
            render_map({"global": {"customers": map_entry(CUSTOMERS)}}).replace("4836,", "4836N,"), where=WHERE
        )


@pytest.mark.parametrize("text", ["", "[]", "{", '{"s0": []}', "null", '"' * 100_001, '"' + '\\"' * 50_000])
def test_what_is_no_map_is_refused(text: str) -> None:
    """In one clause, and at once."""
    with pytest.raises(BadInput):
        parse_any_map(text, where=WHERE)
