"""The reader of JSON: a value of the wanted kind, or one short clause."""

from datetime import datetime

import msgspec
import pytest

from logcache_assets.domain.json_text import JsonError, NotJsonError, UnfitJsonError, decode_json, plain_json

DEEP = "[" * 50_000 + "]" * 50_000
LONG = "9" * 5000


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A small kind."""

    t: int
    at: datetime | None = None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(DEEP, id="lists in lists"),
        pytest.param('{"t":' * 50_000 + "1" + "}" * 50_000, id="objects in objects"),
        pytest.param('{"x": ' + DEEP + "}", id="deep, under an unknown key"),
        pytest.param("[" * 50_000, id="lists without an end"),
        pytest.param("", id="nothing"),
        pytest.param("\ufeff{}", id="a byte order mark"),
        pytest.param('{"t": NaN}', id="not a number"),
        pytest.param('{"t": "\\ud800"}', id="half a character"),
        pytest.param('{"t": "\ud800"}', id="half a character, unescaped"),
        pytest.param(b'{"t": "\xff"}', id="bytes that are no UTF-8"),
    ],
)
@pytest.mark.parametrize("kind", [Sample, object, dict[str, msgspec.Raw]])
def test_what_is_no_json_is_refused(text: str | bytes, kind: type[object]) -> None:
    """Whatever kind is wanted, and always in few words."""
    with pytest.raises(JsonError) as refusal:
        decode_json(text, kind)

    assert 0 < len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("null", "Expected `object`, got `null`", id="null"),
        pytest.param("7", "Expected `object`, got `int`", id="a number"),
        pytest.param("[]", "Expected `object`, got `array`", id="a list"),
        pytest.param(f'{{"t": {LONG}}}', "out of range", id="thousands of digits"),
        pytest.param('{"t": 1, "t": 2}', "the key 't' is given twice", id="a doubled key"),
        pytest.param('{"t":1,"t":1}', "the key 't' is given twice", id="a doubled key, as a program writes it"),
        pytest.param('{"t":1,"\\u0074":1}', "the key 't' is given twice", id="a doubled key, written in two ways"),
        pytest.param('{"t": 1, "at": "0001-01-01T00:00:00+23:00"}', "outside the years", id="the year 1"),
        pytest.param('{"t": 1, "at": "9999-12-31T23:59:59-12:00"}', "outside the years", id="the year 9999"),
        pytest.param('{"t": 1, "' + "\\u001b[31m" * 999 + '": 2}', "unknown field", id="a field of control characters"),
    ],
)
def test_json_of_another_kind_is_refused(text: str, reason: str) -> None:
    """The clause says what was found, and never at length."""
    with pytest.raises(UnfitJsonError, match=reason) as refusal:
        decode_json(text, Sample)

    assert len(str(refusal.value)) <= 300
    assert "\x1b" not in str(refusal.value)


def test_the_place_of_a_mistake_is_told() -> None:
    """Line and column, as an editor counts them."""
    with pytest.raises(NotJsonError, match="line 2 column 8"):
        plain_json('{\n  "t": }')


@pytest.mark.parametrize("spaces", [0, 70_000], ids=["short", "long"])
def test_a_doubled_key_is_found_deep_in_a_text_of_any_length(spaces: int) -> None:
    """Short texts are looked at in another way than long ones."""
    with pytest.raises(UnfitJsonError, match="the key 'a' is given twice"):
        plain_json('{"t":[{"a":1,"b":{}},{"b":2,"a":3,"a":3}]}' + " " * spaces)


def test_good_json_is_read() -> None:
    """Ordinary years in any zone, integers of Datomic's size."""
    at = "2018-05-24T02:30:00+02:00"

    assert decode_json(f'{{"t": {2**63 - 2}, "at": "{at}"}}', Sample) == Sample(2**63 - 2, datetime.fromisoformat(at))
