"""A comparison that a run of the notebook makes is the one that is made here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from msgspec.structs import replace as with_fields
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables, parse_definition
from logcache_assets.domain.documents import parse_document, render_document
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import Strictness
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.engine.compare.day_pair import Logs
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.log_op import CachePolicy
from logcache_assets.errors import Refused
from logcache_assets.ports import NotebookRun, NotebookRunner, NotebookWrongData, SegmentIndex, Tell
from logcache_assets.refresh.comparison_run import (
    ComparisonRequest,
    NotebookCounter,
    answer_comparison,
    case_of,
    make_request,
    read_comparison,
)
from logcache_assets.refresh.judge_database import Absent, Case, Counted, count_database, judge_counted, tolerances_of
from logcache_tests.conftest import silent
from logcache_tests.engine.days import compute_day
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import OWN_BUCKET, driver_in, source_at, write_cache
from logcache_tests.worlds import FEED_DEFINITION

LOCATIONS = Locations(permanent_bucket=OWN_BUCKET)
NIGHT = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def case(shared_store: FolderObjectStore) -> Case:
    """Feed on both days, as a refresh gathers it: every source has the candidate's cache."""
    definition = parse_definition(FEED_DEFINITION, where="feed.yaml")
    instances = [Instance(database="feed", prototype=prototype) for prototype in definition.prototypes]
    sources = {cut: [source_at(instance, cut) for instance in instances] for cut in ("yesterday", "today")}
    yesterday, today = (compute_day(definition, sources[cut], shared_store) for cut in ("yesterday", "today"))
    caches = tuple(
        replace(source, cache=write_cache(source, shared_store, folder="comparison-run", last_t=source.until_t or 0))
        for source in sources["yesterday"]
    )
    cached = zip(sources["today"], caches, strict=True)
    return Case(
        definition=definition,
        yesterday={name: table.folder_uri for name, table in yesterday.tables.items()},
        today={name: table.folder_uri for name, table in today.tables.items()},
        tables=shared_store,
        logs=Logs(
            sources=tuple(replace(source, cache=cache.cache) for source, cache in cached),
            after=yesterday.last_t,
            former=definition,
            pii_key=PII_KEY,
            policy=CachePolicy.STRICT,
        ),
        token_key=PII_KEY,
        same_t=SameTSelection(),
        caches=caches,
    )


def counted_here(case: Case, store: FolderObjectStore) -> Counted:
    """What a driver of this process counts."""
    return count_database(case, Runtime(store=store, driver=driver_in(store), warn=silent))


@dataclass
class IndexOfAll(SegmentIndex):
    """The indexes of the sources as the one that a deployment has."""

    indexes: Mapping[Instance, SegmentIndex]

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        return self.indexes[instance].segments(instance, after_t=after_t)

    @override
    def newest_t(self, instance: Instance) -> int:
        return self.indexes[instance].newest_t(instance)

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        return self.indexes[instance].extracted_since(instance, before_t=before_t, since=since)


def index_of(case: Case) -> SegmentIndex:
    """The segment index of a case."""
    assert case.logs is not None
    return IndexOfAll({source.instance: source.index for source in case.logs.sources})


@dataclass
class NotebookHere(NotebookRunner):
    """Does the notebook's work in this process, with nothing but the request."""

    store: FolderObjectStore
    index: SegmentIndex
    key: bytes = PII_KEY
    tokens: list[str] = field(default_factory=list)

    @override
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell, tell_output: Tell) -> NotebookRun:
        self.tokens.append(token)
        request, warnings = read_comparison(parameters["comparison"], self.store), list[str]()
        case = case_of(request, store=self.store, index=self.index, key=self.key)
        at = Runtime(store=self.store, driver=driver_in(self.store), warn=warnings.append)
        result = answer_comparison(request, case, at, locations=LOCATIONS, warnings=warnings)
        return NotebookRun(result=result, page="here")

    @override
    def checks(self) -> Mapping[str, Callable[[], str]]:
        return {}


def counter(store: FolderObjectStore, runner: NotebookRunner, *, warn: Tell = silent) -> NotebookCounter:
    """What asks a runner."""
    return NotebookCounter(
        runner=runner,
        store=store,
        locations=LOCATIONS,
        transaction=NIGHT,
        tell=silent,
        tell_output=silent,
        warn=warn,
    )


def notebook(case: Case, store: FolderObjectStore) -> NotebookHere:
    """A notebook that asks the segment index of a case."""
    return NotebookHere(store, index_of(case))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"same_t": SameTSelection(contracts="*/accounts", prototypes=("s1",))}, id="part recomputed"),
    ],
)
def test_a_run_counts_what_is_counted_here(
    case: Case, shared_store: FolderObjectStore, change: dict[str, object]
) -> None:
    """Every figure and every outcome is the same."""
    changed = replace(case, **change)  # type: ignore[arg-type]

    found = counter(shared_store, notebook(case, shared_store))(changed)

    here = counted_here(changed, shared_store)
    assert (found.failure, found.problems) == (here.failure, here.problems)
    assert found == here
    assert judge_counted(changed, found) == judge_counted(changed, here)
    assert all(outcome.figures for outcome in judge_counted(changed, found))


