"""Compares files on the object store with the documents that describe them.

An etag identifies a version of one object, so it shows whether an object changed since it was described. Equal size and
checksum show that two objects hold the same bytes.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from logcache_assets.domain.data_files import is_data_file
from logcache_assets.domain.documents import CopiedLog, parse_document
from logcache_assets.domain.lifecycle import Lifecycle
from logcache_assets.domain.log_documents import FileProof, Manifest, RawDataset
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import Refused
from logcache_assets.ports import ObjectNotFoundError, ObjectStore, StoredObject
from logcache_assets.refresh.document_store import Documents


def proof_of(name: str, item: StoredObject) -> FileProof:
    """The proof of one file, from its HEAD or from the copy that made it."""
    return FileProof(name=name, size_bytes=item.size_bytes, etag=item.etag, checksum=item.checksum)


def listed(store: ObjectStore, folder: str) -> dict[str, StoredObject]:
    """The data files of a folder by their name in it."""
    prefix = folder.rstrip("/") + "/"
    return {item.uri.removeprefix(prefix): item for item in store.list_data(prefix)}


def expiry_of(item: StoredObject, lifecycle: Lifecycle) -> datetime | None:
    """When an object is deleted, by what the store says of it and by its bucket's rules; None if it never is."""
    by_rules = lifecycle.expires_at(item.uri, size_bytes=item.size_bytes, modified_at=item.modified_at)
    return min((date for date in (item.expires_at, by_rules) if date is not None), default=None)


def pin(item: StoredObject | FileProof) -> str:
    """Size and etag of an object: they identify its version and prove nothing about any other object."""
    return f"{item.size_bytes}/{item.etag}"


def pins(found: Mapping[str, StoredObject]) -> dict[str, str]:
    """Name → pin of each object."""
    return {name: pin(item) for name, item in found.items()}


def data_files(dataset: RawDataset) -> tuple[FileProof, ...]:
    """The data among a document's files; one that is older than domain/data_files.py may name others."""
    return tuple(file for file in dataset.files if is_data_file(file.name, file.size_bytes))


def expected_pins(dataset: RawDataset) -> dict[str, str]:
    """Name → pin of each file, as a document states it."""
    return {file.name: pin(file) for file in data_files(dataset)}


def differing(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Names whose pins differ or that only one side has, ascending."""
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def find_damage(manifest: Manifest, store: ObjectStore) -> Iterator[Problem]:
    """Files whose listed size or etag is not the manifest's, and files that it does not name (C13)."""
    for dataset in (manifest.log, manifest.materialized_entities):
        found, expected = pins(listed(store, dataset.uri)), expected_pins(dataset)
        for name in differing(expected, found):
            yield Problem(
                code="C13",
                subjects=(manifest.instance,),
                found=(f"{dataset.uri}/{name} {_describe_damage(name, found, expected)}",),
                remedy="find out who wrote or removed it; nothing is ever overwritten",
            )


def _describe_damage(name: str, found: Mapping[str, str], expected: Mapping[str, str]) -> str:
    if name not in found:
        return "is gone"
    if name not in expected:
        return "is not in the manifest"
    sizes = [version.partition("/")[0] for version in (expected[name], found[name])]
    return f"is not what was copied: {sizes[0]} bytes by the manifest, {sizes[1]} bytes found"


def read_manifest(documents: Documents, log: CopiedLog) -> Manifest | None:
    """The manifest of a cached log; None if it does not exist; raises Refused if it was changed."""
    try:
        content = documents.store.read(log.manifest)
    except ObjectNotFoundError:
        return None
    if hashlib.sha256(content).hexdigest() != log.manifest_sha256:
        problem = f"{log.manifest} was changed after the copy"
        raise Refused.of(Problem(code="C13", found=(problem,), remedy="compare it with the files and restore it"))
    return parse_document(content, Manifest, where=log.manifest)
