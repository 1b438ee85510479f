"""Prints results as one JSON document or a few lines on standard output, and progress on standard error.

rich draws tables and the progress line. It is imported when one is drawn, so that `--help` answers at once. Only
terminals get colours and a moving line, so that other programs can read piped output.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

import msgspec

from logcache_assets.domain.plain_text import plain_line, plain_text
from logcache_assets.errors import Unavailable

if TYPE_CHECKING:
    from rich.status import Status

WIDER_THAN_ANY_TABLE = 1_000_000
"""Width of tables in characters. Lines must not be cut or wrapped, because paths are copied from them."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the commands' results; its fields are the keys of the command's JSON document."""


ResultType = TypeVar("ResultType", bound=msgspec.Struct)


class _Drawn(str):
    """A line that is plain but for what rich drew."""

    __slots__ = ()


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
            self._status = Status(Text(plain_line(line)), console=Console(stderr=True))
            self._status.start()
        else:
            self._status.update(Text(plain_line(line)))

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
    _write(sys.stderr, plain_text(line))


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
    if as_json:
        write_result((to_json or json_of)(result))
    else:
        write_result("\n".join(line if isinstance(line, _Drawn) else plain_text(line) for line in render(result)))


def write_result(text: str) -> None:
    """Write a result on standard output, which other programs may read.

    Raises:
        Unavailable: it could not be written, for example because the disk is full.
    """
    clear_progress()
    try:
        _write(sys.stdout, text)
    except OSError as error:
        drop_output()
        raise Unavailable(f"the result could not be written ({error.strerror}); repair where it goes") from error


def json_of(result: object) -> str:
    """The JSON document of a result, its keys in the order of its fields."""
    return json_text(msgspec.to_builtins(result))


def json_text(plain: object) -> str:
    """JSON that is safe on a terminal: characters that it obeys or hides are escaped."""
    text = json.dumps(plain, indent=2, ensure_ascii=False)
    return text if text == plain_text(text) else json.dumps(plain, indent=2)


def _write(stream: TextIO | None, text: str) -> None:
    """Write and flush, as far as somebody reads.

    The stream is None if the process was started with it closed, as daemons do; its reader may have ended, as `head`
    does, which is no reason to end the work.
    """
    if stream is None:
        return
    try:
        stream.write(_encodable(text, stream) + "\n")
        stream.flush()
    except BrokenPipeError:
        _drop(stream)


def _encodable(text: str, stream: TextIO) -> str:
    """The text as the stream's encoding can write it; other characters are escaped."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def drop_output() -> None:
    """Let standard output go nowhere, because nobody reads it."""
    if sys.stdout is not None:
        _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    """Let what is still written to a stream go nowhere, also Python's own last flush."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


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
    return [_Drawn(line.rstrip()) for line in lines.getvalue().splitlines()]


def _are_numbers(column: Iterable[str]) -> bool:
    texts = list(column)
    return bool(texts) and all(text[:1].isdigit() or text == "-" for text in texts)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else plain_line(str(value))
