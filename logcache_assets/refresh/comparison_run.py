"""What the contracts stage and a run of the notebook tell each other: the comparison of a database is made there.

As for the export (export_run.py), only URIs are passed: a request names tables, logs and definitions, an answer has the
figures. The notebook asks the segment index itself, and has the key of personal data from its own machine. The rules
judge the figures here, because they need what earlier refreshes wrote.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace as with_fields

from logcache_assets.domain.canonical_json import sha256_of
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.domain.documents import Document, parse_document, render_document
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.log_cache_map import MapEntry, UnprovenEntry
from logcache_assets.domain.log_documents import ExportAnswerPlace
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import Strictness
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.engine.compare.day_pair import Logs
from logcache_assets.engine.compare.tokens import name_token
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.errors import Refused
from logcache_assets.ports import NotebookRunner, NotebookWrongData, ObjectExistsError, ObjectStore, SegmentIndex, Tell
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.judge_database import Case, Counted, Place, count_database, tolerances_of

_NAME_OF_KEY = "the deployment's key of personal data"


class ComparedInstance(Document, frozen=True, kw_only=True):
    """Where the log of one instance is read from."""

    instance: str
    cache: MapEntry | None
    """The candidate's cache."""
    until_t: int | None
    """Today's t."""
    after_t: int
    """Yesterday's t; 0 if it had no log."""
    reextracted: bool
    """Whether some of the log up to yesterday's t was extracted again since."""


class ComparisonRequest(Document, frozen=True, kw_only=True):
    """The comparison of one database's contracts."""

    transaction: str
    """Yesterday's."""
    key: str
    """Token by which the notebook sees that it has the same key of personal data."""
    definition: DatabaseDefinition
    former: DatabaseDefinition | None
    """Yesterday's definition, if it may differ."""
    is_new: bool
    """Whether yesterday had no definition of the database."""
    yesterday: dict[str, Place]
    today: dict[str, Place]
    instances: tuple[ComparedInstance, ...]
    tolerances: dict[str, dict[str, float]]
    """Dataset → floating point column → absolute tolerance."""
    same_t: SameTSelection


class ComparisonAnswer(Document, frozen=True, kw_only=True):
    """What a run found."""

    figures: dict[str, ContractFigures]
    problems: dict[str, str]
    failure: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookCounter:
    """Has the comparison of a database made by a run of the notebook; callable as `count` of judge_contracts."""

    runner: NotebookRunner
    store: ObjectStore
    locations: Locations
    transaction: str
    """Yesterday's."""
    tell: Tell
    tell_output: Tell
    warn: Tell

    def __call__(self, case: Case) -> Counted:
        """Have a case counted.

        Raises:
            NotebookError: the run failed, or its result is none.
        """
        request = make_request(case, transaction=self.transaction)
        text = render_document(request)
        token = sha256_of(text)
        uri = self.locations.comparison_request(transaction=self.transaction, token=token)
        if Documents(self.store).find(uri, ComparisonRequest) is None:
            with suppress(ObjectExistsError):
                self.store.create(uri, text.encode())
        run = self.runner.run({"comparison": uri}, token=token, tell=self.tell, tell_output=self.tell_output)
        answer = _read_answer(run.result, self.store)
        for warning in answer.warnings:
            self.warn(warning)
        return Counted(figures=answer.figures, problems=answer.problems, failure=answer.failure)


def make_request(case: Case, *, transaction: str) -> ComparisonRequest:
    """The request that has a case counted; raises Refused outside a refresh, where no logs are known."""
    if case.logs is None:
        raise Refused("a comparison without logs is not sent to a notebook; compare these tables here")
    former = case.logs.former
    return ComparisonRequest(
        transaction=transaction,
        key=name_token(case.token_key, _NAME_OF_KEY),
        definition=case.definition,
        former=former if former is not None and former.entities else None,
        is_new=former is not None and not former.entities,
        yesterday=dict(case.yesterday),
        today=dict(case.today),
        instances=tuple(_instance_of(source, case.logs) for source in case.logs.sources),
        tolerances={
            t.dataset: dict(found) for t in contract_tables(case.definition) if (found := tolerances_of(t, case))
        },
        same_t=case.same_t,
    )


