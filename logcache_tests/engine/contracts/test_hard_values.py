"""Hard cases of values, with answers written by hand; hard_cases.py lists all.

Every contract is computed from the segments alone and with a cache at every t.
"""

import math
from decimal import Decimal

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.names import column_name, history_name
from logcache_assets.engine.log.read_segments import SegmentError
from logcache_tests.engine.app import NAME, A, cells, compute_every_way, define, log_of, sources_of
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.generated import fact_rows, segments_in
from logcache_tests.engine.world import strict_log, write_cache

HISTORY = ("user__id", "db__t")


def shown(attribute: str, store: FolderObjectStore, *changes: tuple[int, str, bool]) -> list[tuple[int, object]]:
    """The history (t, value) of one attribute of one user, from changes (t, value, added)."""
    log = log_of((A, "user/id", "a", 1001, True), *((A, attribute, v, t, added) for t, v, added in changes))
    found = compute_every_way(define({"attribute": attribute, "history": True}), store, log)
    rows = cells(found[history_name(attribute)], "db__t", column_name(attribute))
    return [(int(t), value) for t, value in rows]


def test_two_equal_byte_arrays_of_one_tx_are_one_element(store: FolderObjectStore) -> None:
    """Two identical datoms in the log, one value in the database; base64 of `no text` is empty bytes."""
    found = shown(
        "user/keys", store, (1002, "5Q==", True), (1002, "5Q==", True), (1003, "", True), (1004, "5Q==", False)
    )

    assert found == [(1002, [b"\xe5"]), (1003, [b"", b"\xe5"]), (1004, [b""])]


def test_bytes_are_ordered_unsigned(store: FolderObjectStore) -> None:
    """0x7f sorts before 0x80."""
    assert shown("user/keys", store, (1002, "gA==", True), (1002, "fw==", True)) == [(1002, [b"\x7f", b"\x80"])]


def test_a_bigdec_that_changes_its_scale_is_an_update(store: FolderObjectStore) -> None:
    """1.0 and 1.00 are two texts: each change is a row, with equal cells, also across the end of a cache."""
    found = shown(
        "user/limit",
        store,
        (1002, "1.0", True),
        (1003, "1.00", True),
        (1003, "1.0", False),
        (1004, "1.0", True),
        (1004, "1.00", False),
        (1005, "1.0", False),
    )

    assert found == [(1002, Decimal(1)), (1003, Decimal(1)), (1004, Decimal(1)), (1005, None)]


def test_bigdecs_of_two_scales_are_one_element(store: FolderObjectStore) -> None:
    """Both facts are current; the list shows the number once, until the last of them is retracted."""
    found = shown(
        "user/limits",
        store,
        (1002, "1.0", True),
        (1003, "1.00", True),
        (1004, "1.0", False),
        (1005, "1.00", False),
    )

    assert found == [(1002, [Decimal(1)]), (1003, [Decimal(1)]), (1004, [Decimal(1)]), (1005, None)]


def test_nan_stays_until_it_is_retracted(store: FolderObjectStore) -> None:
    """Datomic elides updates to and from NaN, so the log has none; NaN is the last element of a list."""
    (first, second) = shown("user/score", store, (1002, "NaN", True), (1004, "NaN", False))
    (row,) = shown("user/scores", store, (1002, "NaN", True), (1002, "-1.0", True), (1002, "Infinity", True))

    assert isinstance(first[1], float)
    assert math.isnan(first[1])
    assert second == (1004, None)
    assert repr(row[1]) == "[-1.0, inf, nan]"


@pytest.mark.parametrize("text", ["-0.0", "1.0E-320", "5.0E-324", "Infinity", "-Infinity", "1.7976931348623157E308"])
def test_doubles_keep_every_bit(text: str, store: FolderObjectStore) -> None:
    """The sign of zero, subnormals and infinities are kept."""
    found = shown("user/score", store, (1002, text, True))

    assert repr(found) == repr([(1002, float(text.replace("Infinity", "inf")))])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("a\u0000b\u0001\t\r\n\u007f\u0085", id="control characters"),
        pytest.param("\ufffd\ufeff\u202e\U0010ffff", id="odd code points"),
        pytest.param("é" * 2**19, id="a megabyte"),
    ],
)
def test_texts_are_kept_as_they_are(text: str, store: FolderObjectStore) -> None:
    """Texts are unchanged as a value, as a key and in a list."""
    log = log_of(
        (A, "user/id", text, 1001, True),
        (A, "user/name", text, 1002, True),
        (A, "user/tags", text, 1002, True),
        (A, "user/tags", "b", 1002, True),
    )

    found = compute_every_way(define(NAME, {"attribute": "user/tags"}), store, log)

    assert cells(found["users"], "user__id", "user__name", "user__tags") == [(text, text, sorted([text, "b"]))]
    assert cells(found["user-name-history"], *HISTORY) == [(text, 1002)]


