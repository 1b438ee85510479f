"""The stand-in's cluster: a process that installs the wheel and runs the notebook as Databricks does.

`python -P databricks_cluster.py RUN`, where RUN has notebook.py, parameters.json and the wheel. The wheel is the only
place from which our package comes; what it does not require cannot be imported. It is a program, not a module of the
tests, so that nothing of the checkout is on its path.
"""

import importlib.abc
import importlib.metadata
import json
import os
import sys
import traceback
import zipfile
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

NOT_INSTALLED = frozenset(
    {"click", "dagster", "dagster_aws", "dagster_databricks", "databricks", "rich", "sqlalchemy", "pytest"}
)
"""Modules that are installed beside the tests and that no wheel requires; Spark asks for jinja2 itself."""


class _NotInstalled(importlib.abc.MetaPathFinder):
    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in NOT_INSTALLED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def main(run: Path) -> None:
    """Run the notebook; result.json gets what it gave, or how it failed."""
    (wheel,) = run.glob("*.whl")
    site = run / "site"
    zipfile.ZipFile(wheel).extractall(site)
    sys.path.insert(0, str(site))
    sys.meta_path.insert(0, _NotInstalled())
    parameters = json.loads((run / "parameters.json").read_text(encoding="utf-8"))
    _write(run, _outcome(run / "notebook.py", parameters, _spark(site)))


def _spark(site: Path) -> dict[str, Any]:
    """The session that every notebook on Databricks has, if this cluster has Spark."""
    if "STAND_IN_SPARK" not in os.environ:
        return {}
    os.environ["PYTHONPATH"] = str(site)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - seconds

    builder = SparkSession.builder.master("local[2]").appName("cluster")
    for name, value in json.loads(os.environ["STAND_IN_SPARK"]).items():
        builder = builder.config(name, value)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    return {"spark": builder.getOrCreate()}


def _outcome(notebook: Path, parameters: dict[str, str], session: dict[str, Any]) -> dict[str, str]:
    from logcache_assets.local_platform.notebook_process import DbUtils, NotebookExit  # noqa: PLC0415 - of the wheel

    code = compile(notebook.read_bytes(), str(notebook), "exec", dont_inherit=True)
    try:
        exec(code, {"__name__": "__main__", "dbutils": DbUtils(parameters), "display": print, **session})  # noqa: S102
    except NotebookExit as ended:
        return {"result": ended.result}
    except BaseException as error:  # noqa: BLE001 - whatever a notebook raises fails its run
        return {"error": f"{type(error).__name__}: {error}", "error_trace": traceback.format_exc()}
    return {}


def _write(run: Path, outcome: dict[str, str]) -> None:
    (run / ".result.json").write_text(json.dumps(outcome), encoding="utf-8")
    (run / ".result.json").replace(run / "result.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
