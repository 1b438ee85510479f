"""The documents that one stage hands to the next: canonical, strict, the same again after reading."""

import json

import pytest

from logcache_assets.domain.documents import (
    Candidate,
    ContractInventory,
    Document,
    NightlyTransaction,
    PermanentLog,
    Publication,
    RejectedTransaction,
    TestRun,
    Verdict,
    document_digest,
    parse_document,
    render_document,
)
from logcache_assets.domain.figures import SchemaChange
from logcache_assets.domain.log_documents import LogExport, Manifest
from logcache_assets.domain.rules.results import Excuse, RuleResult
from logcache_assets.errors import BadInput
from logcache_tests.domain.contract_samples import allowance, contract_figures, faulty, pattern, reason, rule_result
from logcache_tests.domain.samples import (
    BASE_SHA,
    NIGHT,
    READ_AT,
    SHA,
    TEST_RUN,
    candidate,
    changed,
    inventory,
    manifest,
    outcome,
    raw_logs,
    transaction,
    verdict,
)

URI = "s3://permanent/cache/_refresh/1c7be4a9/stage/feed.json"
EXCUSED = RuleResult(
    rule="differences_explained",
    passed=False,
    expected="a cause",
    actual=("2 whole rows unexplained",),
    figures={"share_explained": 0.875},
    severity="warn",
    excused=(
        Excuse(what="fee: 1 of 240 cells unexplained", threshold=0.01),
        Excuse(what="3 whole rows unexplained", allowance=allowance("unexplained", column="account__status")),
    ),
)
FAULTY = changed(
    faulty("unexplained", rows=2),
    schema=(SchemaChange(column="account__fee", was=None, is_now="int64", expected=None),),
    patterns=(pattern(2, reason="unexplained", first_t=4840, last_t=4840, segments=("é.avro",), examples=("a1",)),),
    same_t=None,
)
UNSOUND = changed(contract_figures(), prototypes=None, explained=False)
PUBLICATION = Publication(
    candidate_sha=SHA, base_sha=BASE_SHA, branch="log-cache/x", number=1, url="file:///1", verdict_sha256="aa" * 32
)
DOCUMENTS: list[Document] = [
    NightlyTransaction(
        transaction=NIGHT,
        type="DAILY",
        started_at=READ_AT,
        target_date=transaction().target_date,
        databases=("feed",),
        raw_paths={"raw-feed-s0/log": "s3://ephemeral/1"},
        rejected=(
            RejectedTransaction(transaction=TEST_RUN, type="CUSTOM", started_at=READ_AT, reasons=("its type", "é")),
        ),
    ),
    LogExport(transaction=NIGHT, database="feed", source_read_at=READ_AT, instances=(raw_logs(),)),
    manifest(),
    PermanentLog(
        transaction=NIGHT, database="feed", source_read_at=READ_AT, logs=tuple(c.log for c in candidate().changes)
    ),
    candidate(),
    TestRun(
        candidate_sha=SHA,
        map_sha256="02" * 32,
        transaction=TEST_RUN,
        dataset_prefix="contract-",
        aborted={"contract-feed/accounts": "it was not computed"},
        indexed_t={"feed-s0": (4836, 4901), "feed-s1": (4770, 4770)},
    ),
    inventory(),
    verdict(),
    changed(
        verdict(),
        approved=False,
        reasons=(reason("it is empty", rule="sound_table"),),
        warnings=(reason("few", "fewer"),),
        binding=None,
        contracts=(
            changed(outcome("contract-feed/accounts", FAULTY), results=(EXCUSED,)),
            changed(outcome("contract-feed/cards", UNSOUND), uri=None, rows=None, yesterday_rows=None, figures=None),
            outcome("contract-feed/transactions", UNSOUND),
        ),
    ),
    PUBLICATION,
]
EACH = pytest.mark.parametrize(
    "document", [pytest.param(d, id=f"{type(d).__name__} {n}") for n, d in enumerate(DOCUMENTS)]
)


@EACH
def test_a_document_is_the_same_after_writing_and_reading(document: Document) -> None:
    """No field is lost, and the bytes are the same again."""
    text = render_document(document)

    again = parse_document(text, type(document), where=URI)

    assert again == document
    assert render_document(again) == text
    assert parse_document(text.encode(), type(document), where=URI) == document


