"""Prints results as one JSON document or a few lines on standard output, and progress on standard error.

rich draws tables and the progress line. It is imported when one is drawn, so that `--help` answers at once. Only
terminals get colours and a moving line, so that other programs can read piped output.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

import msgspec

if TYPE_CHECKING:
    from rich.status import Status

WIDER_THAN_ANY_TABLE = 1_000_000
"""Width of tables in characters. Lines must not be cut or wrapped, because paths are copied from them."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the commands' results; its fields are the keys of the command's JSON document."""


ResultType = TypeVar("ResultType", bound=msgspec.Struct)


class _Progress:
    """The progress line at the bottom of a terminal."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def show(self, line: str) -> None:
        """Draw the line, or replace its text."""
        from rich.console import Console
        from rich.status import Status
        from rich.text import Text

        if self._status is None:
            self._status = Status(Text(line), console=Console(stderr=True))
            self._status.start()
        else:
            self._status.update(Text(line))

    def clear(self) -> None:
        """Remove the line, if there is one."""
        if self._status is not None:
            self._status.stop()
            self._status = None


_PROGRESS = _Progress()


def clear_progress() -> None:
    """Remove the progress line, so that other lines can follow, and show the terminal's cursor again."""
    _PROGRESS.clear()


def tell(line: str) -> None:
    """Write one line on standard error."""
    clear_progress()
    _write(sys.stderr, line)


def show_progress(line: str) -> None:
    """Show the progress of long work: terminals replace one line, other outputs get a new line each time."""
    if _is_terminal(sys.stderr):
        _PROGRESS.show(line)
    else:
        tell(line)


def emit(
    result: ResultType,
    render: Callable[[ResultType], Iterable[str]],
    *,
    as_json: bool,
    to_json: Callable[[ResultType], str] | None = None,
) -> None:
    """Print a command's result on standard output.

    Args:
        result: the result of the command's `run`.
        render: renders the result as lines for a person.
        as_json: print the JSON document instead.
        to_json: renders the JSON document; by default it has the result's fields.
    """
    write_result((to_json or json_of)(result) if as_json else "\n".join(render(result)))


def write_result(text: str) -> None:
    """Write a result on standard output, which other programs may read."""
    clear_progress()
    _write(sys.stdout, text)


def json_of(result: object) -> str:
    """The JSON document of a result, its keys in the order of its fields."""
    return json.dumps(msgspec.to_builtins(result), indent=2, ensure_ascii=False)


def _write(stream: TextIO | None, text: str) -> None:
    """Write and flush. The stream is None if the process was started with it closed, as daemons do."""
    if stream is not None:
        stream.write(text + "\n")
        stream.flush()


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Render a table with numbers aligned right; no line is wrapped or cut; headings are bold on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[_cell(value) for value in row] for row in rows]
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        grid.add_column(Text(heading), justify="right" if _are_numbers(row[number] for row in cells) else "left")
    for row in cells:
        grid.add_row(*map(Text, row))
    lines = io.StringIO()
    Console(file=lines, width=WIDER_THAN_ANY_TABLE, force_terminal=_is_terminal(sys.stdout), force_jupyter=False).print(
        grid
    )
    return [line.rstrip() for line in lines.getvalue().splitlines()]


def _are_numbers(column: Iterable[str]) -> bool:
    texts = list(column)
    return bool(texts) and all(text[:1].isdigit() or text == "-" for text in texts)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