def test_the_tolerances_of_the_rules_are_passed_on(case: Case, shared_store: FolderObjectStore) -> None:
    """And no other setting: those are for judging."""
    entries = (rule_entry(contract="*merchants", tolerance=0.5), rule_entry(contract="*", band_rows=7))
    tolerant = replace(case, strictness=Strictness(entries=entries))
    index = index_of(case)

    again = case_of(make_request(tolerant, transaction=NIGHT), store=shared_store, index=index, key=PII_KEY)

    tables = {table.dataset: table for table in contract_tables(case.definition)}
    assert tolerances_of(tables["contract-feed/merchants"], again)["merchant__rate"] == 0.5
    assert {n: tolerances_of(t, again) for n, t in tables.items()} == {
        n: tolerances_of(t, tolerant) for n, t in tables.items()
    }


def test_all_that_is_known_of_the_logs_is_passed_on(case: Case, shared_store: FolderObjectStore) -> None:
    """Also that a segment was extracted again; the places of logs, and both days' t."""
    assert case.logs is not None
    first = case.logs.sources[0].instance
    known = replace(case, logs=replace(case.logs, reextracted=frozenset({first})))
    index = index_of(case)

    request = parse_document(render_document(make_request(known, transaction=NIGHT)), ComparisonRequest, where="it")
    again = case_of(request, store=shared_store, index=index, key=PII_KEY)

    assert again.logs is not None
    assert (again.logs.reextracted, again.logs.after) == (frozenset({first}), case.logs.after)
    assert (again.logs.former, again.logs.policy, again.logs.pii_key) == (case.definition, CachePolicy.STRICT, PII_KEY)
    for sent, kept in ((again.logs.sources, case.logs.sources), (again.caches, case.caches)):
        assert [(s.instance, s.cache, s.until_t) for s in sent] == [(s.instance, s.cache, s.until_t) for s in kept]


def test_a_contract_that_is_not_there_is_told_with_its_reason(case: Case, shared_store: FolderObjectStore) -> None:
    """The state of its dataset, too."""
    name = "contract-feed/accounts"
    aborted = replace(case, today={**case.today, name: Absent(reason="it is aborted", state="aborted")})

    outcomes = {
        o.dataset: o for o in judge_counted(aborted, counter(shared_store, notebook(case, shared_store))(aborted))
    }

    assert (outcomes[name].state, outcomes[name].passed) == ("aborted", False)
    assert [o.dataset for o in outcomes.values() if not o.passed] == [name]


def test_a_database_that_is_new_is_new_there_too(case: Case, shared_store: FolderObjectStore) -> None:
    """A definition without entities, which no file could have."""
    assert case.logs is not None
    former = parse_definition(FEED_DEFINITION, where="feed.yaml")
    new = replace(case, yesterday={}, logs=replace(case.logs, former=_without_entities(former)))

    request = make_request(new, transaction=NIGHT)
    again = case_of(
        parse_document(render_document(request), ComparisonRequest, where="it"),
        store=shared_store,
        index=index_of(case),
        key=PII_KEY,
    )

    assert again.logs is not None
    assert again.logs.former == _without_entities(former)
    assert counted_here(again, shared_store) == counted_here(new, shared_store)


def _without_entities(definition: DatabaseDefinition) -> DatabaseDefinition:
    return with_fields(definition, entities=())


def test_the_same_question_is_the_same_run(case: Case, shared_store: FolderObjectStore) -> None:
    """A refresh that was killed finds it; other tables are another question. The token fits Databricks."""
    runner = notebook(case, shared_store)
    count = counter(shared_store, runner)

    count(case)
    count(case)
    count(replace(case, same_t=SameTSelection(contracts="")))

    assert runner.tokens[0] == runner.tokens[1] != runner.tokens[2]
    assert {len(token) for token in runner.tokens} == {64}


def test_another_key_of_personal_data_is_refused(case: Case, shared_store: FolderObjectStore) -> None:
    """Every hash would differ, and every contract be refused for the wrong reason. No key is in the request."""
    request = make_request(case, transaction=NIGHT)

    with pytest.raises(Refused, match="another key of personal data"):
        case_of(request, store=shared_store, index=index_of(case), key=b"another key of 16 bytes")

    assert PII_KEY.decode() not in render_document(request)


def test_an_answer_that_was_changed_is_refused(case: Case, shared_store: FolderObjectStore) -> None:
    """The notebook's result has its digest."""

    class Liar(NotebookHere):
        @override
        def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell, tell_output: Tell) -> NotebookRun:
            run = super().run(parameters, token=token, tell=tell, tell_output=tell_output)
            uri = run.result.split('"')[3]
            shared_store.write(uri, shared_store.read(uri).replace(b'"failure": ""', b'"failure": "x"'))
            return run

    with pytest.raises(NotebookWrongData, match="is not what the notebook wrote"):
        counter(shared_store, Liar(shared_store, notebook(case, shared_store).index))(case)
