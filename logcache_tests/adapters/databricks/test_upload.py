"""Wheel and notebook of this version lie where clusters read them, once, and exactly as they are here."""

import base64
import csv
import hashlib
import io
import json
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from logcache_assets.adapters.databricks.release import Placed, Release
from logcache_assets.adapters.databricks.wheel import build_wheel, own_wheel, pinned_requirements
from logcache_assets.cli.main import run_command
from logcache_assets.connect import own_release
from logcache_assets.ports import NotebookDenied, NotebookWrongData
from logcache_assets.settings import load_settings
from logcache_tests.adapters.notebook_worlds import COUNT, TOKEN, DatabricksWorld

EXIT = COUNT + "dbutils.notebook.exit('result')"
VOLUME = "/Volumes/bank/logcache/wheels"


def release_of(world: DatabricksWorld, **variables: str) -> Release:
    """This very version, as the settings of the world place it."""
    given = {f"LOGCACHE_DATABRICKS_{name.upper()}": value for name, value in variables.items()}
    return own_release(load_settings({**world.workspace.variables, "LOGCACHE_STORE": "s3", **given}))


def paths_of(placed: list[Placed]) -> list[str]:
    """Where files are."""
    return [file.path for file in placed]


def test_a_version_is_uploaded_once(world: DatabricksWorld) -> None:
    """The second time nothing is sent; both paths name the digest of the content."""
    first, second = list(release_of(world).upload()), list(release_of(world).upload())

    assert [file.was_there for file in first] == [False, False]
    assert [file.was_there for file in second] == [True, True]
    assert world.workspace.files.imports == paths_of(first) == paths_of(second)
    digest = own_wheel().version.partition("+")[2]
    assert len(digest) == 12
    assert all(f"-{digest}/" in path for path in paths_of(first))


def test_what_is_uploaded_is_what_is_here(world: DatabricksWorld) -> None:
    """Byte for byte."""
    release = release_of(world)
    list(release.upload())

    assert world.workspace.files.files == {release.wheel_path: own_wheel().content}
    assert world.workspace.files.notebooks == {release.notebook_path: release.notebook.read_bytes()}


def test_a_wheel_can_lie_in_a_volume(world: DatabricksWorld) -> None:
    """Where a policy forbids libraries from the workspace; the notebook stays in it."""
    release = release_of(world, wheels=VOLUME)

    first, second = list(release.upload()), list(release.upload())

    assert release.wheel_path.startswith(f"{VOLUME}/0.1.0-")
    assert world.workspace.files.files == {release.wheel_path: own_wheel().content}
    assert ([f.was_there for f in first], [f.was_there for f in second]) == ([False, False], [True, True])


def test_a_wheel_can_lie_on_s3(world: DatabricksWorld) -> None:
    """It is put there by our own object store."""
    release = world.not_uploaded(EXIT, wheels="s3://permanent/wheels").release
    world.store.create_bucket("permanent")

    first, second = list(release.upload()), list(release.upload())

    assert world.store.read(release.wheel_path) == own_wheel().content
    assert ([f.was_there for f in first], [f.was_there for f in second]) == ([False, False], [True, True])


@pytest.mark.parametrize("wheels", [None, VOLUME])
def test_a_wheel_that_is_cut_short_is_put_there_again(world: DatabricksWorld, wheels: str | None) -> None:
    """An upload was interrupted: the size tells."""
    runner = world.not_uploaded(EXIT, wheels=wheels)
    list(runner.release.upload())
    world.workspace.files.files[runner.release.wheel_path] = own_wheel().content[:1000]

    with pytest.raises(
        NotebookWrongData, match=r"does not have this version: .*\.whl is not there; run `logcache data"
    ):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)
    assert [file.was_there for file in runner.release.upload()] == [False, True]
    assert runner.run({}, token=TOKEN, tell=print, tell_output=print).result == "result"


