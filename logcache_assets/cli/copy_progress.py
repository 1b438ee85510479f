"""Shows how far a copy is: a bar on a terminal, a line every ten seconds elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logcache_assets.domain.copying import CopyProgress
from logcache_assets.ports import Tell
from logcache_assets.refresh.copying.copy_meter import ProgressLines


@contextmanager
def shown_progress(tell: Tell) -> Iterator[Callable[[CopyProgress], None]]:
    """A callback that shows progress until the end of the block."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield ProgressLines(tell)
        return
    from rich.console import Console  # noqa: PLC0415 - only for a terminal
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - as above

    with Progress(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda now: bar.update(task, total=now.objects, completed=now.objects_done, description=str(now))
