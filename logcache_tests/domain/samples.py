"""Small made-up values of the domain, each sound until a test changes one field of it."""

from datetime import UTC, date, datetime, timedelta

import msgspec

from logcache_assets.domain.documents import (
    Binding,
    Candidate,
    ChangedEntry,
    ContractInventory,
    ContractOutcome,
    CopiedLog,
    InstanceSpan,
    Verdict,
)
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.log_documents import FileProof, Manifest, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import ComparedRange, datom_sum
from logcache_assets.domain.rules import MANDATORY_RULES
from logcache_assets.domain.rules.results import AppliedAllowance, RuleName
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction
from logcache_tests.domain.contract_samples import ACCOUNTS, allowance, contract_figures, rule_result

FEED_S0 = Instance(database="feed", prototype="s0")
FEED_S1 = Instance(database="feed", prototype="s1")
CUSTOMERS = Instance(database="customers", prototype="global")

NIGHT = "1c7be4a9-5f1e-4c39-9a54-0d6d1f3b2a10"
TEST_RUN = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
READ_AT = datetime(2018, 5, 24, 0, 30, tzinfo=UTC)
NOW = datetime(2018, 5, 28, 14, 0, tzinfo=UTC)
SHA = "33a485bc" + "0" * 32
BASE_SHA = "7f00aa11" + "0" * 32
FOLDER = "s3://permanent/cache/feed-s0/4836-1c7be4a9"


def segment(
    last_batch_t: int, last_t: int, *, extracted_at: datetime = READ_AT, instance: Instance = FEED_S0
) -> Segment:
    """A segment of (last_batch_t, last_t], extracted before the sample night by default."""
    return Segment(
        instance=instance,
        path=f"s3://logs/{instance.name}-{last_batch_t}-{last_t}.avro",
        initial_t=last_batch_t + 1,
        last_batch_t=last_batch_t,
        last_t=last_t,
        timestamp_ms=int(extracted_at.timestamp() * 1000),
    )


def map_entry(instance: Instance = FEED_S0, *, last_t: int = 4836, transaction: str = NIGHT) -> MapEntry:
    """An entry that points into the folder of its instance."""
    folder = f"s3://permanent/cache/{instance.name}/{last_t}-{transaction[:8]}"
    return MapEntry(
        last_t=last_t,
        log=f"{folder}/log",
        materialized_entities=f"{folder}/materialized-entities",
        transaction=transaction,
        source_read_at=READ_AT,
        manifest_sha256="ab" * 32,
    )


LOG_COLUMNS = {
    "e": "int64",
    "a": "int64",
    "v": "string",
    "t": "int64",
    "tx": "int64",
    "added": "bool",
    "tx_instant": "timestamp[ms, tz=UTC]",
}
FACTS_COLUMNS = {"e": "int64", "a": "int64", "v": "string", "n": "int64", "t_from": "int64", "t_to": "int64"}


def raw_dataset(name: str, columns: dict[str, str]) -> RawDataset:
    """One raw dataset that ends at t 4836."""
    return RawDataset(
        uri=f"{FOLDER}/{name}",
        files=(FileProof(name="part-00000.parquet", size_bytes=1200, etag="e1"),),
        columns=columns,
        rows=24_310,
        last_t=4836,
        fingerprint="sum:1",
    )


def compared_range(
    last_batch_t: int = 0, last_t: int = 4836, *, extracted_at: datetime = READ_AT, vouched: bool = False
) -> ComparedRange:
    """A range in which the log is its segment."""
    found = segment(last_batch_t, last_t, extracted_at=extracted_at)
    same = datom_sum(24_310, 7)
    return ComparedRange(
        segment=found.path,
        timestamp_ms=found.timestamp_ms,
        last_batch_t=last_batch_t,
        last_t=last_t,
        log=same,
        segments=same,
        vouched=vouched,
    )


def raw_logs() -> RawLogs:
    """Sound raw logs of feed-s0."""
    return RawLogs(
        instance="feed-s0",
        log=raw_dataset("log", LOG_COLUMNS),
        materialized_entities=raw_dataset("materialized-entities", FACTS_COLUMNS),
        duplicate_datoms=0,
        current_facts=20_000,
        ranges=(compared_range(),),
        outside_datoms=0,
        wrong_txes=0,
        misplaced_facts=0,
        wrong_integers=0,
        differing_attributes=(),
    )


def manifest() -> Manifest:
    """The manifest that map_entry() points to."""
    logs = raw_logs()
    return Manifest(
        instance="feed-s0",
        last_t=4836,
        transaction=NIGHT,
        source_read_at=READ_AT,
        log=logs.log,
        materialized_entities=logs.materialized_entities,
    )


