"""The workflow that judges pull requests: what it may do, and that nobody is let through by mistake."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from logcache_assets.cli.main import logcache
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.merge_status import STATUS_NAME, untouched_status
from logcache_assets.settings import load_settings

FILE = Path(__file__).parent.parent / "deploy" / "github-workflow.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    """The workflow, as YAML has it: `on` is a boolean there."""
    read: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return read


def steps_of(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    """The steps of its one job."""
    (job,) = workflow["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def test_a_pull_request_cannot_change_its_own_judge(workflow: dict[Any, Any]) -> None:
    """The base branch's file runs, with rights to read and to set a status; nothing of the pull request is run."""
    assert list(workflow[True]) == ["pull_request_target"]
    assert "paths" not in workflow[True]["pull_request_target"]
    assert workflow["permissions"] == {
        "contents": "read",
        "pull-requests": "read",
        "statuses": "write",
        "id-token": "write",
    }
    assert not any("checkout" in str(step.get("uses")) for step in steps_of(workflow))
    assert not any("${{" in step.get("run", "") for step in steps_of(workflow))


def test_it_sets_the_status_that_the_sensor_sets(workflow: dict[Any, Any]) -> None:
    """The same name and the same words."""
    script = steps_of(workflow)[0]["run"]

    assert f"context='{STATUS_NAME}'" in script
    assert f"description='{untouched_status().sentence}'" in script
    assert f"-qxF {MAP_PATH} " in script


def test_its_settings_and_its_command_exist(workflow: dict[Any, Any]) -> None:
    """With every variable of it the settings load; no world of its own is needed."""
    last = steps_of(workflow)[-1]
    values = {"LOGCACHE_METAPOD_URL": "https://metapod.invalid/graphql", "LOGCACHE_GITHUB_REPOSITORY": "acme/itaipu"}
    given = {name: values.get(name, "acme-x" if "${{" in value else value) for name, value in last["env"].items()}

    settings = load_settings({**given, "LOGCACHE_GITHUB_URL": "https://api.github.com"})

    assert settings.github_access.repository == "acme/itaipu"
    assert 'logcache" verify-pull-request "$NUMBER"' in last["run"]
    assert "verify-pull-request" in logcache.commands


SHA = "ab" * 20
GH = """\
#!/bin/sh
echo "$*" >> "$LOG"
case "$*" in
  *files*) {files} ;;
  *statuses*) {statuses} ;;
  *head.sha*) echo {head} ;;
esac
"""


def run(
    workflow: dict[Any, Any], folder: Path, *, files: str, statuses: str = "exit 0", count: str = "2", head: str = SHA
) -> tuple[int, str, str]:
    """Exit code, output and calls of the first step, with a stand-in of `gh`."""
    program = folder / "gh"
    program.write_text(GH.format(files=files, statuses=statuses, head=head))
    program.chmod(0o755)
    output, log = folder / "output", folder / "log"
    output.touch()
    log.touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps_of(workflow)[0]["run"]],  # noqa: S607 - as GitHub does
        cwd=folder,
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(output),
            "LOG": str(log),
            "REPOSITORY": "acme/itaipu",
            "NUMBER": "12",
            "SHA": SHA,
            "CHANGED_FILES": count,
        },
        capture_output=True,
        check=False,
    )
    return done.returncode, output.read_text().strip(), log.read_text()


@pytest.mark.parametrize(
    ("files", "count", "output"),
    [
        pytest.param("printf 'a.md\\nb/log_cache_map.json\\n'", "2", "changed=no", id="other files"),
        pytest.param("printf 'a.md\\nlog_cache_map.json\\n'", "2", "changed=yes", id="the map"),
        pytest.param("printf 'a.md\\n'", "3000", "changed=yes", id="more files than GitHub lists"),
        pytest.param("printf ''", "0", "changed=no", id="no file"),
    ],
)
def test_what_leaves_the_map_alone_is_answered_at_once(
    workflow: dict[Any, Any], tmp_path: Path, files: str, count: str, output: str
) -> None:
    """Everything else is judged."""
    code, told, calls = run(workflow, tmp_path, files=files, count=count)

    assert (code, told) == (0, output)
    assert ("statuses" in calls) == (output == "changed=no")


@pytest.mark.parametrize(
    ("files", "statuses"),
    [
        pytest.param("echo gone >&2; exit 1", "exit 0", id="the files are not told"),
        pytest.param("printf 'a.md\\n'", "exit 1", id="the status is not set"),
    ],
)
def test_an_outage_is_no_success(workflow: dict[Any, Any], tmp_path: Path, files: str, statuses: str) -> None:
    """The step fails, and nobody is told that the map is left alone."""
    code, told, calls = run(workflow, tmp_path, files=files, statuses=statuses)

    assert (code, told) == (1, "")
    assert ("statuses" in calls) == (statuses == "exit 1")


def test_an_older_commit_gets_no_answer(workflow: dict[Any, Any], tmp_path: Path) -> None:
    """The files are those of the newest commit, which may have taken back what the older one changed."""
    code, told, calls = run(workflow, tmp_path, files="printf 'a.md\\n'", head="cd" * 20)

    assert (code, told) == (1, "")
    assert "statuses" not in calls
