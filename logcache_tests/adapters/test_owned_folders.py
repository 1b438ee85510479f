"""Temporary folders of killed processes do not stay for ever."""

import shutil
import subprocess
import sys
from pathlib import Path

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.owned_folders import folder_of_process, make_owned_folder, owned_folder
from logcache_assets.adapters.system_clock import SystemClock

OWNER = """
import sys, time
from pathlib import Path
from logcache_assets.adapters.owned_folders import make_owned_folder
(make_owned_folder(Path(sys.argv[1]), sys.argv[2]).path / "part").write_text("half")
print("made", flush=True)
time.sleep(60)
"""


def killed_owner(parent: Path, name: str) -> None:
    """A process makes a folder, and is killed."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(parent), name], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    owner.stdout.readline()
    owner.kill()
    owner.communicate()


def test_the_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    """Only those with the same name and the mark; a living process keeps its own."""
    mine, others = make_owned_folder(tmp_path, ".out"), [tmp_path / ".out.backup", tmp_path / ".outer"]
    for folder in others:
        folder.mkdir()
    killed_owner(tmp_path, ".out")
    before = set(tmp_path.iterdir())

    with owned_folder(tmp_path, ".out") as made:
        during = set(tmp_path.iterdir())

    assert len(before) == 4
    assert during == {mine.path, made, *others}
    mine.remove()
    assert set(tmp_path.iterdir()) == set(others)


def test_a_store_removes_what_a_killed_writer_left(tmp_path: Path) -> None:
    """Its first write does, and leaves nothing of its own but an empty folder."""
    store = FolderObjectStore(tmp_path, SystemClock())
    store.create_bucket("bucket")
    (tmp_path / ".staging").mkdir()
    killed_owner(tmp_path / ".staging", "")

    store.write("s3://bucket/object", b"whole")

    assert [path for path in (tmp_path / ".staging").rglob("*") if path.is_file()] == []
    assert len(list((tmp_path / ".staging").iterdir())) == 1


def test_a_process_has_one_folder_as_long_as_it_is_there(tmp_path: Path) -> None:
    """Another one is made when somebody removed it."""
    first, again = folder_of_process(tmp_path), folder_of_process(tmp_path)
    shutil.rmtree(first)

    third = folder_of_process(tmp_path)

    assert first == again
    assert third != first
    assert third.is_dir()
