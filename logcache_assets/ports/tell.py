"""How ports report what goes on while they work."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Takes one line for a person: a run's log, a terminal."""
