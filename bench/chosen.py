"""Options that name some of what there is: `--only A,B`."""

import argparse
from collections.abc import Callable, Iterable


def chosen_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """What argparse calls with the text of an option: the names in it, all of them known."""

    def parse(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(names):
            raise argparse.ArgumentTypeError(f"unknown {', '.join(sorted(unknown))}; known are {', '.join(names)}")
        return text.split(",")

    return parse
