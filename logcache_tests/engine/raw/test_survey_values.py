"""Which texts of a raw log are canonical, by type; the texts themselves are told nowhere."""

from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.raw.survey_values import SurveyedType, survey_values
from logcache_assets.engine.storage.parquet import parquet_bytes
from logcache_assets.engine.storage.schemas import LOG_SCHEMA

TYPES = {
    "long": 22,
    "string": 23,
    "boolean": 24,
    "instant": 25,
    "bytes": 27,
    "ref": 20,
    "keyword": 21,
    "uuid": 56,
    "double": 57,
    "float": 58,
    "uri": 59,
    "bigint": 60,
    "bigdec": 61,
    "tuple": 63,
}
"""Value type → the entity id that a :db/valueType datom holds (Datomic's bootstrap)."""
CANONICAL = {
    "long": ["0", "-5", "9223372036854775807"],
    "string": ["", "any\ntext"],
    "boolean": ["true", "false"],
    "instant": ["2018-05-28T14:20:23.944Z", "+10000-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"],
    "bytes": ["", "AQ==", "AQI=", "AQID"],
    "ref": ["17592186045418"],
    "keyword": [":a", ":transaction/status"],
    "uuid": ["49ae32bb-c260-4622-ac10-753cfd8fa7b3"],
    "double": ["1.0", "-0.0", "1.0E-320", "NaN", "Infinity", "-Infinity", "1.7976931348623157E308"],
    "float": ["0.1", "3.4028235E38"],
    "uri": ["https://x/"],
    "bigint": ["0", "-123456789012345678901234567890"],
    "bigdec": ["1000", "1.00", "-0.5"],
    "tuple": ["[1 :a nil]"],
}
OTHER = {
    "long": ["+1", "01", "1.0", "1N", " 1"],
    "boolean": ["True", "1", ""],
    "instant": ["2018-05-28T14:20:23Z", "2018-05-28 14:20:23.944", "1527517223944", '#inst "2018"'],
    "bytes": ["AQ", "0xABC", "A==="],
    "ref": [":a/b", "-1"],
    "keyword": ["a/b", ":a b", ""],
    "uuid": ["49AE32BB-C260-4622-AC10-753CFD8FA7B3", "#uuid"],
    "double": ["1", "1e5", "nan", "inf", "1.0M"],
    "float": ["1", ".5"],
    "bigint": ["1N", "1.0"],
    "bigdec": ["1.0M", "1E+3", "1,0"],
    "tuple": ["(1 2)", "1 2"],
}


def surveyed(folder: Path, texts: dict[str, list[str]], *frames: pl.DataFrame) -> dict[str, SurveyedType]:
    """What a log with an attribute of each type shows; the types of attributes lie in its second file."""
    store = FolderObjectStore(folder, SystemClock())
    store.create_bucket("ephemeral")
    attributes = {name: 100 + number for number, name in enumerate(texts)}
    rows = [(1000, attributes[name], text) for name, own in texts.items() for text in own]
    types = [(attributes[name], 40, str(TYPES[name])) for name in texts]
    uris = []
    for number, own in enumerate((rows, types)):
        frame = pl.DataFrame([(e, a, v, 1000, 1, True, None) for e, a, v in own], {**LOG_SCHEMA}, orient="row")
        uris.append(f"s3://ephemeral/log/part-{number}.parquet")
        store.write(uris[-1], parquet_bytes(frame))
    for frame in frames:
        uris.append(f"s3://ephemeral/log/part-{len(uris)}.parquet")
        store.write(uris[-1], parquet_bytes(frame))
    return {found.value_type: found for found in survey_values(uris, store)}


def test_canonical_texts_are_counted(tmp_path: Path) -> None:
    """Each type's own, which docs/formats.md names."""
    found = surveyed(tmp_path, CANONICAL)

    assert {name: found[name].texts for name in CANONICAL if name != "ref"} == {
        name: len(texts) for name, texts in CANONICAL.items() if name != "ref"
    }
    assert [name for name, one in found.items() if one.other_form or one.unreadable] == []


@pytest.mark.parametrize("value_type", OTHER)
def test_texts_of_another_form_are_counted(tmp_path: Path, value_type: str) -> None:
    """As other writers spell them."""
    found = surveyed(tmp_path, {value_type: [*CANONICAL[value_type], *OTHER[value_type]]})

    assert found[value_type].other_form == len(OTHER[value_type])


def test_an_attribute_without_a_type_is_told(tmp_path: Path) -> None:
    """Its datoms may be another database's."""
    foreign = pl.DataFrame([(1, 999, "x", 1000, 1, True, None)], {**LOG_SCHEMA}, orient="row")

    assert surveyed(tmp_path, {"long": ["1"]}, foreign)["unknown"].texts == 1


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    """It is another dataset's."""
    with pytest.raises(EngineError, match="has columns other than"):
        surveyed(tmp_path, {"long": ["1"]}, pl.DataFrame({"e": [1]}))


def test_a_log_without_files_is_refused(tmp_path: Path) -> None:
    """They may have expired."""
    with pytest.raises(EngineError, match="has no Parquet file"):
        survey_values([], FolderObjectStore(tmp_path, SystemClock()))