def test_nothing_is_started_before_a_version_is_uploaded(world: DatabricksWorld) -> None:
    """A cluster would start for minutes to find that out."""
    runner = world.not_uploaded(EXIT)

    with pytest.raises(NotebookWrongData, match="does not have this version"):
        runner.run({}, token=TOKEN, tell=print, tell_output=print)

    assert world.workspace.count("/runs/submit") == 0


def test_an_upload_that_is_not_allowed_says_so(world: DatabricksWorld) -> None:
    """And nothing is there afterwards."""
    world.workspace.files.read_only = True

    with pytest.raises(NotebookDenied, match=r"does not allow what was asked \(wheel /Workspace.*Edit permissions"):
        list(release_of(world).upload())

    assert world.workspace.files.files == world.workspace.files.notebooks == {}


def test_the_command_says_what_is_where(
    world: DatabricksWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people lines, for programs one document; without a workspace it is wrong usage."""
    assert run_command(["databricks", "upload"]) == 2
    assert "LOGCACHE_DATABRICKS_HOST is not set" in capsys.readouterr().err
    for name, value in {**world.workspace.variables, "LOGCACHE_STORE": "s3"}.items():
        monkeypatch.setenv(name, value)

    assert run_command(["databricks", "upload"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert run_command(["databricks", "upload", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert [line.split()[0] for line in lines] == ["version", "uploaded", "uploaded"]
    assert document["version"] == own_wheel().version
    assert [file["path"] for file in document["files"]] == world.workspace.files.imports
    assert [file["was_there"] for file in document["files"]] == [True, True]


def test_the_same_code_is_the_same_wheel() -> None:
    """Whenever and wherever it is made; other code, or other versions of what it needs, is another one."""
    files = {"logcache_assets/__init__.py": b"", "logcache_assets/a.py": b"A = 1\n"}
    first = build_wheel(files, version="0.1.0", requires=("polars==2.1.0",))

    again = build_wheel(dict(reversed(files.items())), version="0.1.0", requires=("polars==2.1.0",))
    other_code = build_wheel(
        {**files, "logcache_assets/a.py": b"A = 2\n"}, version="0.1.0", requires=("polars==2.1.0",)
    )
    other_version = build_wheel(files, version="0.1.0", requires=("polars==2.1.1",))

    assert first == again
    assert len({first.version, other_code.version, other_version.version}) == 3


def test_the_wheel_is_one_by_the_specification() -> None:
    """Its RECORD has the digest and size of every file; its name and its metadata have the same version."""
    wheel = own_wheel()
    archive = zipfile.ZipFile(io.BytesIO(wheel.content))
    described = f"logcache_assets-{wheel.version}.dist-info"

    rows = {row[0]: row[1:] for row in csv.reader(archive.read(f"{described}/RECORD").decode().splitlines())}

    assert set(rows) == set(archive.namelist())
    for name, (digest, size) in rows.items():
        if not name.endswith("/RECORD"):
            content = archive.read(name)
            said = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={said}", str(len(content)))
    assert f"Version: {wheel.version}\n" in archive.read(f"{described}/METADATA").decode()
    assert wheel.file_name == f"logcache_assets-{wheel.version}-py3-none-any.whl"


def test_the_wheel_has_the_notebook_and_no_demo_data() -> None:
    """All that a notebook imports and reads, and not the half that only the local world needs."""
    names = zipfile.ZipFile(io.BytesIO(own_wheel().content)).namelist()
    package = {Path(name).parts[0] for name in names}

    assert "logcache_assets/notebooks/export_log.py" in names
    assert "logcache_assets/engine/facts/bootstrap.json" in names
    assert not [name for name in names if "demo_world" in name or "__pycache__" in name]
    assert package == {"logcache_assets", f"logcache_assets-{own_wheel().version}.dist-info"}


def test_a_cluster_installs_what_was_tested() -> None:
    """Every requirement at the version that is installed here, but Spark's own, and none of Dagster's."""
    required = pinned_requirements()

    assert f"polars=={metadata.version('polars')}" in required
    assert "pyarrow>=20" in required
    assert all("==" in text or text.startswith("pyarrow") for text in required)
    assert not [text for text in required if text.startswith(("dagster", "databricks", "pyspark", "click"))]