def _instance_of(source: LogSource, logs: Logs) -> ComparedInstance:
    cache = source.cache
    return ComparedInstance(
        instance=source.instance.name,
        cache=None if isinstance(cache, UnprovenEntry) else cache,
        until_t=source.until_t,
        after_t=logs.after_t(source.instance),
        reextracted=source.instance in logs.reextracted,
    )


def case_of(request: ComparisonRequest, *, store: ObjectStore, index: SegmentIndex, key: bytes) -> Case:
    """The case of a request, on the machine of the notebook.

    Raises:
        Refused: the machine has another key of personal data, so every hash would differ.
    """
    if name_token(key, _NAME_OF_KEY) != request.key:
        raise Refused(
            "the cluster has another key of personal data than the refresh, so every hash would differ; correct "
            "LOGCACHE_DATABRICKS_PII_KEY"
        )
    asked = IndexSnapshot(index)
    found = {i.instance: parse_instance(i.instance) for i in request.instances}
    sources = tuple(
        LogSource(instance=found[i.instance], index=asked, cache=i.cache, until_t=i.until_t) for i in request.instances
    )
    return Case(
        definition=request.definition,
        yesterday=request.yesterday,
        today=request.today,
        tables=store,
        logs=Logs(
            sources=sources,
            after={found[i.instance]: i.after_t for i in request.instances},
            reextracted=frozenset(found[i.instance] for i in request.instances if i.reextracted),
            former=with_fields(request.definition, entities=()) if request.is_new else request.former,
            pii_key=key,
            policy=CachePolicy.STRICT,
        ),
        token_key=key,
        same_t=request.same_t,
        caches=tuple(
            LogSource(instance=found[i.instance], index=asked, cache=i.cache, until_t=i.after_t)
            for i in request.instances
        ),
        strictness=_strictness_of(request.tolerances),
    )


def _strictness_of(tolerances: Mapping[str, Mapping[str, float]]) -> Strictness:
    """The only settings of the rules that counting needs."""
    entries = (
        rule_entry(contract=dataset, column=column, tolerance=tolerance)
        for dataset, columns in tolerances.items()
        for column, tolerance in columns.items()
    )
    return Strictness(entries=tuple(entries))


def answer_comparison(
    request: ComparisonRequest, case: Case, at: Runtime, *, locations: Locations, warnings: list[str]
) -> str:
    """Count a case, store the answer, and return the text that the notebook ends with.

    Args:
        request: what was asked.
        case: of the request, on this machine.
        at: what the engine needs; its `warn` appends to `warnings`.
        locations: of documents.
        warnings: that the refresh tells.
    """
    counted = count_database(case, at)
    answer = ComparisonAnswer(
        figures=dict(counted.figures),
        problems=dict(counted.problems),
        failure=counted.failure,
        warnings=tuple(warnings),
    )
    text = render_document(answer)
    uri = locations.comparison_answer(transaction=request.transaction, digest=sha256_of(text))
    at.store.write(uri, text.encode())
    return msgspec.json.encode(ExportAnswerPlace(uri=uri, sha256=sha256_of(text))).decode()


def read_comparison(uri: str, store: ObjectStore) -> ComparisonRequest:
    """Read a request; raises BadInput if it is malformed, and what the store raises."""
    return Documents(store).read(uri, ComparisonRequest)


def _read_answer(result: str, store: ObjectStore) -> ComparisonAnswer:
    try:
        place = decode_json(result, ExportAnswerPlace)
    except JsonError as error:
        raise NotebookWrongData(
            f"the notebook's result is malformed: {error}; see its output and run it again"
        ) from error
    content = store.read(place.uri)
    if sha256_of(content.decode()) != place.sha256:
        raise NotebookWrongData(f"{place.uri} is not what the notebook wrote; remove it and run the notebook again")
    return parse_document(content, ComparisonAnswer, where=place.uri)
