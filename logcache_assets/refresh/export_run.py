"""What a stage and its run of the export notebook tell each other: two documents in the permanent bucket.

A request names every segment of an index and an answer every range of a log, which is more than a notebook takes as
parameter or gives as result. So only their URIs are passed.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.documents import NightlyTransaction, parse_document, render_document
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.log_documents import ExportAnswer, ExportAnswerPlace, ExportRequest, RawLogs
from logcache_assets.ports import NotebookWrongData, ObjectExistsError, ObjectStore
from logcache_assets.refresh.document_store import Documents


def request_token(request: ExportRequest, night: NightlyTransaction) -> str:
    """Token of a request: the same question finds the same notebook run.

    Segments that were extracted after the night began are left out. They arrive all the time, so with them a refresh
    that was killed would ask another question when it goes on; those that the night did read were there before any
    request was made. Databricks allows 64 characters.
    """
    read_ms = night.started_at.timestamp() * 1000
    lasting = [
        [i.instance, i.log, i.materialized_entities, [s for s in i.segments if s.timestamp_ms <= read_ms]]
        for i in request.instances
    ]
    return sha256_of(canonical_json([request.transaction, lasting]))


def store_request(request: ExportRequest, *, token: str, locations: Locations, store: ObjectStore) -> str:
    """Store a request and return its URI; one that an earlier attempt stored for this token stays."""
    uri = locations.export_request(transaction=request.transaction, token=token)
    if Documents(store).find(uri, ExportRequest) is None:
        with suppress(ObjectExistsError):
            store.create(uri, render_document(request).encode())
    return uri


def read_request(uri: str, store: ObjectStore) -> ExportRequest:
    """Read a request; raises BadInput if it is malformed, and what the store raises."""
    return Documents(store).read(uri, ExportRequest)


def write_answer(
    request: ExportRequest, found: Mapping[str, RawLogs | str], *, locations: Locations, store: ObjectStore
) -> str:
    """Store what the notebook found of each instance, and return the text that it ends with."""
    answer = ExportAnswer(
        transaction=request.transaction,
        instances=tuple(logs for logs in found.values() if isinstance(logs, RawLogs)),
        unread={name: why for name, why in found.items() if isinstance(why, str)},
    )
    text = render_document(answer)
    uri = locations.export_answer(transaction=request.transaction, digest=sha256_of(text))
    store.write(uri, text.encode())
    return msgspec.json.encode(ExportAnswerPlace(uri=uri, sha256=sha256_of(text))).decode()


def read_answer(result: str, store: ObjectStore) -> ExportAnswer:
    """Read what a notebook run found, from the text that it ended with; raises NotebookWrongData."""
    try:
        place = decode_json(result, ExportAnswerPlace)
    except JsonError as error:
        raise NotebookWrongData(
            f"the notebook's result is malformed: {error}; see its output and run it again"
        ) from error
    content = store.read(place.uri)
    if hashlib.sha256(content).hexdigest() != place.sha256:
        raise NotebookWrongData(f"{place.uri} is not what the notebook wrote; remove it and run the notebook again")
    return parse_document(content, ExportAnswer, where=place.uri)
