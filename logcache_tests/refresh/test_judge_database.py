"""Every contract of a database judged, on the demo's real log: what is wired between tables, logs and rules."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import DatabaseDefinition, parse_definition
from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.rules import MANDATORY_RULES
from logcache_assets.domain.rules.results import RuleName, RuleResult
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.engine.compare.day_pair import Logs
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.log_op import CachePolicy
from logcache_assets.ports import ObjectStoreUnavailable
from logcache_assets.refresh.judge_database import Case, judge_database
from logcache_tests.engine.days import TOKEN_KEY, Day, compute_day
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import LOGS_BUCKET, OWN_BUCKET, driver_in, source_at, write_cache
from logcache_tests.unreachable_store import UnreachableStore
from logcache_tests.worlds import FEED_DEFINITION

WITH_SAME_T: tuple[RuleName, ...] = (*MANDATORY_RULES, "same_t_same_table")
MERCHANTS = ("contract-feed/merchants", "contract-feed/merchant-category-history")


def case_of(yesterday: Day, today: Day, store: FolderObjectStore, *, cache: str) -> Case:
    """Both days, the logs between them, and caches in a folder of this name to recompute yesterday from."""
    caches = tuple(
        replace(source, cache=write_cache(source, store, folder=cache, last_t=source.until_t or 0))
        for source in yesterday.sources
    )
    return Case(
        definition=today.definition,
        yesterday={name: table.folder_uri for name, table in yesterday.tables.items()},
        today={name: table.folder_uri for name, table in today.tables.items()},
        tables=store,
        logs=Logs(
            sources=today.sources,
            after=yesterday.last_t,
            former=yesterday.definition,
            pii_key=PII_KEY,
            policy=CachePolicy.STRICT,
        ),
        token_key=TOKEN_KEY,
        same_t=SameTSelection(),
        caches=caches,
    )


def judged(case: Case, store: FolderObjectStore, told: list[str]) -> Mapping[str, ContractOutcome]:
    """The outcomes by dataset."""
    at = Runtime(store=store, driver=driver_in(store), warn=told.append)
    return {outcome.dataset: outcome for outcome in judge_database(case, at)}


def result_of(outcome: ContractOutcome, rule: RuleName) -> RuleResult:
    """The result of one rule."""
    return next(result for result in outcome.results if result.rule == rule)


def without_merchants(definition: DatabaseDefinition) -> DatabaseDefinition:
    """The definition of feed before it had merchants."""
    return with_fields(definition, entities=tuple(e for e in definition.entities if e.name != "merchants"))


@pytest.fixture(scope="module")
def days(shared_store: FolderObjectStore) -> tuple[Day, Day]:
    """Feed at both cut-offs, with the contracts that a refresh of the tests has."""
    definition = parse_definition(FEED_DEFINITION, where="feed.yaml")

    def day_at(cut: str) -> Day:
        sources = [
            source_at(Instance(database="feed", prototype=prototype), cut) for prototype in definition.prototypes
        ]
        return compute_day(definition, sources, shared_store)

    return day_at("yesterday"), day_at("today")


def test_every_rule_runs_once_for_every_contract(
    days: tuple[Day, Day],
    shared_store: FolderObjectStore,
) -> None:
    """Every rule passes, in the order of the rules, and nothing is warned of."""
    told: list[str] = []

    outcomes = judged(case_of(*days, shared_store, cache="judge-all"), shared_store, told)

    assert outcomes.keys() == days[1].tables.keys()
    assert {tuple(result.rule for result in outcome.results) for outcome in outcomes.values()} == {WITH_SAME_T}
    assert all(result.passed for outcome in outcomes.values() for result in outcome.results)
    assert sum(result_of(outcome, "same_t_same_table").figures["same_t_rows"] for outcome in outcomes.values()) == sum(
        table.rows for table in days[0].tables.values()
    )


def test_a_new_contract_has_no_yesterday_to_recompute(
    days: tuple[Day, Day],
    shared_store: FolderObjectStore,
) -> None:
    """All its rows are there because its definition is; every other contract is recomputed."""
    yesterday, today = days
    former = compute_day(without_merchants(yesterday.definition), yesterday.sources, shared_store)

    outcomes = judged(case_of(former, today, shared_store, cache="judge-new"), shared_store, [])

    assert all(result.passed for outcome in outcomes.values() for result in outcome.results)
    for name in MERCHANTS:
        figures = outcomes[name].figures
        assert figures is not None
        assert figures.reasons.keys() == {"definition-changed", "new-transaction"}
        assert sum(figures.reasons.values()) == today.tables[name].rows
        assert result_of(outcomes[name], "same_t_same_table").figures["same_t_rows"] == 0
    assert result_of(outcomes["contract-feed/accounts"], "same_t_same_table").figures["same_t_rows"] > 0


def redefined(day: Day, entity: str, **fields: object) -> DatabaseDefinition:
    """A day's definition with one entity declared otherwise."""
    entities = tuple(with_fields(e, **fields) if e.name == entity else e for e in day.definition.entities)
    return with_fields(day.definition, entities=entities)


