"""The ledger of a copy: what it keeps, what it forgets, and that it never gets in the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logcache_assets.errors import Refused
from logcache_assets.ports import StoredObject
from logcache_assets.refresh.copying.ledger import Ledger, ledger_file, open_ledger

NOW = datetime(2018, 5, 24, 2, 30, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger."""
    with open_ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def listed(name: str, etag: str = "1", size_bytes: int = 10) -> StoredObject:
    """An object of the source."""
    return StoredObject(uri=f"s3://source/{name}", size_bytes=size_bytes, etag=etag, modified_at=NOW)


def copy_of(name: str, etag: str = "c") -> StoredObject:
    """A copy."""
    return StoredObject(uri=f"s3://target/{name}", size_bytes=10, etag=etag, modified_at=NOW, checksum="crc64nvme:0")


def frozen(ledger: Ledger, *items: StoredObject, expires: dict[str, datetime] | None = None) -> None:
    """Freeze an inventory."""
    names = [(item.uri.removeprefix("s3://source/"), item) for item in items]
    ledger.freeze((name, item, (expires or {}).get(name)) for name, item in names)


def missing(ledger: Ledger) -> list[str]:
    """Names without a copy, in the order in which they are copied."""
    return [entry.name for batch in ledger.missing() for entry in batch]


def test_what_expires_first_is_copied_first(ledger: Ledger) -> None:
    """Then by name; what never expires comes last."""
    frozen(ledger, *map(listed, "abcd"), expires={"c": NOW, "d": NOW + timedelta(days=1), "b": NOW + timedelta(days=1)})

    assert missing(ledger) == ["c", "b", "d", "a"]
    assert ledger.inventory().expires_at == NOW


def test_sums_are_those_of_the_inventory(ledger: Ledger) -> None:
    """All of it, or what has no copy yet; nothing expires unless something does."""
    frozen(ledger, listed("a", size_bytes=3), listed("b", size_bytes=4))
    ledger.prove([("a", copy_of("a"))])

    assert (ledger.inventory().objects, ledger.inventory().size_bytes, ledger.inventory().expires_at) == (2, 7, None)
    assert (ledger.inventory(missing_only=True).objects, ledger.inventory(missing_only=True).size_bytes) == (1, 4)


def test_more_objects_than_a_batch_are_all_given(ledger: Ledger) -> None:
    """Each once, whether or not copies are written down between two batches."""
    names = [f"{n:04}" for n in range(2500)]
    frozen(ledger, *map(listed, names))

    given = []
    for batch in ledger.missing():
        given += [entry.name for entry in batch]
        ledger.prove((entry.name, copy_of(entry.name)) for entry in batch)

    assert given == names
    assert [entry.name for entry in ledger.entries()] == names
    assert missing(ledger) == []


def test_proofs_of_unchanged_objects_stay(ledger: Ledger) -> None:
    """A second inventory keeps them, and forgets those of objects that changed or are gone."""
    frozen(ledger, *map(listed, "abc"))
    ledger.prove((name, copy_of(name)) for name in "abc")

    frozen(ledger, listed("a"), listed("b", etag="2"), listed("d"))

    assert missing(ledger) == ["b", "d"]
    assert ledger.find("c") is None


def test_a_copy_that_is_gone_is_forgotten(ledger: Ledger) -> None:
    """The destination's listing decides."""
    frozen(ledger, *map(listed, "ab"))
    ledger.prove((name, copy_of(name)) for name in "ab")

    ledger.begin_listing()
    ledger.note_listed(["b", "stranger"])
    ledger.forget_unlisted()

    assert missing(ledger) == ["a"]


def test_a_ledger_goes_on_in_the_next_process(tmp_path: Path) -> None:
    """What one attempt proved the next one finds."""
    file = ledger_file(tmp_path, "s3://source/", "s3://target/")
    with open_ledger(file) as first:
        frozen(first, *map(listed, "ab"))
        first.prove([("a", copy_of("a"))])
        first.fail([("b", "SlowDown")])

    with open_ledger(file) as second:
        assert missing(second) == ["b"]
        assert list(second.failures()) == [("b", "SlowDown")]


def test_two_copies_have_two_ledgers(tmp_path: Path) -> None:
    """By source and destination."""
    files = {ledger_file(tmp_path, source, target) for source in ("a", "b") for target in ("a", "b")}

    assert len(files) == 4


def test_the_same_copy_is_not_made_twice_at_once(tmp_path: Path) -> None:
    """The second one is told to wait."""
    file = tmp_path / "ledger.sqlite"
    says = r"held by another process .* wait until it ends"

    with open_ledger(file), pytest.raises(Refused, match=says), open_ledger(file):
        pass


def test_a_damaged_ledger_is_begun_anew(tmp_path: Path) -> None:
    """It only saves work."""
    (tmp_path / "ledger.sqlite").write_bytes(b"no database" * 100)

    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        frozen(ledger, listed("a"))
        assert missing(ledger) == ["a"]


def test_an_entry_is_the_object_that_was_listed(ledger: Ledger) -> None:
    """To the second, as S3 lists it."""
    item = replace(listed("a/b"), modified_at=NOW + timedelta(seconds=1))
    frozen(ledger, item)

    entry = ledger.find("a/b")

    assert entry is not None
    assert entry.listed_at("s3://source/") == item
