"""Checks the files of a cached log against its manifest: every byte that is used has been verified.

Sizes and names are compared when a cache is opened, and a file's CRC64NVME before its first page is decoded. A flipped
bit of a Parquet page decodes to another number without an error, so only its checksum finds it. From a store behind a
network the very bytes that were verified are decoded, because the next answer may be damaged.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from typing_extensions import override

from logcache_assets.domain.documents import parse_document
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.log_documents import FileProof, Manifest, RawDataset
from logcache_assets.domain.soundness import find_pointer_problems
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.log.cache_error import CacheError, refusal, refusing_damage
from logcache_assets.engine.log.verified_copies import VerifiedCopies
from logcache_assets.engine.storage.checksums import checksum_of
from logcache_assets.engine.storage.parquet import ParquetSource, list_parquet
from logcache_assets.errors import WrongData
from logcache_assets.ports import ObjectStore


def load_manifest(entry: MapEntry, store: ObjectStore) -> tuple[Manifest, str]:
    """The manifest beside an entry's log, and its SHA-256; raises WrongData if it is missing or malformed."""
    uri = folder_of(entry.log).manifest
    content = store.read(uri)
    return parse_document(content, Manifest, where=uri), hashlib.sha256(content).hexdigest()


def read_manifest(instance: Instance, entry: MapEntry, store: ObjectStore) -> Manifest:
    """Read the manifest that an entry of the map names.

    Raises:
        CacheError: there is none, it is another one (C13), or it is about another cached log (C14, C5, C7).
        ObjectStoreUnavailable: the store could not answer.
    """
    try:
        manifest, digest = load_manifest(entry, store)
    except WrongData as error:
        raise CacheError(instance, refusal(instance, "C13", f"the cache has no sound manifest: {error}")) from error
    for problem in find_pointer_problems(instance, entry, manifest, manifest_sha256=digest):
        raise CacheError(instance, str(problem))
    return manifest


class _Verified:
    """The files that this process has verified; a pickled copy starts empty, because its bytes travel another way."""

    def __init__(self) -> None:
        self.uris: set[str] = set()
        self.copies = VerifiedCopies()
        """Of files behind a network."""
        self._lock, self._locks = Lock(), dict[str, Lock]()

    def lock_of(self, uri: str) -> Lock:
        """One lock per file: two tasks that need it wait for one reading."""
        with self._lock:
            return self._locks.setdefault(uri, Lock())

    @override
    def __reduce__(self) -> tuple[type["_Verified"], tuple[()]]:
        return _Verified, ()


@dataclass(frozen=True, slots=True)
class ProvenFiles:
    """The files of one dataset of a cached log, each verified when it is first used; sent elsewhere, verified again."""

    instance: Instance
    entry: MapEntry
    proofs: Mapping[str, FileProof]
    """URI → what the manifest says of it."""
    _verified: _Verified = field(default_factory=_Verified, compare=False, repr=False)

    @property
    def uris(self) -> tuple[str, ...]:
        """The Parquet files, by name."""
        return tuple(sorted(self.proofs))

    def verified(self, uri: str, store: ObjectStore) -> ParquetSource:
        """Where to read a file whose bytes are those of the manifest; raises CacheError (C13) if they are not."""
        with self._verified.lock_of(uri):
            if uri not in self._verified.uris:
                content = self._verify(uri, store)
                if store.reads_whole_objects:
                    self._verified.copies.keep(uri, content)
                self._verified.uris.add(uri)
        return self._verified.copies if store.reads_whole_objects else store

    def _verify(self, uri: str, store: ObjectStore) -> bytes:
        with refusing_damage(self.instance, self.entry):
            content = store.read(uri)
        proof, checksum = self.proofs[uri], checksum_of(content)
        if (len(content), checksum) != (proof.size_bytes, proof.checksum):
            found = f"{uri} has {len(content)} bytes with {checksum}, not {proof.size_bytes} with {proof.checksum}"
            raise _not_the_manifests(self.instance, self.entry, found)
        return content


def open_proven(instance: Instance, entry: MapEntry, dataset: RawDataset, store: ObjectStore) -> ProvenFiles:
    """List a dataset of a cached log and compare the names with its manifest; raises CacheError (C13)."""
    folder = dataset.uri.rstrip("/")
    proofs = {f"{folder}/{file.name}": file for file in dataset.files if file.name.endswith(".parquet")}
    with refusing_damage(instance, entry):
        found = list_parquet(folder, store)
    if found != tuple(sorted(proofs)):
        raise _not_the_manifests(instance, entry, _difference(sorted(proofs), found))
    return ProvenFiles(instance, entry, proofs)


def _difference(expected: Sequence[str], found: Sequence[str]) -> str:
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    clauses = [f"{count_of(len(missing), 'file')} missing, first {missing[0]}"] if missing else []
    clauses += [f"{count_of(len(extra), 'file')} too many, first {extra[0]}"] if extra else []
    return " and ".join(clauses)


def _not_the_manifests(instance: Instance, entry: MapEntry, found: str) -> CacheError:
    text = f"the cache of t in (0, {entry.last_t}] is not what its manifest describes: {found}"
    return CacheError(instance, refusal(instance, "C13", text))
