"""Ends what another side may draw out for ever.

Libraries bound the wait for each piece of an answer, so an answer that drips never ends. Here the whole of it is
bounded: what has not ended by then is left to a thread that keeps no process alive.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, action: Callable[[], Result]) -> Result:
    """What the action returns or raises; raises TimeoutError if it has not ended after the seconds."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, name="alert", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no end after {seconds:g} seconds")
    if errors:
        raise errors[0]
    return results[0]
