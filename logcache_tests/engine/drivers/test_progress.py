"""Progress is counted across threads and reported at intervals."""

import threading

from logcache_assets.engine.drivers.progress import Meter, Progress


def test_every_step_is_told_at_interval_zero() -> None:
    """Datoms add up; buckets are those of the current phase."""
    told: list[Progress] = []
    meter = Meter(told.append, interval_seconds=0)

    meter.add(datoms=1000)
    meter.add(datoms=500)
    meter.expect(4)
    meter.add(buckets=1)

    assert [(p.datoms, p.buckets_done, p.buckets) for p in told] == [(1000, 0, 0), (1500, 0, 0), (1500, 1, 4)]
    assert told[0].seconds <= told[1].seconds


def test_nothing_is_told_before_the_interval_is_over() -> None:
    """The log of a run is not flooded."""
    told: list[Progress] = []
    meter = Meter(told.append, interval_seconds=3600)

    for _ in range(1000):
        meter.add(datoms=1)

    assert told == []


def add_500(meter: Meter) -> None:
    """Add 500 datoms one by one."""
    for _ in range(500):
        meter.add(datoms=1)


def test_threads_lose_no_count() -> None:
    """Several threads add to one meter."""
    told: list[Progress] = []
    meter = Meter(told.append, interval_seconds=0)
    threads = [threading.Thread(target=add_500, args=(meter,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(p.datoms for p in told) == list(range(1, 4001))


def test_rate_and_time_left_follow_from_what_was_done() -> None:
    """Two million datoms in 10 s; then two of eight buckets in 10 s, so 30 s are left."""
    reading = Progress(datoms=2_000_000, buckets_done=0, buckets=0, seconds=10.0)
    computing = Progress(datoms=2_000_000, buckets_done=2, buckets=8, seconds=10.0)

    assert (reading.per_second, computing.per_second) == (200_000, 0.2)
    assert computing.seconds_left == 30
    assert str(reading) == "2,000,000 datoms read (200,000/s)"
    assert str(computing) == "2,000,000 datoms read, 2 of 8 buckets done (0.2/s, 30 s left)"


def test_what_is_not_known_is_not_told() -> None:
    """No time left before the first bucket is done, no rate at zero seconds."""
    reading = Progress(datoms=5, buckets_done=0, buckets=0, seconds=0.0)
    first = Progress(datoms=5, buckets_done=0, buckets=8, seconds=1.0)
    at_once = Progress(datoms=5, buckets_done=1, buckets=8, seconds=0.0)

    assert (reading.per_second, reading.seconds_left) == (0, None)
    assert first.seconds_left is None
    assert str(first) == "5 datoms read, 0 of 8 buckets done"
    assert (at_once.per_second, at_once.seconds_left) == (0, 0)
