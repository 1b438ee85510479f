"""What the items of a whole segment index must agree in; what one item says of itself is index_items.py's matter.

Where segments lie is the deployment's decision. So an item is refused only for what contradicts the others: it lies
where they show that another database's or prototype's segments lie.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment

Name = Callable[[Segment], str]
_NAMES: Mapping[str, Name] = {
    "database": lambda segment: segment.instance.database,
    "prototype": lambda segment: segment.instance.prototype,
    "instance": lambda segment: segment.instance.name,
}
"""What a folder may be named after."""


def find_item_faults(segments: Sequence[Segment], *, cached_t: Mapping[Instance, int]) -> Iterator[tuple[Segment, str]]:
    """Items that cannot be right beside the others, each with what is wrong and what to do.

    Args:
        segments: all items of an index.
        cached_t: instance → the t up to which a cache holds its log, so that older items may be absent.
    """
    for kind, name in _NAMES.items():
        yield from _find_foreign_folders(segments, kind, name)
    yield from _find_late_begins(segments, cached_t)


def _find_foreign_folders(segments: Sequence[Segment], kind: str, name: Name) -> Iterator[tuple[Segment, str]]:
    """Items in a folder of another name, at the depth where at least half of the items are in a folder of their own."""
    known = {name(segment) for segment in segments}
    for depth in range(max((len(_folders(s)) for s in segments), default=0)):
        there = [(s, _folders(s)[depth]) for s in segments if depth < len(_folders(s)) and _folders(s)[depth] in known]
        strangers = [(s, folder) for s, folder in there if folder != name(s)]
        if len(strangers) * 2 <= len(there):
            for segment, folder in strangers:
                if name(segment) not in _folders(segment):
                    yield (
                        segment,
                        f"its path {segment.path} lies in the folder of the {kind} {folder}; correct its path",
                    )


def _folders(segment: Segment) -> list[str]:
    """The folders of a path, from the file upwards: what is above the layout may have any depth."""
    return segment.path.removeprefix("s3://").split("/")[-2:0:-1]


def _find_late_begins(segments: Sequence[Segment], cached_t: Mapping[Instance, int]) -> Iterator[tuple[Segment, str]]:
    """First items of instances whose log begins neither at 0 nor where a cache ends."""
    first: dict[Instance, Segment] = {}
    for segment in segments:
        if segment.last_batch_t < first.setdefault(segment.instance, segment).last_batch_t:
            first[segment.instance] = segment
    for instance, segment in first.items():
        if segment.last_batch_t > cached_t.get(instance, 0):
            begins = f"the log of {instance.name} begins here, after t {segment.last_batch_t}"
            remedy = "restore the items that are missing, or correct this one"
            yield segment, f"{begins}, but no item or cache holds what is before; {remedy}"
