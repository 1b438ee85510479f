"""The command that ends what a test run left on the platform: a template, filled with what is known of the run.

    sabesp --aurora-stack={aurora_stack} jobs stop staging {run_name}

It is cut into words as a shell would, and each word is filled by itself, so no value can add a word. With `{task_id}`
there is a command per task; an output names tasks when they end, so it does not stand alone.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter

PLACEHOLDERS = ("aurora_stack", "run_name", "version", "transaction", "task_id")
_TASK_ID = re.compile(r"[A-Za-z0-9][\w.:/@-]*")
"""Ids are read off an output; one that begins with `-` would be an option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """What is known of a run."""

    aurora_stack: str
    run_name: str
    version: str
    transaction: str | None = None
    """None if it named none."""
    task_ids: tuple[str, ...] = ()

    @property
    def values(self) -> Mapping[str, str]:
        """Placeholder → value, without tasks."""
        named = {"aurora_stack": self.aurora_stack, "run_name": self.run_name, "version": self.version}
        return {**named, **({"transaction": self.transaction} if self.transaction else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCommand:
    """A template that was checked."""

    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """Its first word."""
        return self.words[0]

    def fill(self, run: KnownRun) -> tuple[tuple[str, ...], ...]:
        """The commands that end a run; none if they need what is not known of it."""
        needed = {name for word in self.words for name in _placeholders(word)}
        if not needed - {"task_id"} <= run.values.keys():
            return ()
        if "task_id" not in needed:
            return (tuple(word.format(**run.values) for word in self.words),)
        tasks = dict.fromkeys(task for task in run.task_ids if _TASK_ID.fullmatch(task))
        return tuple(tuple(word.format(**run.values, task_id=task) for word in self.words) for task in tasks)

    def __str__(self) -> str:
        return " ".join(shlex.quote(word) if " " in word else word for word in self.words)


def parse_stop_command(text: str) -> StopCommand:
    """Read a template; raises ValueError with a clause that says what is wrong."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"it cannot be cut into words ({error})") from error
    if not words:
        raise ValueError("it is empty")
    for word in words:
        for name in _placeholders(word):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                raise ValueError(f"it has {{{name}}}, and known are {known}")
    names = {name for word in words for name in _placeholders(word)}
    if "task_id" in names and not names & {"run_name", "transaction"}:
        raise ValueError("{task_id} alone ends only tasks that have ended already; add {run_name} or {transaction}")
    if any(_placeholders(words[0])):
        raise ValueError("its program must not depend on the run")
    return StopCommand(words=words)


def _placeholders(word: str) -> Iterator[str]:
    try:
        parts = list(Formatter().parse(word))
    except ValueError as error:
        raise ValueError(f"{word!r} has a brace alone ({error}); write {{{{ for one") from error
    for _, name, form, conversion in parts:
        if name is not None:
            yield f"{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}"
