"""Which files below a dataset's folder are data."""

import pytest

from logcache_assets.domain.data_files import is_data_file


@pytest.mark.parametrize(
    ("name", "size_bytes", "expected"),
    [
        pytest.param("part-0.parquet", 9, True, id="a file"),
        pytest.param("day=1/part-0.parquet", 9, True, id="a file in a folder"),
        pytest.param("part_0.x.parquet", 9, True, id="an underscore inside a name"),
        pytest.param("part-0.parquet", 0, True, id="Parquet without bytes: damaged, not absent"),
        pytest.param("notes.txt", 9, True, id="bytes of another kind are copied along"),
        pytest.param("_SUCCESS", 0, False, id="a mark of success"),
        pytest.param("_committed_42", 29, False, id="a note of a commit"),
        pytest.param(".part-0.parquet.crc", 9, False, id="a checksum"),
        pytest.param("_temporary/0/attempt_1/part-0.parquet", 9, False, id="an attempt that died"),
        pytest.param("day=1/.hidden/part-0.parquet", 9, False, id="a hidden folder below"),
        pytest.param("day=1/", 0, False, id="a folder that is an object"),
        pytest.param("log_$folder$", 0, False, id="a folder as old Hadoop marks it"),
    ],
)
def test_what_a_writer_leaves_beside_data_is_no_data(name: str, size_bytes: int, *, expected: bool) -> None:
    """One rule for reading, describing, choosing, copying and proving."""
    assert is_data_file(name, size_bytes) is expected
