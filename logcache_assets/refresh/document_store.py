"""Reads and writes the documents of a refresh; domain/documents.py has their fields."""

from dataclasses import dataclass

from logcache_assets.domain.documents import Document, DocumentType, document_digest, parse_document, render_document
from logcache_assets.ports import ObjectNotFoundError, ObjectStore


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents in an object store."""

    store: ObjectStore

    def read(self, uri: str, kind: type[DocumentType]) -> DocumentType:
        """Read a document; raises ObjectNotFoundError, and BadInput if it is malformed."""
        return parse_document(self.store.read(uri), kind, where=uri)

    def find(self, uri: str, kind: type[DocumentType]) -> DocumentType | None:
        """Read a document; None if there is no object at this URI."""
        try:
            return self.read(uri, kind)
        except ObjectNotFoundError:
            return None

    def write(self, uri: str, document: Document) -> str:
        """Store a document unless the same bytes are stored already; returns its digest."""
        text = render_document(document)
        try:
            if self.store.read(uri) == text.encode():
                return document_digest(text)
        except ObjectNotFoundError:
            pass
        self.store.write(uri, text.encode())
        return document_digest(text)