def transaction(
    *instances: Instance, transaction_id: str = NIGHT, kind: str = "DAILY", contracts: tuple[Dataset, ...] = ()
) -> Transaction:
    """A nightly transaction with both raw datasets of these instances committed."""
    raw = [
        dataset(f"raw-{instance.name}/{name}") for instance in instances for name in ("log", "materialized-entities")
    ]
    return Transaction(
        id=transaction_id,
        name="nightly",
        type=kind,
        started_at=READ_AT,
        target_date=date(2018, 5, 24),
        reference_date=date(2018, 5, 24),
        datasets={found.name: found for found in (*raw, *contracts)},
    )


def dataset(name: str, state: DatasetState = DatasetState.COMMITTED) -> Dataset:
    """A dataset at a path of its own."""
    committed = state is DatasetState.COMMITTED
    return Dataset(
        name=name,
        state=state,
        path=f"s3://ephemeral/{name}/1" if committed else None,
        committed_at=READ_AT + timedelta(hours=2) if committed else None,
        aborted_at=READ_AT + timedelta(hours=2) if state is DatasetState.ABORTED else None,
    )


def candidate() -> Candidate:
    """A candidate that moves feed-s0 and gives feed-s1 its first cache."""
    return Candidate(
        transaction=NIGHT,
        selection="feed",
        databases=("feed",),
        branch="log-cache/2018-05-24-1c7be4a9-feed",
        sha=SHA,
        base_sha=BASE_SHA,
        base_map_sha256="01" * 32,
        map_sha256="02" * 32,
        changes=(
            ChangedEntry(
                instance="feed-s0",
                last_t=4836,
                active_t=3185,
                active_read_at=datetime(2018, 3, 1, 0, 30, tzinfo=UTC),
                log=_copied("feed-s0", last_t=4836, rows=24_310, files=2, size_bytes=1_234_567),
            ),
            ChangedEntry(
                instance="feed-s1",
                last_t=4770,
                active_t=None,
                active_read_at=None,
                log=_copied("feed-s1", last_t=4770, rows=980, files=2, size_bytes=45_678),
            ),
        ),
    )


def _copied(instance: str, *, last_t: int, rows: int, files: int, size_bytes: int) -> CopiedLog:
    return CopiedLog(
        instance=instance,
        last_t=last_t,
        manifest=f"s3://permanent/cache/{instance}/{last_t}-1c7be4a9/manifest.json",
        manifest_sha256="ab" * 32,
        rows=rows,
        files=files,
        size_bytes=size_bytes,
    )


MANDATORY = ("contract-feed/transactions", ACCOUNTS)
REQUIRED: dict[str, tuple[RuleName, ...]] = dict.fromkeys(MANDATORY, MANDATORY_RULES)


def outcome(name: str, figures: ContractFigures) -> ContractOutcome:
    """A contract that passed every rule."""
    return ContractOutcome(
        dataset=name,
        state="committed",
        uri=f"s3://ephemeral/{name}/2",
        rows=figures.today.rows,
        yesterday_rows=figures.yesterday.rows,
        results=tuple(rule_result(rule) for rule in MANDATORY_RULES),
        figures=figures,
    )


BINDING = Binding(candidate_sha=SHA, map_sha256="02" * 32, test_transaction=TEST_RUN, yesterday_transaction=NIGHT)


def inventory() -> ContractInventory:
    """Every mandatory contract of the candidate, passed."""
    return ContractInventory(
        binding=BINDING,
        spans=(
            InstanceSpan(instance="feed-s0", yesterday_t=4836, today_t=4901),
            InstanceSpan(instance="feed-s1", yesterday_t=4770, today_t=4770),
        ),
        outcomes=(
            outcome(MANDATORY[0], contract_figures("transaction", s1_rows=1250)),
            outcome(ACCOUNTS, contract_figures()),
        ),
        allowances=(AppliedAllowance(allowance=allowance("unexplained"), used=False),),
        rules_sha256="04" * 32,
    )


def verdict() -> Verdict:
    """The approval of the candidate."""
    return Verdict(
        approved=True,
        reasons=(),
        binding=BINDING,
        databases=("feed",),
        spans=inventory().spans,
        decided_at=NOW,
        contracts=inventory().outcomes,
        allowances=inventory().allowances,
        rules_sha256="04" * 32,
    )


changed = msgspec.structs.replace
"""A document with some fields changed."""
