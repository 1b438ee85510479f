"""Questions that another process answers, as Spark's workers do: everything that is needed travels as bytes."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")
ROOT = Path(__file__).parent.parent
PROGRAM = (
    "import pickle, sys; ask, arguments, named = pickle.load(sys.stdin.buffer); "
    "sys.stdout.buffer.write(pickle.dumps(ask(*arguments, **named)))"
)


def answer_elsewhere(
    ask: Callable[_Arguments, _Answer], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> _Answer:
    """What a function or method answers in a new process, which has this process's environment and nothing else."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=pickle.dumps((ask, arguments, named)),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert not ended.returncode, ended.stderr.decode()
    answer: _Answer = pickle.loads(ended.stdout)  # noqa: S301 - sent by ourselves
    return answer
