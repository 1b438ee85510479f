"""Asks the same question about several database instances at once: a question is mostly waiting for a round trip."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from logcache_assets.domain.instances import Instance

AT_ONCE = 8
"""How many questions are under way at once."""
Answer = TypeVar("Answer")


def ask_each(instances: Iterable[Instance], question: Callable[[Instance], Answer]) -> dict[Instance, Answer]:
    """The answer about each instance, in their order.

    The first error in their order is raised, whichever came first; questions that have not begun by then are not asked.

    Args:
        instances: each of which is asked about once.
        question: is called from several threads at once.
    """
    asked = tuple(dict.fromkeys(instances))
    if len(asked) <= 1:
        return {instance: question(instance) for instance in asked}
    with ThreadPoolExecutor(min(AT_ONCE, len(asked))) as pool:
        return dict(zip(asked, pool.map(question, asked), strict=True))
