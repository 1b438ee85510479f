"""Type of the callbacks through which ports report progress."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Takes one line for a person, for example for a run's log or a terminal."""
