"""The log cache map: read strictly, written canonically, changed entry by entry."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import (
    LogCacheMap,
    MapEntry,
    entry_of,
    map_digest,
    parse_map,
    render_map,
    with_entries,
)
from logcache_assets.errors import BadInput
from logcache_tests.domain.samples import CUSTOMERS, FEED_S0, FEED_S1, map_entry

CANONICAL = """\
{
  "global": {
    "customers": {
      "last_t": 4180,
      "log": "s3://permanent/cache/customers-global/4180-1c7be4a9/log",
      "manifest_sha256": "abababababababababababababababababababababababababababababababab",
      "materialized_entities": "s3://permanent/cache/customers-global/4180-1c7be4a9/materialized-entities",
      "source_read_at": "2018-05-24T00:30:00.000Z",
      "transaction": "1c7be4a9-5f1e-4c39-9a54-0d6d1f3b2a10"
    }
  },
  "s0": {
    "feed": {
      "last_t": 95599,
      "log": "s3://permanent/cache/feed-s0/95599-1c7be4a9/log",
      "manifest_sha256": "abababababababababababababababababababababababababababababababab",
      "materialized_entities": "s3://permanent/cache/feed-s0/95599-1c7be4a9/materialized-entities",
      "source_read_at": "2018-05-24T00:30:00.000Z",
      "transaction": "1c7be4a9-5f1e-4c39-9a54-0d6d1f3b2a10"
    }
  }
}
"""
ENTRIES: LogCacheMap = {
    "s0": {"feed": map_entry(FEED_S0, last_t=95599)},
    "global": {"customers": map_entry(CUSTOMERS, last_t=4180)},
}
WHERE = "log_cache_map.json on main"


def refusal_of(text: str) -> str:
    """Why a text is no map."""
    with pytest.raises(BadInput) as refusal:
        parse_map(text, where=WHERE)
    return str(refusal.value)


def test_the_canonical_form_is_the_documented_one() -> None:
    """Sorted keys, two spaces, instants with Z and milliseconds, one final newline."""
    assert render_map(ENTRIES) == CANONICAL
    assert parse_map(CANONICAL, where=WHERE) == ENTRIES


def test_an_empty_map_is_a_map() -> None:
    """Before the first refresh nothing is cached."""
    assert parse_map("{}\n", where=WHERE) == {}


@pytest.mark.parametrize(
    "last_t",
    [
        pytest.param('"95599"', id="a text"),
        pytest.param("95599.0", id="a whole float"),
        pytest.param("95599.5", id="a float"),
        pytest.param("9.5599e4", id="an exponent"),
        pytest.param("true", id="a boolean"),
        pytest.param("null", id="null"),
        pytest.param("0", id="zero"),
        pytest.param("-95599", id="negative"),
        pytest.param("9223372036854775808", id="beyond a long"),
    ],
)
def test_last_t_is_a_positive_integer_or_the_map_is_refused(last_t: str) -> None:
    """The refusal names prototype, database and field (C15), and what to do."""
    refusal = refusal_of(CANONICAL.replace("95599,", f"{last_t},"))

    assert refusal.startswith(f"{WHERE}: entry s0 / feed: ")
    assert "`$.last_t`" in refusal
    assert refusal.endswith("(C15); correct that value and commit")


def test_a_t_as_clojure_prints_it_is_refused_with_its_place() -> None:
    """`95599N` happened; it is not JSON, and line and column say where."""
    refusal = refusal_of(CANONICAL.replace("95599,", "95599N,"))

    # The line of feed's last_t is the fourteenth; six spaces, `"last_t": ` and five digits stand before the N.
    assert refusal == f"{WHERE} is not JSON: line 14 column 22: Expecting ',' delimiter (C15); correct it and commit"


@pytest.mark.parametrize(
    ("found", "spoilt", "reason"),
    [
        pytest.param('"last_t": 95599,', '"last_t": 95599,\n"note": 1,', "unknown field `note`", id="an unknown key"),
        pytest.param('"last_t": 95599,', "", "missing required field `last_t`", id="a missing key"),
        pytest.param("s3://permanent/cache/feed-s0/95599-1c7be4a9/log", "permanent/log", "$.log", id="no s3 URI"),
        pytest.param(
            '"1c7be4a9-5f1e-4c39-9a54-0d6d1f3b2a10"\n    }\n  }\n}', '"1"\n}}}', "$.transaction", id="no UUID"
        ),
        pytest.param("00.000Z", "00.000", "$.source_read_at", id="an instant without zone"),
    ],
)
def test_every_field_of_an_entry_is_checked(found: str, spoilt: str, reason: str) -> None:
    """What LogOp would stumble over is refused here, and the entry is named."""
    before, _, own = CANONICAL.partition('"s0"')
    assert found in own

    refusal = refusal_of(before + '"s0"' + own.replace(found, spoilt))

    assert "entry s0 / feed" in refusal
    assert reason in refusal
    assert "(C15)" in refusal


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[]\n", id="an array"),
        pytest.param("null\n", id="null"),
        pytest.param("7\n", id="a number"),
        pytest.param('{"s0": []}\n', id="an array of databases"),
        pytest.param('{"s0": {"feed": 7}}\n', id="a number for an entry"),
        pytest.param("", id="nothing"),
        pytest.param("\ufeff" + CANONICAL, id="a byte order mark"),
        pytest.param('{"s0": {"feed": NaN}}', id="a number that JSON does not have"),
        pytest.param("[" * 50_000 + "]" * 50_000, id="lists in lists without end"),
        pytest.param(CANONICAL.replace("95599", "9" * 5000), id="a number of thousands of digits"),
        pytest.param(CANONICAL.replace("95599", "[" * 50_000 + "]" * 50_000), id="a t of lists in lists"),
        pytest.param(CANONICAL.replace("2018-05-24", "0001-01-01"), id="an instant in the year 1"),
        pytest.param(CANONICAL.replace("2018-05-24T00:30:00.000Z", "9999-12-31T23:59:59-12:00"), id="the year 9999"),
    ],
)
def test_what_is_no_map_is_refused(text: str) -> None:
    """Always as a sentence that names the file and what to do, never as a traceback."""
    refusal = refusal_of(text)

    assert refusal.startswith(WHERE)
    assert "commit" in refusal
    assert "(C15)" in refusal
    assert len(refusal) < 500


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CANONICAL.removesuffix("\n"), id="no final newline"),
        pytest.param(CANONICAL + "\n", id="two final newlines"),
        pytest.param(CANONICAL.replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(json.dumps(json.loads(CANONICAL), sort_keys=True) + "\n", id="one line"),
        pytest.param(json.dumps(json.loads(CANONICAL), sort_keys=True, indent=4) + "\n", id="four spaces"),
        pytest.param(
            json.dumps(dict(reversed(json.loads(CANONICAL).items())), indent=2) + "\n", id="prototypes not sorted"
        ),
        pytest.param(CANONICAL.replace("00:30:00.000Z", "00:30:00Z"), id="instants without milliseconds"),
        pytest.param(CANONICAL.replace("00:30:00.000Z", "02:30:00.000+02:00"), id="instants of another zone"),
    ],
)
def test_another_form_of_the_same_map_is_refused(text: str) -> None:
    """Writing it again would touch other entries' bytes, so a person does that first."""
    assert "is not in canonical form" in refusal_of(text)


