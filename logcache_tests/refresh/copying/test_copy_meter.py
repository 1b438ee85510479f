"""Progress of a copy as lines."""

import pytest

from logcache_assets.domain.copying import CopyProgress
from logcache_assets.refresh.copying import copy_meter
from logcache_assets.refresh.copying.copy_meter import ProgressLines


def at(done: int) -> CopyProgress:
    """So many of four objects."""
    return CopyProgress(objects=4, objects_done=done, size_bytes=4_000_000, bytes_done=done * 1_000_000, seconds=1)


def test_a_short_copy_tells_nothing() -> None:
    """What takes less than ten seconds needs no line, also at its end."""
    told: list[str] = []
    lines = ProgressLines(told.append)

    for done in range(5):
        lines(at(done))

    assert told == []


def test_a_long_copy_tells_lines_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """With objects, bytes, rate and what is left."""
    monkeypatch.setattr(copy_meter, "LINE_SECONDS", 0)
    told: list[str] = []
    lines = ProgressLines(told.append)
    lines(at(2))
    monkeypatch.setattr(copy_meter, "LINE_SECONDS", 10)
    lines(at(3))
    lines(at(4))

    assert told == [
        "2 of 4 objects, 2 of 4 MB, 2 objects/s, 1 s left",
        "4 of 4 objects, 4 of 4 MB, 4 objects/s, 0 s left",
    ]
