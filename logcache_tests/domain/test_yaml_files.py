"""The reader of YAML: a value of the wanted kind, or one sentence with file and line."""

import time
from typing import Annotated

import msgspec
import pytest

from logcache_assets.domain.yaml_files import parse_yaml
from logcache_assets.errors import BadInput

ALIASES = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""Nine lines that stand for 9^9 values."""


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A small kind."""

    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\Z")] = "x"
    inner: dict[str, object] = {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 5000, id="lists without end"),
        pytest.param("inner: " + "[" * 5000 + "]" * 5000, id="lists in lists"),
        pytest.param("inner: " + "{a: " * 60 + "1" + "}" * 60, id="60 levels"),
        pytest.param("- " * 5000, id="indented lists"),
        pytest.param(ALIASES, id="aliases of aliases"),
        pytest.param("&a [*a]", id="a list in itself"),
        pytest.param("inner: &a {b: *a}", id="a mapping in itself"),
        pytest.param("inner: &a {<<: *a}", id="a mapping merged into itself"),
        pytest.param("share: " + "9" * 5000, id="thousands of digits"),
        pytest.param("share: 1" + ":59" * 50_000, id="a number of minutes and seconds"),
        pytest.param("share: !!int ''", id="an empty integer"),
        pytest.param("share: .nan", id="not a number"),
        pytest.param("share: 0001-01-01T00:00:00+23:00", id="the year 1"),
        pytest.param('name: "\\UFFFFFFFF"', id="an escape beyond Unicode"),
        pytest.param('name: "\\ud800"', id="half a character"),
        pytest.param('name: "\\x1b[31m"', id="a control sequence"),
        pytest.param("name: x\0", id="a null character"),
        pytest.param("*" + "q" * 5000, id="a long unknown alias"),
        pytest.param("y" * 5000 + ": 1", id="a long unknown key"),
        pytest.param("null", id="null"),
        pytest.param("7", id="a number"),
        pytest.param("--- {}\n--- {}", id="two documents"),
        pytest.param("name: " + "a, " * 150_000, id="more than anybody writes by hand"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    """One short sentence that names the file, within seconds."""
    begun = time.monotonic()

    with pytest.raises(BadInput, match=r"^rules\.yaml") as refusal:
        parse_yaml(text, Sample, where="rules.yaml", remedy="correct the rules")

    assert len(str(refusal.value)) < 500
    assert time.monotonic() - begun < 30


def test_a_refused_name_is_shown() -> None:
    """The sentence has the name that is there, not only the form that it lacks."""
    with pytest.raises(BadInput, match=r"line 2: 'descrição\\\\x' is refused: .* at name"):
        parse_yaml("share: 1\nname: descrição\\x", Sample, where="rules.yaml", remedy="correct the rules")


def test_aliases_within_reason_are_read() -> None:
    """A person may name a value once and use it often."""
    found, _ = parse_yaml("inner: {a: &a [1, 2], b: *a}", Sample, where="rules.yaml", remedy="correct the rules")

    assert found.inner == {"a": [1, 2], "b": [1, 2]}
