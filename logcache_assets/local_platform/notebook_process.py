"""Runs a notebook in Databricks' source format: `python -m logcache_assets.local_platform.notebook_process FILE RUN`.

RUN is the folder of the run: parameters.json is read, pid and result.json are written. The source format is plain
Python whose cell marks and magic lines are comments, so the file runs unchanged and tracebacks show its own lines. Not
supported: `%pip`, `%sh`, `%run`, `dbutils.fs`, secrets, a Spark session.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn


class NotebookExit(BaseException):
    """Raised by `dbutils.notebook.exit`; no Exception, so that `except Exception` in a notebook does not catch it."""

    def __init__(self, result: str) -> None:
        super().__init__(result)
        self.result = result


class Widgets:
    """`dbutils.widgets`: parameters by name, with defaults."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)
        self._defaults: dict[str, str] = {}

    def text(self, name: str, default: str, label: str | None = None) -> None:  # noqa: ARG002 - Databricks' signature
        """Declare a parameter; a given value wins over the default."""
        self._defaults[name] = default

    def get(self, name: str) -> str:
        """The value of a parameter that was given or declared."""
        values = self._defaults | self._parameters
        if name not in values:
            raise KeyError(f"the notebook asks for the widget {name!r}, which was neither given nor declared")
        return values[name]


class Notebook:
    """`dbutils.notebook`."""

    def exit(self, result: str) -> NoReturn:
        """End the notebook with a result."""
        raise NotebookExit(str(result))


class DbUtils:
    """The part of Databricks' `dbutils` that the export notebook uses."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.widgets = Widgets(parameters)
        self.notebook = Notebook()


def main(arguments: list[str]) -> int:
    """Run the notebook; its traceback goes to the output, its result to result.json."""
    notebook, run = Path(arguments[0]), Path(arguments[1])
    (run / "pid").write_text(str(os.getpid()), encoding="ascii")
    parameters = json.loads((run / "parameters.json").read_text(encoding="utf-8"))
    code = compile(notebook.read_bytes(), str(notebook), "exec", dont_inherit=True)
    try:
        exec(code, {"__name__": "__main__", "dbutils": DbUtils(parameters), "display": print})  # noqa: S102 - running a notebook is this program's job
    except NotebookExit as ended:
        written = run / ".result.json"
        written.write_text(json.dumps({"result": ended.result}), encoding="utf-8")
        written.replace(run / "result.json")
        return 0
    print("the notebook came to its end without dbutils.notebook.exit(...)")  # noqa: T201 - into the run's output
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