def test_a_dropped_prototype_is_not_recomputed(
    days: tuple[Day, Day],
    shared_store: FolderObjectStore,
) -> None:
    """Its rows are gone because its definition is; those of the others are recomputed and compared."""
    yesterday, today = days
    definition = with_fields(today.definition, prototypes=("s0",))
    alone = compute_day(definition, today.sources[:1], shared_store)
    case = case_of(yesterday, alone, shared_store, cache="judge-dropped")

    outcomes = judged(replace(case, caches=case.caches[:1]), shared_store, [])

    blocked = {(name, r.rule) for name, outcome in outcomes.items() for r in outcome.results if r.blocks}
    assert blocked == set()
    assert outcomes["contract-feed/accounts"].figures is not None
    assert outcomes["contract-feed/accounts"].figures.reasons["definition-changed"] > 0


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": "shops"}, id="another name"),
        pytest.param({"name": "shops", "snapshot": True}, id="another name, and a snapshot more"),
        pytest.param({"primary_key": "merchant/website"}, id="another primary key"),
    ],
)
def test_an_entity_declared_otherwise_gives_no_false_alarm(
    fields: dict[str, object], days: tuple[Day, Day], shared_store: FolderObjectStore
) -> None:
    """With its category made personal data at the same time; its history keeps its name, and is compared or new."""
    yesterday, today = days
    merchants = next(e for e in today.definition.entities if e.name == "merchants")
    attributes = tuple(
        with_fields(a, pii=True) if a.attribute == "merchant/category" else a
        for a in merchants.attributes
        if a.attribute != fields.get("primary_key")
    )
    definition = redefined(today, "merchants", attributes=attributes, **fields)
    other = compute_day(definition, today.sources, shared_store)
    folder = f"judge-{'-'.join(map(str, fields.values()))}".replace("/", "-").lower()

    outcomes = judged(case_of(yesterday, other, shared_store, cache=folder), shared_store, [])

    assert {(name, r.sentence) for name, o in outcomes.items() for r in o.results if r.blocks} == set()
    history = outcomes["contract-feed/merchant-category-history"].figures
    assert history is not None
    assert history.reasons["definition-changed"] > 0


def test_a_cache_that_is_gone_is_named_by_every_contract(
    days: tuple[Day, Day], shared_store: FolderObjectStore
) -> None:
    """Yesterday could not be recomputed, which refuses all of them with the cause (C29); all else was judged."""
    case, told = case_of(*days, shared_store, cache="judge-gone"), list[str]()
    gone = "s3://own-bucket/nowhere/materialized-entities"
    lost = tuple(
        replace(source, cache=with_fields(source.cache, materialized_entities=gone) if source.cache else None)
        for source in case.caches
    )

    outcomes = judged(replace(case, caches=lost), shared_store, told)

    for outcome in outcomes.values():
        assert [result.rule for result in outcome.results if not result.passed] == ["same_t_same_table"]
        assert gone in result_of(outcome, "same_t_same_table").sentence
        assert "(C29)" in result_of(outcome, "same_t_same_table").sentence
    assert any(gone in line for line in told)


def test_a_table_that_is_missing_fails_its_own_contract_only(
    days: tuple[Day, Day], shared_store: FolderObjectStore
) -> None:
    """All its rules fail for the same reason."""
    case = case_of(*days, shared_store, cache="judge-missing")
    there = {name: place for name, place in case.today.items() if name != MERCHANTS[0]}

    outcomes = judged(replace(case, today=there), shared_store, [])

    assert {name for name, outcome in outcomes.items() if not outcome.passed} == {MERCHANTS[0]}
    assert {result.actual for result in outcomes[MERCHANTS[0]].results} == {("it is not there today",)}
    assert tuple(result.rule for result in outcomes[MERCHANTS[0]].results) == WITH_SAME_T


def test_an_outage_judges_nothing(days: tuple[Day, Day], shared_store: FolderObjectStore) -> None:
    """Tables, logs and caches that cannot be reached are no fault of a contract: the outage is raised."""
    case = case_of(*days, shared_store, cache="judge-outage")
    tables, logs = UnreachableStore(shared_store), UnreachableStore(shared_store, f"s3://{LOGS_BUCKET}/")
    caches = UnreachableStore(shared_store, f"s3://{OWN_BUCKET}/judge-outage/")

    for out, judged_case in ((shared_store, replace(case, tables=tables)), (logs, case), (caches, case)):
        with pytest.raises(ObjectStoreUnavailable, match="SlowDown"):
            judged(judged_case, out, [])


def test_a_contract_is_held_against_its_own_history(days: tuple[Day, Day], shared_store: FolderObjectStore) -> None:
    """Each contract is compared with its last refreshes; one without any passes, one far outside its band warns."""
    case = case_of(*days, shared_store, cache="cache-of-history")
    first = judged(case, shared_store, [])
    merchants, histories = (first[name].figures for name in MERCHANTS)
    assert merchants is not None
    assert histories is not None
    far = with_fields(merchants, today=with_fields(merchants.today, rows=merchants.today.rows + 10_000))

    again = judged(replace(case, history={MERCHANTS[0]: (far,) * 3, MERCHANTS[1]: (histories,) * 3}), shared_store, [])

    found = {name: result_of(outcome, "rows_within_band") for name, outcome in again.items()}
    assert [name for name, result in found.items() if not result.passed] == [MERCHANTS[0]]
    assert not found[MERCHANTS[0]].blocks
    assert {name: result.figures["earlier_refreshes"] for name, result in found.items() if name in MERCHANTS} == {
        MERCHANTS[0]: 3,
        MERCHANTS[1]: 3,
    }
    assert all(result.figures["earlier_refreshes"] == 0 for name, result in found.items() if name not in MERCHANTS)
