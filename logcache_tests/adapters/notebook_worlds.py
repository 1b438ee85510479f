"""What a notebook runner runs on, for its suite: the local twin, and Databricks as the stand-in serves it."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from typing_extensions import override

from logcache_assets.adapters.databricks.access import AccessToken, DatabricksAccess
from logcache_assets.adapters.databricks.cluster import Cluster, JobCluster
from logcache_assets.adapters.databricks.job_runs import JobRuns
from logcache_assets.adapters.databricks.notebook_runner import DatabricksNotebookRunner, Patience
from logcache_assets.adapters.databricks.release import Release, Shelf
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.adapters.secret import Secret
from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner
from logcache_assets.ports import NotebookRun, NotebookRunner
from logcache_tests.engine.world import open_store
from logcache_tests.servers.databricks import PROFILE, Workspace, databricks
from logcache_tests.servers.databricks_runs import wait_until

HEADER = "# Databricks notebook source\n# MAGIC %md\n# MAGIC # A title\n\n# COMMAND ----------\n\n"
COUNT = "import os, time\nwith open(os.environ['STARTS'], 'a') as starts: starts.write('x')\n"
"""Cells that append to the file `starts`."""
TOKEN = "token-1"  # noqa: S105 - no secret
QUICK = {"first_pause_seconds": 0.02, "longest_pause_seconds": 0.05, "cancel_seconds": 10.0, "overtime_seconds": 5.0}


@dataclass
class NotebookWorld(ABC):
    """A notebook and where it runs."""

    folder: Path
    told: list[str] = field(default_factory=list)

    @property
    def starts(self) -> int:
        """How often the notebook was started."""
        path = self.folder / "starts"
        return len(path.read_text()) if path.exists() else 0

    @abstractmethod
    def runner(self, source: str, *, timeout_seconds: int = 60) -> NotebookRunner:
        """A runner of a notebook of these cells, as a process of its own has one."""

    @abstractmethod
    def is_running(self) -> bool:
        """Whether a notebook's process is there."""

    def run(self, source: str, *, token: str = TOKEN, **parameters: str) -> NotebookRun:
        """Run these cells."""
        told = self.told.append
        return self.runner(source).run(parameters, token=token, tell=told, tell_output=told)

    def eventually(self, is_so: Callable[[], bool]) -> bool:
        """Whether something becomes so within the patience of tests."""
        return wait_until(is_so, 20)

    def _write(self, source: str) -> Path:
        path = self.folder / "notebook.py"
        path.write_text(HEADER + source, encoding="utf-8")
        return path


@dataclass
class LocalWorld(NotebookWorld):
    """A process per run on this computer."""

    @override
    def runner(self, source: str, *, timeout_seconds: int = 60) -> NotebookRunner:
        environment = {"STARTS": str(self.folder / "starts")}
        runs = self.folder / "runs"
        return LocalNotebookRunner(
            self._write(source), runs, environment, timeout_seconds=timeout_seconds, grace_seconds=0.5
        )

    @override
    def is_running(self) -> bool:
        pids = [int(pid.read_text()) for pid in (self.folder / "runs").glob("*/pid")]
        return any(map(_is_running, pids))


@dataclass
class DatabricksWorld(NotebookWorld):
    """The stand-in of Databricks, with another version uploaded for each notebook."""

    workspace: Workspace = field(kw_only=True)
    cluster: Cluster | None = None

    @cached_property
    def store(self) -> FolderObjectStore:
        """Holds wheels on S3."""
        return open_store(self.folder / "buckets")

    @override
    def runner(self, source: str, *, timeout_seconds: int = 60, attempts: int = 3) -> DatabricksNotebookRunner:
        runner = self.not_uploaded(source, timeout_seconds=timeout_seconds, attempts=attempts)
        list(runner.release.upload())
        self.workspace.files.notebooks[runner.release.notebook_path] = (HEADER + source).encode()
        return runner

    def not_uploaded(
        self, source: str, *, timeout_seconds: int = 60, attempts: int = 3, wheels: str | None = None
    ) -> DatabricksNotebookRunner:
        """A runner of a version that Databricks does not have."""
        access = self.access()
        return DatabricksNotebookRunner(
            runs=JobRuns(access=access, cluster=self.cluster or self.job_cluster(), reads=RepeatedReads(attempts=1)),
            release=Release(
                access=access,
                shelf=Shelf(folder="/Workspace/Shared/logcache", wheels=wheels),
                notebook=self._write(source),
                store=self.store,
            ),
            patience=Patience(timeout_seconds=timeout_seconds, attempts=attempts, **QUICK),
        )

    def access(self, *, token: str | None = None) -> DatabricksAccess:
        """Who asks."""
        secret = Secret("Databricks' token", token or self.workspace.token)
        return DatabricksAccess(host=self.workspace.url, identity=AccessToken(token=secret), retry_seconds=10)

    def job_cluster(self, **environment: str) -> JobCluster:
        """A cluster for each run."""
        return JobCluster(
            spark_version="16.4.x-scala2.12",
            workers=2,
            node_type="r6id.xlarge",
            instance_profile=PROFILE,
            tags={"team": "data"},
            environment={"STARTS": str(self.folder / "starts"), **environment},
        )

    @override
    def is_running(self) -> bool:
        processes = [run.process.pid for run in self.workspace.jobs.runs.values() if run.process is not None]
        return any(map(_is_running, processes))


def _is_running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def local_world(folder: Path) -> Iterator[LocalWorld]:
    """The local twin."""
    yield LocalWorld(folder)


@contextmanager
def databricks_world(folder: Path) -> Iterator[DatabricksWorld]:
    """A stand-in of its own."""
    with databricks(folder / "cluster") as workspace:
        yield DatabricksWorld(folder, workspace=workspace)
