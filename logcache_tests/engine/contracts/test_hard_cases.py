"""Every hard case of real logs has a test by name."""

from importlib import import_module

import pytest

from logcache_tests.engine.hard_cases import HARD_CASES


@pytest.mark.parametrize("case", HARD_CASES)
def test_the_case_has_its_test(case: str) -> None:
    """A renamed test takes its place in the list along."""
    module, _, test = HARD_CASES[case].partition(".")

    assert callable(getattr(import_module(f"logcache_tests.engine.{module}"), test))
