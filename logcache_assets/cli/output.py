"""What every command prints: one JSON document or a few lines on standard output, progress on standard error.

rich draws tables and the line of progress. It is imported when one is drawn, so that `--help` answers at once; colours
and the moving line are for terminals only, so that what is piped can be read by other programs.
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
"""Columns: a path that is cut or wrapped cannot be copied."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what commands return; its fields are the keys of the command's JSON document."""


ResultType = TypeVar("ResultType", bound=msgspec.Struct)


class _Progress:
    """The line of progress at the bottom of a terminal, while there is one."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def show(self, line: str) -> None:
        """Draw the line, or replace what it says."""
        from rich.console import Console
        from rich.status import Status
        from rich.text import Text

        if self._status is None:
            self._status = Status(Text(line), console=Console(stderr=True))
            self._status.start()
        else:
            self._status.update(Text(line))

    def clear(self) -> None:
        """Remove the line; without one nothing happens."""
        if self._status is not None:
            self._status.stop()
            self._status = None


_PROGRESS = _Progress()


def clear_progress() -> None:
    """Remove the line of progress, so that other lines may follow; a terminal gets its cursor back."""
    _PROGRESS.clear()


def tell(line: str) -> None:
    """Write one line on standard error, for a person who waits."""
    clear_progress()
    _write(sys.stderr, line)


def show_progress(line: str) -> None:
    """Say how far long work is: on a terminal in one line that is replaced, elsewhere in a line each time."""
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
        result: what the command's `run` returned.
        render: the result as lines for a person.
        as_json: print the JSON document instead.
        to_json: the document, where it is not simply the result's fields.
    """
    write_result((to_json or json_of)(result) if as_json else "\n".join(render(result)))


def write_result(text: str) -> None:
    """Write what other programs may read on standard output."""
    clear_progress()
    _write(sys.stdout, text)


def json_of(result: object) -> str:
    """The JSON document of a result, its keys in the order of its fields."""
    return json.dumps(msgspec.to_builtins(result), indent=2, ensure_ascii=False)


def _write(stream: TextIO | None, text: str) -> None:
    """Write lines at once; a daemon may have started us with the stream closed, which Python shows as None."""
    if stream is not None:
        stream.write(text + "\n")
        stream.flush()


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines with aligned columns, numbers to the right, no line wrapped or cut; headings are bold on a terminal."""
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