def test_a_doubled_key_is_refused() -> None:
    """The message names the key: which of both values was meant is unknown."""
    doubled = CANONICAL.replace('"last_t": 95599,', '"last_t": 1,\n      "last_t": 95599,')

    assert "the key 'last_t' is given twice" in refusal_of(doubled)


INSTANTS = st.integers(min_value=0, max_value=4_102_444_800_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
ENTRY = st.builds(
    MapEntry,
    last_t=st.integers(min_value=1, max_value=2**63 - 2),
    log=st.sampled_from(["s3://b/k/log", "s3://b/ü/log"]),
    materialized_entities=st.just("s3://b/k/materialized-entities"),
    transaction=st.uuids().map(str),
    source_read_at=INSTANTS,
    manifest_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
)
PROTOTYPES = st.sampled_from(("global", "s0", "s1", "s14"))
MAPS = st.dictionaries(PROTOTYPES, st.dictionaries(st.text("abc-", min_size=1), ENTRY))


@given(entries=MAPS)
def test_writing_and_reading_gives_the_same_bytes(entries: LogCacheMap) -> None:
    """For every map: parse after render is the map, render after parse is the text."""
    text = render_map(entries)

    assert parse_map(text, where=WHERE) == entries
    assert render_map(parse_map(text, where=WHERE)) == text


@given(
    base=MAPS,
    own=st.dictionaries(st.builds(Instance, database=st.text("abc", min_size=1), prototype=PROTOTYPES), ENTRY),
)
def test_a_refresh_touches_only_its_entries(base: LogCacheMap, own: dict[Instance, MapEntry]) -> None:
    """Its instances have the new entries, every other instance has the very same one, and the base stays."""
    before = render_map(base)

    merged = with_entries(base, own)

    instances = {Instance(database=d, prototype=p) for m in (base, merged) for p in m for d in m[p]}
    assert all(entry_of(merged, instance) == own[instance] for instance in own)
    assert all(entry_of(merged, i) is entry_of(base, i) for i in instances - own.keys())
    assert render_map(base) == before


def test_a_refresh_of_one_instance_changes_its_own_lines_only() -> None:
    """The pull request shows the fields that moved and nothing else."""
    after = render_map(with_entries(ENTRIES, {FEED_S0: map_entry(FEED_S0, last_t=95600)}))

    pairs = zip(CANONICAL.splitlines(), after.splitlines(), strict=True)
    moved = [line.split('"')[1] for was, line in pairs if was != line]
    assert moved == ["last_t", "log", "materialized_entities"]
    assert after == CANONICAL.replace("95599", "95600")


def test_a_first_entry_of_a_prototype_is_inserted_in_order() -> None:
    """Before it and behind it the file stays as it was."""
    after = render_map(with_entries(ENTRIES, {FEED_S1: map_entry(FEED_S1)}))

    assert after.startswith(CANONICAL.removesuffix("\n}\n") + ',\n  "s1": {\n')


def test_an_instance_without_entry_has_none() -> None:
    """Neither an unknown prototype nor an unknown database is an error."""
    assert entry_of(ENTRIES, FEED_S1) is None
    assert entry_of(ENTRIES, Instance(database="customers", prototype="s0")) is None


def test_an_instant_is_always_written_in_utc() -> None:
    """Whatever zone it was computed in."""
    instant = datetime(2018, 5, 24, 2, 30, tzinfo=timezone(timedelta(hours=2)))

    assert utc_text(instant) == "2018-05-24T00:30:00.000Z"


def test_a_map_is_known_by_the_sha_256_of_its_bytes() -> None:
    """The published digest of three letters (FIPS 180-2, example B.1)."""
    assert map_digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
