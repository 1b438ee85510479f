"""The texts that the package's source spells out, as the tests of documents and codes look at them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from logcache_assets.domain.runbook import GAP

PACKAGE = Path(__file__).parent.parent / "logcache_assets"


@cache
def texts_of(path: Path) -> tuple[str, ...]:
    """Every string of a module but its docstrings; what an f-string fills in is `…`."""
    return tuple(_texts(ast.parse(path.read_text(encoding="utf-8"))))


def docstrings_of(path: Path) -> tuple[str, ...]:
    """Every docstring of a module, those of fields and constants too."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    bare = (node.value.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    return tuple(text for text in bare if isinstance(text, str))


def modules() -> tuple[Path, ...]:
    """Every module of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


def _texts(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Expr(value=ast.Constant()):  # a docstring
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in parts)
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(part)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _texts(child)
