"""Reads the folder from which a world is built: the packaged log, or that of `local reset --data DIR`.

buckets/<bucket>/<key>   the segments
index.jsonl              one index item a line
contracts/*.yaml         the definitions
validation.yaml          optional: the rules of the validation
cutoffs.json             {"feed-s0": {"old": t, "night": t, "end": t, …}, …}; each t ends a segment
reextraction/            optional: re-extracted segments, with buckets/ and index.jsonl
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from logcache_assets.catalog import Catalog, load_catalog
from logcache_assets.domain.contract_definitions import CONTRACTS_FOLDER
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.json_text import NotJsonError, UnfitJsonError, decode_json
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.yaml_files import refuse_other_endings
from logcache_assets.errors import BadInput

PACKAGED = Path(__file__).parent / "demo_world"
"""The simulated bank's log that ships with the package."""

CutT = Annotated[int, msgspec.Meta(gt=0)]


class Cutoffs(msgspec.Struct, frozen=True):
    """The named cut-offs of one instance; other names in the file are ignored."""

    old: CutT
    """Last t of the active cache."""
    night: CutT
    """Last t of the nightly run."""
    end: CutT
    """Last t of the segments that the day delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoData:
    """A data folder, read and checked."""

    folder: Path
    catalog: Catalog
    segments: tuple[Segment, ...]
    cutoffs: dict[str, Cutoffs]

    @property
    def rules(self) -> Path:
        """The path of the validation rules, which may be missing."""
        return self.folder / RULES_PATH

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Every instance that the definitions name."""
        return tuple(instance for definition in self.catalog for instance in definition.instances)

    def until(self, cut: str) -> tuple[Segment, ...]:
        """The segments that end at or before a cut-off of their instance; all of an instance without cut-offs."""
        return tuple(s for s in self.segments if self._cut(s, cut) is None or s.last_t <= (self._cut(s, cut) or 0))

    def _cut(self, segment: Segment, cut: str) -> int | None:
        cutoffs = self.cutoffs.get(segment.instance.name)
        return getattr(cutoffs, cut) if cutoffs else None


def read_demo_data(folder: Path) -> DemoData:
    """Read a data folder.

    Raises:
        BadInput: something is missing or malformed, or a cut-off does not end a segment; with file and remedy.
    """
    refuse_other_endings(sorted(map(str, folder.glob("*.*"))))
    catalog = load_catalog(folder / CONTRACTS_FOLDER)
    segments = tuple(read_index_file(folder / "index.jsonl"))
    cutoffs = _read_cutoffs(folder / "cutoffs.json")
    data = DemoData(folder=folder, catalog=catalog, segments=segments, cutoffs=cutoffs)
    for problem in _problems(data):
        raise BadInput(problem)
    return data


def read_index_file(file: Path) -> Iterator[Segment]:
    """The segments of a file of index items, which may begin anywhere."""
    for number, line in enumerate(_text(file).split("\n"), start=1):
        if line.strip():
            yield parse_index_item(line, where=f"{file}, line {number}")


def _read_cutoffs(file: Path) -> dict[str, Cutoffs]:
    text = _text(file)
    try:
        return decode_json(text, dict[str, Cutoffs])
    except UnfitJsonError as error:
        raise BadInput(f"{file}: {error}; give old, night and end as positive integers for every instance") from error
    except NotJsonError as error:
        raise BadInput(f"{file} is not JSON: {error}; correct it") from error


def _problems(data: DemoData) -> Iterator[str]:
    file = data.folder / "cutoffs.json"
    keys = Counter((segment.instance.name, segment.last_t) for segment in data.segments)
    for instance in data.instances:
        cutoffs = data.cutoffs.get(instance.name)
        if cutoffs is None:
            yield f"{file} has no cut-offs of {instance.name}; add old, night and end"
        else:
            yield from _cutoff_problems(file, instance, cutoffs, keys.keys())
    for (name, last_t), count in keys.items():
        if count > 1:
            yield (
                f"{data.folder / 'index.jsonl'} names {count} items of {name} with last_t {last_t}, which is the "
                "index's key; keep the one that is valid"
            )
    for segment in data.segments:
        if not segment_file(data.folder, segment).is_file():
            yield (
                f"{data.folder / 'index.jsonl'} names {segment.path}, but {segment_file(data.folder, segment)} "
                "is missing; restore the file or remove the item"
            )


def _cutoff_problems(
    file: Path, instance: Instance, cutoffs: Cutoffs, ends: Collection[tuple[str, int]]
) -> Iterator[str]:
    if not cutoffs.old <= cutoffs.night <= cutoffs.end:
        yield f"{file}: {instance.name} needs old <= night <= end; correct the cut-offs"
    for name, t in (("old", cutoffs.old), ("night", cutoffs.night), ("end", cutoffs.end)):
        if (instance.name, t) not in ends:
            yield (
                f"{file}: {name} of {instance.name} is t {t}, where no segment of index.jsonl ends; "
                "choose the last_t of a segment"
            )


def segment_file(folder: Path, segment: Segment) -> Path:
    """The path of a segment's file in a data folder."""
    return folder / "buckets" / segment.path.removeprefix("s3://")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"cannot read {file}: {reason}; name a folder that holds it with --data") from error
