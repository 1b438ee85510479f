"""`logcache catalog pull`: renews the catalog from the itaipu repository."""

from collections.abc import Iterator
from typing import cast

from logcache_assets.cli.output import Result
from logcache_assets.domain.definitions import parse_definition
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings


def pull(settings: Settings) -> Result:
    """Copy every definition on main into the catalog folder; all are checked before the first is written."""
    world = World(settings)
    world.require()
    paths = [p for p in world.repository.list_files("contracts", ref="main") if p.endswith(".yaml")]
    if not paths:
        raise Refused("main has no contracts/*.yaml; check the itaipu repository, the catalog is left as it is")
    texts = {path.rpartition("/")[2]: world.repository.read(path, ref="main") for path in paths}
    for name, text in texts.items():
        parse_definition(text, where=f"contracts/{name}")
    wanted = {name: text.encode() for name, text in texts.items()}
    folder = settings.catalog_folder
    folder.mkdir(parents=True, exist_ok=True)
    before = {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
    for name in before.keys() - wanted.keys():
        (folder / name).unlink()
    for name, content in wanted.items():
        (folder / name).write_bytes(content)
    changed = sorted(name for name in before.keys() | wanted.keys() if before.get(name) != wanted.get(name))
    return {"catalog": str(folder), "definitions": sorted(wanted), "changed": changed}


def render(result: Result) -> Iterator[str]:
    """What changed."""
    changed = cast("list[str]", result["changed"])
    yield f"{result['catalog']}: {', '.join(changed) + ' changed' if changed else 'nothing changed'}"
