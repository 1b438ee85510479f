"""The storage that commands run with is Dagster's own, made faster."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from threading import Barrier

import dagster as dg
import pytest

from logcache_assets.defs.run_storage import KEPT_FILES, OneEngineEventLog, open_storage

DEFAULT = "telemetry: {enabled: false}\n"
ELSEWHERE = """\
run_storage: {module: dagster._core.storage.runs, class: SqliteRunStorage, config: {base_dir: %(folder)s}}
event_log_storage:
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config: {base_dir: %(folder)s}
"""


@dg.asset(check_specs=[dg.AssetCheckSpec("is_one", asset="number")])
def number():  # type: ignore[no-untyped-def]  # noqa: ANN201 - Dagster would take a hint for an output's type
    """An asset with a check."""
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


def run_in(instance: dg.DagsterInstance) -> str:
    """The id of a run that was stored there."""
    return dg.materialize([number], instance=instance).run_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Dagster's home."""
    (tmp_path / "dagster.yaml").write_text(DEFAULT, encoding="utf-8")
    return tmp_path


def test_dagster_reads_what_was_written(folder: Path) -> None:
    """Dagit, which opens the folder in the usual way, finds the run with all its events, the asset and the check."""
    with open_storage(folder) as ours:
        ours_id = run_in(ours)
    with dg.DagsterInstance.from_config(str(folder)) as usual:
        usual_id = run_in(usual)

        events = {
            run: [(r.dagster_event and r.dagster_event.event_type_value) for r in usual.all_logs(run)]
            for run in (ours_id, usual_id)
        }
        materialized = usual.get_latest_materialization_event(number.key)
        checks = usual.event_log_storage.get_asset_check_execution_history(next(iter(number.check_keys)), limit=10)

    assert events[ours_id] == events[usual_id]
    assert materialized is not None
    assert [record.run_id for record in checks] == [usual_id, ours_id]


def test_the_files_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    """A `?` does not begin a query, as in Dagster's own URLs."""
    folder = tmp_path / "a?b#c%41 é"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(DEFAULT, encoding="utf-8")

    with open_storage(folder) as ours:
        run = run_in(ours)
        assert [record.run_id for record in ours.get_runs()] == [run]

    assert (folder / "history" / "runs.db").is_file()
    assert list(tmp_path.iterdir()) == [folder]


def test_ours_reads_what_dagster_wrote(folder: Path) -> None:
    """A command goes on in the storage of a refresh that Dagit launched."""
    with dg.DagsterInstance.from_config(str(folder)) as usual:
        run = run_in(usual)

    with open_storage(folder) as ours:
        found = ours.get_latest_materialization_event(number.key)

    assert found is not None
    assert found.run_id == run


def test_a_files_engine_is_made_once(folder: Path) -> None:
    """A run and the index have a file each; a second run adds one."""
    with open_storage(folder) as ours:
        log = ours.event_log_storage
        assert isinstance(log, OneEngineEventLog)

        first = run_in(ours)
        engines = dict(log._engines)  # noqa: SLF001 - what the class is for
        second = run_in(ours)
        later = dict(log._engines)  # noqa: SLF001

    assert engines.keys() == {"index", first}
    assert later.keys() == {"index", first, second}
    assert all(later[shard] is engine for shard, engine in engines.items())


def opened_files() -> set[str]:
    """The database files that this process holds open, journals not counted."""
    return {Path(found).name for link in Path("/proc/self/fd").iterdir() if (found := _target(link)).endswith(".db")}


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # it is that of listing this folder
        return ""


def test_files_stay_open_until_the_end(folder: Path) -> None:
    """Between two events the index and the file of the run stay open; nothing does afterwards."""
    before = opened_files()
    with open_storage(folder) as ours:
        run = run_in(ours)
        during = opened_files()

    assert during - before == {"index.db", f"{run}.db"}
    assert opened_files() == before


def test_only_the_newest_runs_are_kept_open(folder: Path) -> None:
    """A web server may show thousands of runs: the one that was not looked at for longest is closed."""
    with open_storage(folder) as ours:
        runs = [run_in(ours) for _ in range(KEPT_FILES)]
        opened = opened_files()

        assert f"{runs[0]}.db" not in opened
        assert {f"{run}.db" for run in runs[1:]} <= opened
        assert ours.all_logs(runs[0])


def test_what_another_process_writes_is_seen(folder: Path) -> None:
    """A connection that stays open shows what was committed since."""
    with open_storage(folder) as ours, dg.DagsterInstance.from_config(str(folder)) as usual:
        first = run_in(ours)
        assert ours.get_latest_materialization_event(number.key)

        second = run_in(usual)

        found = ours.get_latest_materialization_event(number.key)
        assert found is not None
        assert found.run_id == second != first


def test_a_page_that_watches_a_run_is_told_of_its_events(folder: Path) -> None:
    """Dagit looks at a run again when its file changes, also while our connection keeps the journal."""
    told: Queue[str] = Queue()
    with open_storage(folder) as ours, dg.DagsterInstance.from_config(str(folder)) as usual:
        run = run_in(ours)
        seen = usual.get_records_for_run(run).cursor
        usual.watch_event_logs(run, seen, lambda entry, _cursor: told.put(entry.message))

        ours.report_engine_event("the run goes on", usual.get_run_by_id(run))

        assert told.get(timeout=60) == "the run goes on"


def test_an_event_waits_for_no_disk(folder: Path) -> None:
    """The journal goes to the disk at checkpoints (NORMAL, 1), not at each of a refresh's thousand commits."""
    with open_storage(folder) as ours:
        log = ours.event_log_storage
        assert isinstance(log, OneEngineEventLog)
        with log.index_connection() as connection:
            modes = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]

    assert modes == ["wal", 1]


def test_a_storage_that_the_folder_names_is_kept(folder: Path) -> None:
    """Somebody who keeps the events elsewhere gets them there."""
    (folder / "dagster.yaml").write_text(ELSEWHERE % {"folder": folder / "elsewhere"}, encoding="utf-8")

    with open_storage(folder) as ours:
        assert not isinstance(ours.event_log_storage, OneEngineEventLog)
        run = run_in(ours)
        assert (folder / "elsewhere").is_dir()

    with dg.DagsterInstance.from_config(str(folder)) as usual:
        assert usual.get_run_by_id(run) is not None


def test_several_may_open_a_new_storage_at_once(folder: Path) -> None:
    """As when a command is started beside the pages on a new home; without turns half of them fail."""
    many, folders = 4, [folder / str(number) for number in range(3)]
    together = Barrier(many, timeout=60)

    def open_all() -> list[int]:
        found = []
        for each in folders:
            together.wait()
            with open_storage(each) as instance:
                found.append(instance.get_runs_count())
        return found

    for each in folders:
        each.mkdir()
        (each / "dagster.yaml").write_text(DEFAULT, encoding="utf-8")
    with ThreadPoolExecutor(many) as pool:
        opened = [pool.submit(open_all) for _ in range(many)]

    assert [future.result() for future in opened] == [[0] * len(folders)] * many
