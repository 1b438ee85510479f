"""docs/testing.md names a test for every code, or says that there is no such check."""

import ast
import re
from pathlib import Path

import pytest

from logcache_assets.domain.problems import CODES

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "testing.md").read_text(encoding="utf-8")
CHECKED = dict(re.findall(r"^\| (C\d+) \| .+ \| `([^`]+\.py::\w+)` \|$", TEXT, re.MULTILINE))
"""Code → file and test."""
ABSENT = tuple(re.findall(r"^\| (C\d+) \| [^|`]+ \|$", TEXT, re.MULTILINE))
EVERY = [f"C{number}" for number in range(1, 32)]


def test_every_code_is_in_the_table_once() -> None:
    """No failure of the list is forgotten, and none is both checked and absent."""
    assert sorted([*CHECKED, *ABSENT], key=EVERY.index) == EVERY
    assert set(CODES) <= set(CHECKED)


@pytest.mark.parametrize("code", CHECKED)
def test_a_named_test_exists(code: str) -> None:
    """The table is of this suite."""
    file, _, name = CHECKED[code].partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))

    assert name in {found.name for found in tree.body if isinstance(found, ast.FunctionDef)}
