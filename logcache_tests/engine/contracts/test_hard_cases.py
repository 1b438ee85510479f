"""Every hard case of real logs has a test by name."""

from importlib import import_module

import pytest

from logcache_tests.engine.hard_cases import HARD_CASES


@pytest.mark.parametrize("case", HARD_CASES)
def test_the_case_has_its_test(case: str) -> None:
    """A test that is renamed must be renamed in the list too."""
    module, _, test = HARD_CASES[case].rpartition(".")

    assert callable(getattr(import_module(f"logcache_tests.engine.{module}"), test))
