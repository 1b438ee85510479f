"""Several threads may read the first value of a type at once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from logcache_tests.source_strings import modules

PROGRAM = Path(__file__).parent / "first_values.py"


@pytest.mark.parametrize("way", ["decode_json", "converted"])
def test_threads_may_meet_a_type_together(way: str) -> None:
    """In a process of its own: without turns it dies by SIGSEGV within a few types."""
    done = subprocess.run([sys.executable, PROGRAM, way], capture_output=True, text=True, timeout=300, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_every_type_is_prepared() -> None:
    """Wherever the package reads values of a type."""
    lines = [line for path in modules() for line in path.read_text(encoding="utf-8").splitlines()]
    reads = [line.strip() for line in lines if re.search(r"msgspec\.convert\(|json\.decode\(.*type=", line)]

    assert len(reads) >= 4
    assert [line for line in reads if "prepared(" not in line] == []
