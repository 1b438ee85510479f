"""What every command prints: one JSON document or a few lines on standard output, progress on standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

Result = Mapping[str, object]


def tell(line: str) -> None:
    """Progress, for a person who waits."""
    sys.stderr.write(_over() + line + "\n")
    sys.stderr.flush()


def show_progress(line: str) -> None:
    """Where long work is: on a terminal one line that is written over, elsewhere a line each time."""
    if sys.stderr.isatty():
        sys.stderr.write(_over() + line)
        sys.stderr.flush()
    else:
        tell(line)


def _over() -> str:
    """On a terminal, wipes the line of progress."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""


def emit(result: Result, render: Callable[[Result], Iterable[str]], *, as_json: bool) -> None:
    """Print a command's result in the form that was asked for."""
    sys.stderr.write(_over())
    text = json.dumps(result, indent=2, ensure_ascii=False) if as_json else "\n".join(render(result))
    sys.stdout.write(text + "\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Aligned columns; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(headings, *cells, strict=True)]
    numeric = [all(text[:1].isdigit() or text == "-" for text in column) for column in zip(*cells, strict=True)]
    numeric = numeric or [False] * len(headings)

    def line(texts: Sequence[str]) -> str:
        aligned = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, numeric, strict=True)
        ]
        return "  ".join(aligned).rstrip()

    return [line(headings), *(line(row) for row in cells)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
