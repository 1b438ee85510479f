"""What every notebook runner promises: the local twin, and Databricks as the stand-in serves it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_assets.ports import NotebookError, NotebookRun, NotebookUnavailable, NotebookWrongData
from logcache_tests.adapters.notebook_worlds import COUNT, TOKEN, NotebookWorld, databricks_world, local_world
from logcache_tests.adapters.test_processes import interruptible

WORLDS = {"local": local_world, "databricks": databricks_world}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotebookWorld]:
    """Each implementation."""
    with WORLDS[request.param](tmp_path) as made:
        yield made


def test_a_notebook_gets_parameters_and_gives_its_result(world: NotebookWorld) -> None:
    """Given values, declared defaults and the exit value; the page of the run is the first that is told."""
    source = (
        "dbutils.widgets.text('given', 'default')\n"
        "dbutils.widgets.text('declared', 'default')\n"
        "dbutils.notebook.exit(dbutils.widgets.get('given') + ' ' + dbutils.widgets.get('declared'))\n"
        "raise ValueError('never')"
    )

    run = world.run(source, given="São")

    assert run.result == "São default"
    assert run.page.startswith(("file:///", "http://127.0.0.1:"))


def test_exit_passes_through_except_exception(world: NotebookWorld) -> None:
    """A notebook's own error handling does not swallow its end."""
    source = "try:\n    dbutils.notebook.exit('result')\nexcept Exception:\n    raise SystemExit(1)"

    assert world.run(source).result == "result"


def test_the_same_token_finds_the_same_run(world: NotebookWorld) -> None:
    """A second call, also from another process, returns the result and the page without a run."""
    source = COUNT + "dbutils.notebook.exit('result')"

    first, second = world.run(source), world.run(source)

    assert first == second
    assert first.result == "result"
    assert world.starts == 1


def test_another_token_is_another_run(world: NotebookWorld) -> None:
    """Each token has its own result."""
    source = COUNT + "dbutils.notebook.exit(dbutils.widgets.get('n'))"

    results = [world.run(source, token=f"token-{n}", n=n).result for n in "12"]

    assert results == ["1", "2"]
    assert world.starts == 2


def test_a_failed_run_is_run_again_by_the_next_call(world: NotebookWorld) -> None:
    """The failure of the notebook's own code is told with its words, and repeated by nobody else."""
    source = COUNT + "assert os.path.getsize(os.environ['STARTS']) > 1, 'not yet'\ndbutils.notebook.exit('result')"

    with pytest.raises(NotebookWrongData, match="not yet"):
        world.run(source)
    assert world.starts == 1
    assert world.run(source).result == "result"
    assert world.starts == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("print('done')", "without dbutils.notebook.exit", id="no result"),
        pytest.param("dbutils.widgets.get('none')", "'none', which was neither given", id="no such widget"),
        pytest.param("raise ValueError('no log')", "ValueError: no log", id="an exception"),
        pytest.param("import sys; sys.exit('a reason')", "a reason", id="an exit with a reason"),
    ],
)
def test_a_run_without_a_result_is_wrong_data(world: NotebookWorld, source: str, reason: str) -> None:
    """Its words are in the error, and where the whole output is; another call begins anew."""
    for call in (1, 2):
        with pytest.raises(NotebookWrongData, match=reason):
            world.run(COUNT + source)
        assert world.starts == call


def test_a_notebook_that_reaches_nothing_is_unavailable(world: NotebookWorld) -> None:
    """S3 was away, for example: its words are told, and nothing is concluded of what it was to read."""
    with pytest.raises(NotebookUnavailable, match="the object store did not answer"):
        world.run(COUNT + "raise ConnectionError('the object store did not answer')")


def test_a_run_that_takes_too_long_is_ended(world: NotebookWorld) -> None:
    """It could not answer in time, so nothing is known; no process stays."""
    runner = world.runner(COUNT + "time.sleep(60)", timeout_seconds=1)

    with pytest.raises(NotebookUnavailable, match=r"longer than 1 seconds|after its time limit"):
        runner.run({}, token=TOKEN, tell=world.told.append, tell_output=world.told.append)

    assert world.eventually(lambda: not world.is_running())


def test_an_interrupt_cancels_the_run(world: NotebookWorld) -> None:
    """The interrupt is raised again, no process stays, and the next call starts a new run."""
    waits = "time.sleep(60 * (os.path.getsize(os.environ['STARTS']) < 2))\n"
    source = COUNT + waits + "dbutils.notebook.exit('result')"

    with interruptible() as interrupt:
        threading.Thread(target=lambda: world.eventually(lambda: world.starts == 1) and interrupt()).start()
        with pytest.raises(KeyboardInterrupt):
            world.run(source)

    assert world.eventually(lambda: not world.is_running())
    assert world.run(source).result == "result"
    assert world.starts == 2


def test_two_callers_at_once_share_one_run(world: NotebookWorld) -> None:
    """Both get its result."""
    source = COUNT + "time.sleep(0.7)\ndbutils.notebook.exit('result')"
    results: list[NotebookRun] = []
    runners = [world.runner(source) for _ in range(2)]
    threads = [
        threading.Thread(
            target=lambda r=runner: results.append(
                r.run({}, token=TOKEN, tell=world.told.append, tell_output=world.told.append)
            )
        )
        for runner in runners
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [run.result for run in results] == ["result", "result"]
    assert results[0] == results[1]
    assert world.starts == 1


def test_all_is_ready_for_a_run(world: NotebookWorld) -> None:
    """What must be so before a run is so, and says something."""
    found = {name: ask() for name, ask in world.runner("dbutils.notebook.exit('')").checks().items()}

    assert all(found.values())
    assert found


@pytest.mark.parametrize("token", ["", "../outside", "a/b", "x" * 65, "a b"])
def test_a_token_that_is_no_name_is_refused(world: NotebookWorld, token: str) -> None:
    """The token is refused before anything is started."""
    with pytest.raises(NotebookError, match="token"):
        world.run(COUNT, token=token)

    assert world.starts == 0
