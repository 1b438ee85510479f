"""The lock of a home: held by one process, free as soon as that ends."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from logcache_assets.adapters.home_lock import holding, is_held, take_lock
from logcache_assets.errors import Refused

HOLDER = """
import sys, time
from pathlib import Path
from logcache_assets.adapters.home_lock import take_lock
lock = take_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_refused(tmp_path: Path) -> None:
    """The sentence says what goes on and what to do; the lock is free again after the block."""
    with holding(tmp_path), pytest.raises(Refused, match=r"another refresh of .* is going on; wait for its end"):
        take_lock(tmp_path)

    take_lock(tmp_path).close()


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """Neither in a home without a lock, nor where there is no home."""
    assert not is_held(tmp_path)
    assert not is_held(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """SIGKILL frees the lock, and no other process has to clean up."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    before = is_held(tmp_path)

    holder.kill()
    holder.communicate()

    assert before
    assert not is_held(tmp_path)


def test_a_lock_of_a_home_that_is_gone_is_no_lock(tmp_path: Path) -> None:
    """Whoever holds the lock of a replaced home does not hold the new home's."""
    home = tmp_path / "home"
    home.mkdir()
    with holding(home):
        shutil.move(home, tmp_path / "aside")
        home.mkdir()

        take_lock(home).close()
