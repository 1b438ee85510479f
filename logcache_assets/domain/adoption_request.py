"""Title, body and branch of an adoption's pull request."""

from collections.abc import Iterator, Mapping, Sequence

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_documents import Manifest
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.selections import ALL, OWN_BRANCHES
from logcache_assets.domain.wording import count_of

SHOWN = 15
"""How many entries that were left out the text shows."""


def adoption_branch(selection: str) -> str:
    """`log-cache/adopt`, followed by the selection unless it is every database of the map."""
    return f"{OWN_BRANCHES}adopt" if selection == ALL else f"{OWN_BRANCHES}adopt-{selection}"


def render_adoption_title(manifests: Sequence[Manifest]) -> str:
    """The title, which is the commit's subject too: how many caches of which databases."""
    databases = sorted({manifest.instance.rpartition("-")[0] for manifest in manifests})
    return f"Adopt {count_of(len(manifests), 'log cache')} of {shortened(databases)}"


def render_adoption(manifests: Sequence[Manifest], left: Mapping[Instance, Sequence[Problem]], *, branch: str) -> str:
    """The body, for the reviewer: what was proven, what was left out, how to roll back."""
    return "\n".join([*_proven(manifests), *_left(left), *_rollback(branch)])


def _proven(manifests: Sequence[Manifest]) -> Iterator[str]:
    yield "## What changes"
    yield ""
    yield (
        "Entries that were written by hand name the manifest that now lies beside their files. No pointer and no "
        "last_t moves, and the map is written in its canonical form. Each log was compared with every segment of the "
        "index, range of t by range, and its materialized entities with that log: they are equal."
    )
    yield ""
    yield "| instance | last t | datoms | files | bytes | equals what was extracted until |"
    yield "|---|---:|---:|---:|---:|---|"
    for found in manifests:
        files = len(found.log.files) + len(found.materialized_entities.files)
        size = found.log.size_bytes + found.materialized_entities.size_bytes
        yield (
            f"| {found.instance} | {found.last_t} | {found.log.rows:,} | {files} | {size:,} "
            f"| {utc_text(found.source_read_at)} |"
        )
    yield ""


def _left(left: Mapping[Instance, Sequence[Problem]]) -> Iterator[str]:
    if not left:
        return
    yield "## What stays as it was"
    yield ""
    yield "Nothing proves these entries, so the segments are read instead:"
    yield ""
    shown = [problem for problems in left.values() for problem in problems]
    yield from (f"- {problem}" for problem in shown[:SHOWN])
    if more := len(shown[SHOWN:]):
        yield f"- and {more:,} more"
    yield ""


def _rollback(branch: str) -> Iterator[str]:
    yield "## Merging"
    yield ""
    yield (
        f"`logcache check-merge {branch}` compares the manifests with the files and with the index again. "
        "To roll back, take entries out of the map: runs then read their segments. A `git revert` would return to "
        "entries that nothing proves, and is refused."
    )
    yield ""
