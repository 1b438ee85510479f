"""What becomes of an object in a copy, how far a copy is, what it costs."""

from datetime import timedelta

import pytest

from logcache_assets.domain.copying import Bytes, CopyProgress, Difference, Fate, estimate_copy, fate_of

ONE, OTHER = "crc64nvme:ae8b14860a799888", "crc64nvme:0000000000000000"


@pytest.mark.parametrize(
    ("source", "destination", "fate"),
    [
        pytest.param(Bytes(9, ONE), None, Fate.MISSING, id="not there"),
        pytest.param(None, Bytes(9, ONE), Fate.FOREIGN, id="only there"),
        pytest.param(Bytes(9, ONE), Bytes(9, ONE), Fate.PRESENT, id="the same bytes"),
        pytest.param(Bytes(9, ONE), Bytes(9, OTHER), Fate.CONFLICTING, id="other bytes of the same size"),
        pytest.param(Bytes(9, ONE), Bytes(8, ONE), Fate.CONFLICTING, id="another size"),
        pytest.param(Bytes(9), Bytes(8), Fate.CONFLICTING, id="another size, without checksums"),
        pytest.param(Bytes(9), Bytes(9, ONE), Fate.UNPROVEN, id="no checksum at the source"),
        pytest.param(Bytes(9, ONE), Bytes(9), Fate.UNPROVEN, id="no checksum at the destination"),
        pytest.param(Bytes(9, None, "a"), Bytes(9, ONE, "b"), Fate.UNPROVEN, id="no checksum, other etags"),
        pytest.param(Bytes(9, None, "a"), Bytes(9, ONE, "a"), Fate.PRESENT, id="no checksum, equal etags"),
        pytest.param(Bytes(9, ONE, "a"), Bytes(9, None, "a"), Fate.UNPROVEN, id="no checksum there, equal etags"),
        pytest.param(Bytes(9, None, "a"), Bytes(8, ONE, "a"), Fate.CONFLICTING, id="equal etags, other sizes"),
        pytest.param(Bytes(9, OTHER, "a"), Bytes(9, ONE, "a"), Fate.CONFLICTING, id="equal etags, other checksums"),
    ],
)
def test_an_object_has_one_fate(source: Bytes | None, destination: Bytes | None, fate: Fate) -> None:
    """The table of the function, row by row: only equal checksums or etags prove equal bytes."""
    assert fate_of(source=source, destination=destination) is fate


def test_a_difference_says_what_lies_where() -> None:
    """Sizes of both sides."""
    assert str(Difference("a", Fate.CONFLICTING, 9, 4)) == "9 bytes at the source, 4 bytes at the destination"
    assert str(Difference("a", Fate.FOREIGN, None, 4)) == "absent at the source, 4 bytes at the destination"
    assert str(Difference("a", Fate.MISSING, 9, None)) == "9 bytes at the source, absent at the destination"


@pytest.mark.parametrize(
    ("done", "seconds", "line"),
    [
        (0, 0.0, "0 of 2,000 objects, 0 of 40 MB"),
        (1200, 2.0, "1,200 of 2,000 objects, 24 of 40 MB, 600 objects/s, 1 s left"),
        (2000, 4.0, "2,000 of 2,000 objects, 40 of 40 MB, 500 objects/s, 0 s left"),
    ],
)
def test_progress_is_one_line(done: int, seconds: float, line: str) -> None:
    """Objects, bytes, rate, and the time that is left."""
    progress = CopyProgress(
        objects=2000, objects_done=done, size_bytes=40_000_000, bytes_done=20_000 * done, seconds=seconds
    )

    assert str(progress) == line


def test_a_copy_costs_its_requests() -> None:
    """100,000 copies and three listings of 101 pages, at half a cent a thousand; by hand."""
    estimate = estimate_copy(objects=100_000, size_bytes=2_000_000_000, listed=100_000)

    assert estimate.requests == 100_303
    assert estimate.dollars == pytest.approx(0.501515)
    assert estimate.time == timedelta(seconds=100_303 / 600)


def test_an_object_in_parts_costs_more_requests() -> None:
    """6 GiB are 24 parts, beside its begin, its end and a look at its source."""
    large = 6 << 30

    assert estimate_copy(objects=1, size_bytes=large, listed=1, large_bytes=(large,)).requests == 3 + 24 + 3
