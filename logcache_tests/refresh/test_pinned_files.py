"""Definitions and rules at a commit: a file that would not be found is refused, never passed over."""

from pathlib import Path

import pytest

from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.refresh.pinned_definitions import definition_paths
from logcache_assets.refresh.pinned_rules import read_rules
from logcache_tests.domain.samples import READ_AT


@pytest.mark.parametrize("name", ["validation.yml", "validation.YAML", "contracts/other.yml"])
def test_a_file_of_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    """Rules that nobody reads would let everything pass by the defaults."""
    clock = LocalClock(tmp_path / "clock")
    clock.set(READ_AT)
    repository = LocalItaipuRepository(tmp_path / "itaipu.git", tmp_path / "pull_requests", clock)
    sha = repository.initialise({"contracts/feed.yaml": "", name: ""}, "Begin")

    with pytest.raises(BadInput, match=r"would not be read, because names end with \.yaml; rename it"):
        _ = read_rules(repository, clock, sha=sha), definition_paths(repository, ref=sha)
