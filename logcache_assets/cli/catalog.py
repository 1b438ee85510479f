"""`logcache catalog pull`: renews the catalog from the itaipu repository."""

from collections.abc import Iterator
from typing import cast

from logcache_assets.cli.output import Result
from logcache_assets.domain.definitions import parse_definition
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings


def pull(settings: Settings) -> Result:
    """Copy every definition on main into the catalog folder; all are checked before the first is written."""
    world = World(settings)
    world.require()
    paths = [p for p in world.repository.list_files("contracts", ref="main") if p.endswith(".yaml")]
    texts = {path.rpartition("/")[2]: world.repository.read(path, ref="main") for path in paths}
    for name, text in texts.items():
        parse_definition(text, where=f"contracts/{name}")
    folder = settings.catalog_folder
    folder.mkdir(parents=True, exist_ok=True)
    before = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.yaml")}
    for name in before.keys() - texts.keys():
        (folder / name).unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    changed = sorted(name for name in before.keys() | texts.keys() if before.get(name) != texts.get(name))
    return {"catalog": str(folder), "definitions": sorted(texts), "changed": changed}


def render(result: Result) -> Iterator[str]:
    """What changed."""
    changed = cast("list[str]", result["changed"])
    yield f"{result['catalog']}: {', '.join(changed) + ' changed' if changed else 'nothing changed'}"
