"""Two days compared by diffly, as its summary does, without the text. Floats must be equal: no tolerance."""

import polars as pl
from comparing import Answer, Task, read_task, write_answer
from diffly import compare_frames


def compare(task: Task) -> Answer:
    """Each figure is a query of its own; of columns diffly tells the share of equal cells."""
    yesterday, today = pl.scan_parquet(task.yesterday / "*.parquet"), pl.scan_parquet(task.today / "*.parquet")
    found = compare_frames(yesterday, today, primary_key=list(task.key), abs_tol=0, rel_tol=0)
    both = found.num_rows_joined()
    return Answer(
        both=both,
        missing=found.num_rows_left_only(),
        added=found.num_rows_right_only(),
        changed={name: both - round(share * both) for name, share in found.fraction_same().items()},
    )


def main() -> None:
    """Compare and answer."""
    task = read_task(__doc__)
    write_answer(task, compare(task))


if __name__ == "__main__":
    main()
