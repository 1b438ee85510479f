"""Two days compared by this project's own engine."""

import tempfile
from pathlib import Path

from comparing import Answer, Task, read_task, write_answer

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.scratch import local_driver
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.contract_files import open_table


def compare(task: Task) -> Answer:
    """Compare with `logcache_assets.engine.compare`, and give its figures under the peers' names."""
    with tempfile.TemporaryDirectory() as buckets, local_driver() as driver:
        for name, folder in (("yesterday", task.yesterday), ("today", task.today)):
            (Path(buckets) / name).symlink_to(Path(folder).absolute(), target_is_directory=True)
        store = FolderObjectStore(Path(buckets), SystemClock())
        comparison = Comparison(
            yesterday=open_table("s3://yesterday", store, key=task.key),
            today=open_table("s3://today", store, key=task.key),
            key=tuple(task.key),
            row_columns=frozenset(task.key[:1]),
            token_key=b"of the benchmark",
        )
        figures = compare_tables(comparison, driver, driver.scratch).figures
    return Answer(
        both=figures.found,
        missing=figures.missing,
        added=figures.added,
        changed={name: cells.compared - cells.equal for name, cells in figures.columns.items()},
    )


def main() -> None:
    """Compare and answer."""
    task = read_task(__doc__)
    write_answer(task, compare(task))


if __name__ == "__main__":
    main()