@pytest.mark.parametrize("surrogate", [b"\xed\xa0\x80", b"\xed\xbf\xbf"])
def test_an_unpaired_surrogate_is_no_text_of_a_segment(surrogate: bytes, store: FolderObjectStore) -> None:
    """Avro strings are UTF-8, so a file with one is unreadable, never read as another text."""
    log = log_of((A, "user/id", "a", 1001, True), (A, "user/name", "XXX", 1001, True))
    (source,) = sources_of(define(NAME), store, [log])
    (segment,) = segments_in(source)
    store.write(segment.path, store.read(segment.path).replace(b"XXX", surrogate))

    with pytest.raises(SegmentError, match=rf"app-s0: segment {segment.path}, .*\(0, 1001\], is not a readable"):
        strict_log(source, store)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        pytest.param("0001-01-01T00:00:00.000Z", -62_135_596_800_000, id="year 1"),
        pytest.param("1582-10-10T00:00:00.000Z", -12_219_724_800_000, id="a day that Julian calendars skip"),
        pytest.param("1969-12-31T23:59:59.999Z", -1, id="before 1970"),
        pytest.param("9999-12-31T23:59:59.999Z", 253_402_300_799_999, id="the last of four digits"),
        pytest.param("+10000-01-01T00:00:00.000Z", 253_402_300_800_000, id="beyond year 9999"),
    ],
)
def test_instants_of_any_year(text: str, milliseconds: int, store: FolderObjectStore) -> None:
    """Instants are whole milliseconds in the proleptic calendar."""
    assert shown("user/born", store, (1002, text, True)) == [(1002, milliseconds)]


def test_composite_tuples_are_their_text(store: FolderObjectStore) -> None:
    """`[nil 7]` is a value; once all parts are gone there is none."""
    found = shown(
        "user/place",
        store,
        (1002, '["x\\"y" 7]', True),
        (1003, "[nil 7]", True),
        (1003, '["x\\"y" 7]', False),
        (1004, "[nil 7]", False),
    )

    assert found == [(1002, '["x\\"y" 7]'), (1003, "[nil 7]"), (1004, None)]


def test_functions_are_facts_that_no_contract_shows(store: FolderObjectStore) -> None:
    """The log and the materialized entities keep them unchanged."""
    function = '#db/fn{:lang "clojure" :params [db e] :code "[[:db/add e :user/name \\"x\\"]]"}'
    log = log_of((A, "user/id", "a", 1001, True), (A, "user/hook", function, 1001, True))
    (source,) = sources_of(define(NAME), store, [log])
    write_cache(source, store, folder="cache", last_t=1001)

    found = compute_every_way(define(NAME), store, log)

    assert cells(found["users"], "user__id", "user__name") == [("a", None)]
    assert (A, 79, function, 1001, None) in fact_rows(facts_of(source, store))


def test_ids_are_longs_everywhere(store: FolderObjectStore) -> None:
    """2305864999446250524 does not fit a double; it is exact as entity, as ref, in a list, in every bucket."""
    far = 2305864999446250524
    log = log_of(
        (far, "user/id", "far", 1001, True),
        (far + 1, "user/id", "further", 1001, True),
        (far, "user/friend", str(far + 1), 1002, True),
        (far, "user/friends", str(far), 1002, True),
        (far, "user/friends", str(far + 1), 1002, True),
    )
    columns = [{"attribute": "user/friend", "ref": "user/id"}, {"attribute": "user/friends"}]

    found = compute_every_way(define(*columns), store, log)

    assert cells(found["users"], "user__id", "user__friend", "user__friends") == [
        ("far", "further", [far, far + 1]),
        ("further", None, None),
    ]
