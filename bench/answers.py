"""Checks that two folders of contracts have the same rows: `python bench/answers.py FOLDER OTHER` exits with 1 if not.

A folder holds `<dataset>/*.parquet`. Rows are compared exactly, cell by cell, as a multiset; their distribution over
files does not matter, nor whether instants are in milli- or microseconds.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

INSTANT = pl.Datetime("ms", "UTC")
CELL_CHARACTERS = 60


def datasets(folder: Path) -> Mapping[str, list[Path]]:
    """Dataset → its files."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.glob("*/*/*.parquet")):
        found.setdefault(file.parent.relative_to(folder).as_posix(), []).append(file)
    return found


def count_rows(folder: Path) -> int:
    """Number of rows of all datasets."""
    files = [file for files in datasets(folder).values() for file in files]
    return sum(int(pl.scan_parquet(file).select(pl.len()).collect().item()) for file in files)


def find_differences(folder: Path, other: Path) -> Iterator[str]:
    """One sentence per dataset that differs, with its first difference."""
    ours, theirs = datasets(folder), datasets(other)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield f"{name}: only in {folder if name in ours else other}"
        elif difference := _difference(_read(ours[name]), _read(theirs[name])):
            yield f"{name}: {difference}"


def _read(files: list[Path]) -> pl.DataFrame:
    frame = pl.concat([pl.read_parquet(file) for file in files])
    return frame.with_columns(pl.col(n).cast(INSTANT) for n, t in frame.schema.items() if isinstance(t, pl.Datetime))


def _difference(ours: pl.DataFrame, theirs: pl.DataFrame) -> str | None:
    if ours.schema != theirs.schema:
        return f"columns are {_columns(ours)} and {_columns(theirs)}"
    if len(ours) != len(theirs):
        return f"there are {len(ours):,} and {len(theirs):,} rows"
    if ours.equals(theirs):
        return None
    ours, theirs = _ordered(ours), _ordered(theirs)
    equal = pl.all_horizontal(ours[name].eq_missing(theirs[name]) for name in ours.columns)
    differing = ours.select(equal.not_().arg_true()).to_series()
    return _first_row(ours, theirs, int(differing[0]), len(differing)) if len(differing) else None


def _columns(frame: pl.DataFrame) -> str:
    return ", ".join(f"{name} {dtype}" for name, dtype in frame.schema.items())


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows sorted by all columns, lists by their text."""
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    others = [name for name in frame.columns if name not in lists]
    texts = [pl.col(name).cast(pl.List(pl.String)).list.join("\n").alias(f"text of {name}") for name in lists]
    return frame.sort(*others, *texts, nulls_last=True)


def _first_row(ours: pl.DataFrame, theirs: pl.DataFrame, row: int, count: int) -> str:
    """The differing columns of the first row that differs, with its first column, the key."""
    left, right = ours.row(row, named=True), theirs.row(row, named=True)
    cells = [f"{n} {_cell(left[n])} and {_cell(right[n])}" for n in ours.columns if repr(left[n]) != repr(right[n])]
    key = next(iter(left))
    return f"{count:,} rows differ, first the one of {key} {_cell(left[key])}: {'; '.join(cells)}"


def _cell(value: object) -> str:
    text = repr(value)
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"


def main() -> None:
    """Compare two folders."""
    folder, other = (Path(argument) for argument in sys.argv[1:3])
    differences = list(find_differences(folder, other))
    for difference in differences:
        print(difference)
    print(f"{len(datasets(folder))} datasets, {count_rows(folder):,} rows: {len(differences)} datasets differ")
    sys.exit(1 if differences or not datasets(folder) else 0)


if __name__ == "__main__":
    main()
