"""Index items as text."""

import json

import pytest

from logcache_assets.domain.index_items import parse_index_item, render_index_item
from logcache_assets.errors import BadInput

ITEM_PATH = "s3://logs/1/s3/s0/double-entry/7d4ed660-cf04-492d-9285-6b43d2fc9886-1213-1225.avro"
ITEM = {
    "db_prototype": "double-entry-s0",
    "database": "double-entry",
    "prototype": "s0",
    "path": ITEM_PATH,
    "initial_t": 1217,
    "last_batch_t": 1213,
    "last_t": 1225,
    "requested_range": "[1217 1226)",
    "timestamp": 1515176609410,
}


def test_an_item_is_a_segment_and_back() -> None:
    """No field is lost, and the text is the same again."""
    text = json.dumps(ITEM, separators=(",", ":"))

    segment = parse_index_item(text, where="index.jsonl, line 1")

    assert segment.instance.name == "double-entry-s0"
    assert (segment.last_batch_t, segment.initial_t, segment.last_t) == (1213, 1217, 1225)
    assert segment.extracted_at.isoformat(timespec="milliseconds") == "2018-01-05T18:23:29.410+00:00"
    assert render_index_item(segment) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "not a JSON object", id="not JSON"),
        pytest.param("[]", "Expected `object`", id="not an object"),
        pytest.param(json.dumps(ITEM | {"extra": 1}), "unknown field `extra`", id="an unknown field"),
        pytest.param(json.dumps({"path": ITEM["path"]}), "missing required field", id="a missing field"),
        pytest.param(
            json.dumps(ITEM | {"last_t": "1225"}), r"Expected `int`, got `str` - at `\$.last_t`", id="t a text"
        ),
        pytest.param(json.dumps(ITEM | {"last_t": True}), "Expected `int`", id="t a boolean"),
        pytest.param(json.dumps(ITEM | {"path": "/files/x.avro"}), "regex", id="a path of no bucket"),
        pytest.param(json.dumps(ITEM | {"database": "feed"}), "make 'feed-s0'", id="another partition key"),
        pytest.param(
            json.dumps(ITEM | {"prototype": "x1", "db_prototype": "double-entry-x1"}), "x1", id="no such prototype"
        ),
        pytest.param(
            json.dumps(ITEM | {"database": "a/b", "db_prototype": "a/b-s0"}), "no name of a database", id="a slash"
        ),
        pytest.param(
            json.dumps(ITEM | {"database": "..", "db_prototype": "..-s0"}),
            "no name of a database",
            id="dots for a name",
        ),
        pytest.param(
            json.dumps(ITEM | {"database": "a\nb", "db_prototype": "a\nb-s0"}), "no name of a database", id="a new line"
        ),
        pytest.param(json.dumps(ITEM | {"database": "", "db_prototype": "-s0"}), "no name of a database", id="no name"),
        pytest.param(json.dumps(ITEM | {"path": "s3://logs/a/../b.avro"}), "dots", id="a path that goes up"),
        pytest.param(json.dumps(ITEM | {"path": "s3://logs/a/./b.avro"}), "dots", id="a path that stays"),
        pytest.param(json.dumps(ITEM | {"path": "s3://logs/a//b.avro"}), "an empty part", id="an empty folder"),
        pytest.param(json.dumps(ITEM | {"path": "s3://logs/a/"}), "an empty part", id="a path of no file"),
        pytest.param(json.dumps(ITEM | {"path": "s3://logs/a\u0000b"}), "control character", id="a path with a zero"),
        pytest.param(
            json.dumps(ITEM | {"path": ITEM_PATH.replace("1213-1225", "1225-1230")}),
            "not that of last_batch_t 1213 and last_t 1225",
            id="the file of another range",
        ),
        pytest.param(json.dumps(ITEM | {"timestamp": 1515176609}), r"at `\$.timestamp`", id="a timestamp in seconds"),
        pytest.param(json.dumps(ITEM | {"last_batch_t": 1225}), "covers no range of t", id="an empty range"),
        pytest.param(json.dumps(ITEM | {"initial_t": 1213}), "covers no range of t", id="it starts before its range"),
        pytest.param(json.dumps(ITEM | {"initial_t": 1226}), "covers no range of t", id="it starts behind its end"),
        pytest.param(json.dumps(ITEM | {"last_batch_t": -1}), "`int` >= 0", id="a negative t"),
        pytest.param(json.dumps(ITEM | {"last_t": 2**63}), r"at `\$.last_t`", id="a t beyond a long"),
        pytest.param(
            json.dumps(ITEM | {"timestamp": 1515176609410000}), r"at `\$.timestamp`", id="a timestamp in microseconds"
        ),
    ],
)
def test_a_malformed_item_is_refused(text: str, reason: str) -> None:
    """Naming the place, and what to do."""
    with pytest.raises(BadInput, match=reason) as refusal:
        parse_index_item(text, where="index.jsonl, line 3")

    assert "index.jsonl, line 3" in str(refusal.value) or "x1" in str(refusal.value)
