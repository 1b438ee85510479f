"""What a peer that compares two days is asked, and how it answers.

Every peer is a command of its own with the options below. Keys are unique and never null; NaN equals NaN, null equals
null, and nothing else is tolerated.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to compare."""

    yesterday: Path
    """A folder with Parquet files."""
    today: Path
    key: tuple[str, ...]
    threads: int
    out: Path
    """The file for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a comparison counts."""

    both: int
    """Keys of both days."""
    missing: int
    """Keys of yesterday alone."""
    added: int
    """Keys of today alone."""
    changed: Mapping[str, int] | None
    """Column → keys of both days with another value; None from a tool that does not count by columns."""


def read_task(description: str | None) -> Task:
    """The options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--yesterday", type=Path, required=True)
    parser.add_argument("--today", type=Path, required=True)
    parser.add_argument("--key", required=True, metavar="A,B")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    return Task(
        yesterday=options.yesterday,
        today=options.today,
        key=tuple(options.key.split(",")),
        threads=options.threads,
        out=options.out,
    )


def write_answer(task: Task, answer: Answer) -> None:
    """The answer as JSON, without what the tool does not give."""
    given = {name: value for name, value in asdict(answer).items() if value is not None}
    task.out.write_text(json.dumps(given), encoding="utf-8")
