"""Writes the files that a command's --out asks for."""

from collections.abc import Mapping
from pathlib import Path

from logcache_assets.errors import BadInput


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write texts under their names into the folder of --out; raises BadInput if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--out {folder} cannot be written ({error}); name another folder, or make room") from error
