"""What the items of a whole segment index must agree in; what one item says of itself is index_items.py's matter.

Where segments lie is the deployment's decision. So an item is refused only for what contradicts the others: it lies
where they show that another database's or prototype's segments lie.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment

Name = Callable[[Instance], str]
_NAMES: Mapping[str, Name] = {
    "database": lambda instance: instance.database,
    "prototype": lambda instance: instance.prototype,
    "instance": lambda instance: instance.name,
}
"""What a folder may be named after."""
_Place = tuple[str, Instance]
"""The folder of segments, and whose they are: an index has many items, and few of these."""


def find_item_faults(segments: Sequence[Segment], *, cached_t: Mapping[Instance, int]) -> Iterator[tuple[Segment, str]]:
    """Items that cannot be right beside the others, each with what is wrong and what to do.

    Args:
        segments: all items of an index.
        cached_t: instance → the t up to which a cache holds its log, so that older items may be absent.
    """
    places = Counter(map(_place_of, segments))
    for kind, name in _NAMES.items():
        for foreign in _find_foreign_places(places, name):
            for segment in segments:
                if folder := foreign.get(_place_of(segment)):
                    where = f"the folder of the {kind} {folder}"
                    yield segment, f"its path {segment.path} lies in {where}; correct its path"
    yield from _find_late_begins(segments, cached_t)


def _place_of(segment: Segment) -> _Place:
    return segment.path.rpartition("/")[0], segment.instance


def _find_foreign_places(places: Mapping[_Place, int], name: Name) -> Iterator[Mapping[_Place, str]]:
    """Places below a folder of another name, for each depth where most items are in a folder of their own.

    Args:
        places: with the number of their items.
        name: gives what folders may be named after.
    """
    known = {name(instance) for _, instance in places}
    folders = {place: _folders(place[0]) for place in places}
    for depth in range(max(map(len, folders.values()), default=0)):
        there = {place: own[depth] for place, own in folders.items() if depth < len(own) and own[depth] in known}
        strangers = {place: folder for place, folder in there.items() if folder != name(place[1])}
        if sum(places[place] for place in strangers) * 2 <= sum(places[place] for place in there):
            foreign = {place: folder for place, folder in strangers.items() if name(place[1]) not in folders[place]}
            if foreign:
                yield foreign


def _folders(path: str) -> list[str]:
    """The folders of a path, from the lowest upwards: what is above the layout may have any depth."""
    return path.removeprefix("s3://").split("/")[:0:-1]


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