@EACH
def test_a_document_is_canonical_json(document: Document) -> None:
    """Sorted keys, two spaces, one final newline, nothing escaped: equal documents are equal bytes."""
    text = render_document(document)

    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


@EACH
def test_an_unknown_key_is_refused_with_the_documents_name(document: Document) -> None:
    """A document of another version is not half understood."""
    text = json.dumps(json.loads(render_document(document)) | {"extra": 1})

    with pytest.raises(BadInput) as refusal:
        parse_document(text, type(document), where=URI)

    assert str(refusal.value) == (
        f"{URI} is no {type(document).__name__} document: Object contains unknown field `extra`; "
        "remove it and run its stage again"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "is not JSON: line 1 column 1", id="nothing"),
        pytest.param(render_document(PUBLICATION)[:40], "is not JSON: line 2 column", id="cut short"),
        pytest.param(b"\xff\xfe", "is not JSON", id="bytes that are no text"),
        pytest.param(render_document(PUBLICATION).replace("x", "\xff").encode("latin-1"), "is not JSON", id="latin-1"),
        pytest.param("[]", "is no Publication document: Expected `object`, got `array`", id="an array"),
        pytest.param("{}", "missing required field", id="no fields"),
        pytest.param(render_document(PUBLICATION).replace("1,", '"1",'), "at `$.number`", id="a number as text"),
        pytest.param(render_document(verdict()), "is no Publication document", id="another document"),
    ],
)
def test_what_is_no_such_document_is_refused(content: str | bytes, reason: str) -> None:
    """With its name, the place, and what to do; never as a traceback."""
    with pytest.raises(BadInput) as refusal:
        parse_document(content, Publication, where=URI)

    assert str(refusal.value).startswith(URI)
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith("; remove it and run its stage again")


def test_instants_are_written_in_utc_with_milliseconds() -> None:
    """The one spelling of an instant in documents."""
    assert '"source_read_at": "2018-05-24T00:30:00.000Z"' in render_document(manifest())


def test_a_document_is_known_by_the_sha_256_of_its_bytes() -> None:
    """The published digest of three letters (FIPS 180-2, example B.1)."""
    assert document_digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_figures_of_documents_follow_from_their_fields() -> None:
    """The Itaipu version is the short sha; bytes are those of all files."""
    assert candidate().version == "33a485bc"
    assert raw_logs().log.size_bytes == 1200


def test_a_test_run_of_a_former_version_says_nothing_of_the_index() -> None:
    """It is read all the same: where the index ended was not asked then."""
    text = json.dumps({"aborted": {}, "candidate_sha": SHA, "dataset_prefix": "", "map_sha256": "", "transaction": "t"})

    assert parse_document(text, TestRun, where=URI).indexed_t == {}


@pytest.mark.parametrize(
    ("results", "passed"),
    [
        pytest.param((rule_result("sound_table"),), True, id="a rule passed"),
        pytest.param((), False, id="no rule ran"),
        pytest.param((rule_result("sound_table"), rule_result("nothing_missed", passed=False)), False, id="one blocks"),
        pytest.param((EXCUSED,), True, id="one only warns"),
    ],
)
def test_a_contract_passed_if_rules_ran_and_none_blocks(results: tuple[RuleResult, ...], *, passed: bool) -> None:
    """Absence is failure, a warning is none."""
    assert changed(outcome("contract-feed/accounts", contract_figures()), results=results).passed is passed


def test_numbers_of_a_rule_are_the_same_digits_again() -> None:
    """Judges count in whole numbers, and a document that is read and written again is the same bytes."""
    counted = changed(rule_result("sound_table"), figures={"rows": 100, "share": 0.5, "all": 1.0})
    accounts = changed(outcome("contract-feed/accounts", contract_figures()), results=(counted,))
    text = render_document(changed(inventory(), outcomes=(accounts,)))

    assert render_document(parse_document(text, ContractInventory, where=URI)) == text


def test_every_kind_of_document_is_tried_here() -> None:
    """Whoever adds a stage adds its document to these tests."""
    handed_on = {Candidate, ContractInventory, LogExport, Manifest, NightlyTransaction, PermanentLog, Publication}

    assert {type(document) for document in DOCUMENTS} == handed_on | {TestRun, Verdict}
