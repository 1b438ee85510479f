"""`logcache validate` and `logcache reveal`: the validation on folders, and back from a token to its row."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.cli import contracts, reveal
from logcache_assets.cli import validate as command
from logcache_assets.cli.main import logcache
from logcache_assets.domain.documents import Verdict, parse_document
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.kinds import KIND_NAMES
from logcache_assets.domain.log_cache_map import LogCacheMap, render_map, with_entries
from logcache_assets.engine.log.log_op import find_last_t
from logcache_assets.errors import BadInput, LogCacheError, Refused, WrongUsage
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import (
    LOGS_BUCKET,
    WORLD,
    cut_off,
    open_store,
    segments_of,
    source_at,
    write_cache,
)

FEED = ("feed-s0", "feed-s1")
ACCOUNTS = "contract-feed/accounts"
RULES = """
rules:
  - {contract: contract-feed/accounts, column: account__customer_id, severity: warn}
"""
ALLOWED = """
allow:
  - {contract: contract-feed/accounts, column: account__customer_id, finding: unexplained,
     owner: team-cards, reason: known since May, expires: %s}
"""


@dataclass(frozen=True)
class Days:
    """Everything that the command is given, as files that a test may spoil."""

    home: Path
    index: Path | None = None
    rules: Path | None = None
    out: Path | None = None
    log_map: Path | None = None
    pii_key: bytes | None = PII_KEY
    told: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> command.Inputs:
        """As the command line gives them."""
        return command.Inputs(
            yesterday=self.home / "yesterday",
            today=self.home / "today",
            definitions=self.home / "contracts",
            root=self.home / "buckets" if self.index else None,
            index=self.index,
            after=self.home / "yesterday.json" if self.index else None,
            until=self.home / "today.json" if self.index else None,
            log_map=self.log_map,
            rules=self.rules,
        )

    def run(self, inputs: command.Inputs | None = None) -> Verdict:
        """The verdict over the database feed."""
        inputs = inputs or self.inputs
        tell = self.told.append
        return command.run(inputs, out=self.out, databases=("feed",), driver="local", pii_key=self.pii_key, tell=tell)


def explained(home: Path) -> Days:
    """Both days with the log between them."""
    return Days(home, index=home / "index.jsonl")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Feed's contracts of the demo's cut-offs `yesterday` and `today`, computed by `logcache contracts`."""
    home = tmp_path_factory.mktemp("days")
    open_store(home)
    shutil.copytree(WORLD / "contracts", home / "contracts")
    shutil.copyfile(WORLD / "index.jsonl", home / "index.jsonl")
    for cut in ("yesterday", "today"):
        until = home / f"{cut}.json"
        until.write_text(json.dumps({name: cut_off(parse_instance(name), cut) for name in FEED}), encoding="utf-8")
        files = contracts.Inputs(
            root=home / "buckets",
            index=home / "index.jsonl",
            definitions=home / "contracts",
            until=until,
            log_map=None,
        )
        contracts.run(
            files, out=home / cut, databases=("feed",), kinds=KIND_NAMES, driver="local", pii_key=PII_KEY, tell=print
        )
    return home


@pytest.fixture
def home(whole_home: Path) -> Path:
    """The same days, of which only accounts and merchants are judged: transactions take most of the time."""
    file = whole_home / "contracts" / "feed.yaml"
    definition = yaml.safe_load(file.read_text("utf-8"))
    definition["entities"] = [entity for entity in definition["entities"] if entity["name"] != "transactions"]
    file.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return whole_home


@pytest.fixture
def whole_home(template: Path, tmp_path: Path) -> Path:
    """A copy of the test's own; the segments are shared."""
    for name in ("yesterday", "today", "contracts"):
        shutil.copytree(template / name, tmp_path / name)
    for name in ("index.jsonl", "yesterday.json", "today.json"):
        shutil.copyfile(template / name, tmp_path / name)
    open_store(tmp_path)
    return tmp_path


def caches_at_yesterday(home: Path) -> LogCacheMap:
    """Caches of feed up to yesterday's t, in a bucket of their own."""
    store = FolderObjectStore(home / "buckets", SystemClock())
    entries = {}
    for name in FEED:
        instance = parse_instance(name)
        source = source_at(instance, "yesterday")
        last_t = find_last_t(source, store, warn=print)
        entries[instance] = write_cache(source, store, folder="caches", last_t=last_t)
    return with_entries({}, entries)


def forget_older_segments(home: Path) -> None:
    """The segments that end at or before yesterday's t are gone from the disk; the index still names them."""
    logs = home / "buckets" / LOGS_BUCKET
    known = [segment for name in FEED for segment in segments_of(parse_instance(name))]
    newer = [segment for segment in known if segment.last_t > cut_off(segment.instance, "yesterday")]
    logs.unlink()
    for segment in newer:
        place = home / "buckets" / segment.path.removeprefix("s3://")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(WORLD / "buckets" / segment.path.removeprefix("s3://"), place)


def accounts_file(home: Path, day: str = "today") -> Path:
    """The accounts of one prototype."""
    return min((home / day / ACCOUNTS).glob("*.parquet"))


def garble_one_account(home: Path) -> str:
    """Another customer in one account of today; returns the account's id."""
    file = accounts_file(home)
    rows = pl.read_parquet(file)
    wrong = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("nobody")).otherwise("account__customer_id")
    rows.with_columns(wrong.alias("account__customer_id")).write_parquet(file)
    return str(rows["account__id"][0])


def test_two_sound_days_are_approved(whole_home: Path) -> None:
    """Every difference is explained; verdict and report are written."""
    days = replace(explained(whole_home), out=whole_home / "report")

    verdict = days.run()

    assert (verdict.approved, verdict.reasons, verdict.binding) == (True, (), None)
    assert len(verdict.contracts) == 10
    assert sum(c.figures.differing for c in verdict.contracts if c.figures) > 5000
    assert {c.uri for c in verdict.contracts} == {str(whole_home / "today" / c.dataset) for c in verdict.contracts}
    stored = parse_document((whole_home / "report" / "verdict.json").read_text("utf-8"), Verdict, where="verdict.json")
    assert (stored.approved, stored.contracts, stored.spans) == (True, verdict.contracts, verdict.spans)
    assert "contract-feed/transactions" in (whole_home / "report" / "report.html").read_text("utf-8")
    assert "contract-feed/transactions" in (whole_home / "report" / "report.md").read_text("utf-8")


def test_with_a_map_only_newer_segments_are_opened(home: Path) -> None:
    """Every segment that ends at or before yesterday's t may be gone."""
    days = explained(home)
    verdict = days.run()
    caches = home / "map.json"
    caches.write_text(render_map(caches_at_yesterday(home)), encoding="utf-8")
    forget_older_segments(home)

    again = replace(days, log_map=caches).run()

    assert again.approved
    assert [c.figures for c in again.contracts] == [c.figures for c in verdict.contracts]


def test_names_that_others_wrote_are_not_shown(home: Path) -> None:
    """A prototype or a column's name that no definition has may be personal data; its token is shown."""
    tax_id = "123.456.789-09"
    for file in (home / "today" / ACCOUNTS).glob("*.parquet"):
        rows = pl.read_parquet(file)
        spoilt = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(tax_id)).otherwise("prototype").alias("prototype")
        rows.with_columns(spoilt, pl.lit(1).alias(tax_id)).write_parquet(file)

    verdict = replace(explained(home), out=home / "report").run()

    assert not verdict.approved
    shown = [(home / "report" / name).read_text("utf-8") for name in ("verdict.json", "report.md", "report.html")]
    assert tax_id not in "".join(shown)
    assert "prototype " in shown[0]


def test_a_wrong_value_is_refused_with_its_place_and_revealed_by_its_token(home: Path) -> None:
    """One cell: its column, its prototype, its segment, and a token that leads back to the row."""
    account = garble_one_account(home)

    verdict = explained(home).run()

    assert not verdict.approved
    (reason,) = map(str, verdict.reasons)
    assert reason.startswith(
        f"{ACCOUNTS}: differences_explained: the 1 unexplained row is on s0 "
        "(value changed in account__customer_id), at t "
    )
    (figures,) = (c.figures for c in verdict.contracts if c.dataset == ACCOUNTS)
    assert figures is not None
    (token,) = next(p.examples for p in figures.patterns if p.reason == "unexplained")
    found = reveal.run((token,), tables=home / "today", definitions=home / "contracts", pii_key=PII_KEY)
    rows = {(row.dataset, row.primary_key, row.prototype) for row in found.rows}
    assert (ACCOUNTS, account, "s0") in rows
    assert {key for _, key, _ in rows} == {account}


def test_a_token_of_another_key_reveals_nothing(home: Path) -> None:
    """Whoever has the data but not the key learns nothing."""
    garble_one_account(home)
    verdict = explained(home).run()
    tokens = [t for c in verdict.contracts if c.figures for p in c.figures.patterns for t in p.examples]

    with pytest.raises(Refused, match="has the token"):
        reveal.run((tokens[0],), tables=home / "today", definitions=home / "contracts", pii_key=b"another")


def test_without_the_key_nothing_is_revealed(home: Path) -> None:
    """The message says what to set."""
    with pytest.raises(BadInput, match="LOGCACHE_PII_KEY"):
        reveal.run(("0" * 16,), tables=home / "today", definitions=home / "contracts", pii_key=None)


def test_without_a_log_every_difference_is_unexplained(home: Path) -> None:
    """Nothing is approved for lack of evidence."""
    verdict = Days(home).run()

    assert not verdict.approved
    assert all("no log was given, so no difference can be explained" in str(reason) for reason in verdict.reasons)


def test_a_day_equals_itself_without_a_log(home: Path) -> None:
    """No difference needs no explanation."""
    days = Days(home)

    verdict = days.run(replace(days.inputs, today=home / "yesterday"))

    assert verdict.approved
    assert ["no log was given" in str(warning) for warning in verdict.warnings] == [True]


def test_without_the_key_hashed_cells_are_not_accused(whole_home: Path) -> None:
    """A new value may show any hash, and the verdict says that this was not verified."""
    days = replace(explained(whole_home), pii_key=None)

    verdict = days.run()

    assert verdict.approved
    assert ["LOGCACHE_PII_KEY is not set" in str(warning) for warning in verdict.warnings] == [True]


def test_a_rule_may_warn_only(home: Path) -> None:
    """The verdict is approved, and the warning is written down."""
    garble_one_account(home)
    rules = home / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")

    verdict = replace(explained(home), rules=rules).run()

    assert verdict.approved
    assert any("account__customer_id: 1 of" in str(warning) for warning in verdict.warnings)


def test_an_allowance_excuses_and_is_shown(home: Path) -> None:
    """Owner, reason and day are in the verdict, and that it was used."""
    garble_one_account(home)
    rules = home / "rules.yaml"
    rules.write_text(ALLOWED % "2100-01-01", encoding="utf-8")

    verdict = replace(explained(home), rules=rules).run()

    assert verdict.approved
    (applied,) = verdict.allowances
    assert (applied.used, applied.allowance.owner) == (True, "team-cards")


def write(file: Path, text: str) -> None:
    """Replace a file."""
    file.write_text(text, encoding="utf-8")


def without_key(home: Path) -> None:
    """Today's accounts lose their key column."""
    file = accounts_file(home)
    pl.read_parquet(file).drop("account__id").write_parquet(file)


def only_file_without_key(home: Path) -> None:
    """The same, and no other file of today's accounts is there."""
    without_key(home)
    for other in sorted((home / "today" / ACCOUNTS).iterdir())[1:]:
        other.unlink()


def empty_today(home: Path) -> None:
    """A folder with nothing in it."""
    shutil.rmtree(home / "today")
    (home / "today").mkdir()


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        pytest.param(
            lambda home: shutil.rmtree(home / "today" / ACCOUNTS),
            (f"{ACCOUNTS}: no Parquet file lies in", "today/contract-feed/accounts"),
            id="a contract without files",
        ),
        pytest.param(
            lambda home: write(accounts_file(home), "not parquet"),
            (f"today/{ACCOUNTS}/", "is not a readable Parquet file"),
            id="a file that is not Parquet",
        ),
        pytest.param(without_key, (ACCOUNTS, "has columns other than"), id="files of different columns"),
        pytest.param(
            only_file_without_key,
            (f"today/{ACCOUNTS} has no column account__id, which is part of the contract's key",),
            id="tables without the key column",
        ),
        pytest.param(
            lambda home: write(
                home / "contracts" / "feed.yaml",
                (home / "contracts" / "feed.yaml").read_text("utf-8").replace("account/customer-id", "account/version"),
            ),
            (ACCOUNTS, "column account__version is not there"),
            id="definitions that do not match the tables",
        ),
    ],
)
def test_a_table_that_cannot_be_judged_is_refused(
    home: Path, spoil: Callable[[Path], object], parts: tuple[str, ...]
) -> None:
    """One clear sentence about that contract; the others are judged all the same."""
    spoil(home)

    verdict = explained(home).run()

    assert not verdict.approved
    own = [str(reason) for reason in verdict.reasons if ACCOUNTS in reason.subjects]
    assert own
    assert all(any(part in reason for reason in own) for part in parts)
    assert not [reason for reason in own if "s3://today" in reason]
    assert all(c.passed for c in verdict.contracts if not c.dataset.startswith("contract-feed/account"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            empty_today,
            r"TODAY .*today holds no Parquet file",
            id="an empty folder",
        ),
        pytest.param(
            lambda home: write(home / "yesterday.json", '{"feed-s0": 4836}'),
            r"--after has no t of feed-s1",
            id="an instance without yesterday's t",
        ),
        pytest.param(
            lambda home: write(home / "today.json", '{"feed-s0": 1000}'),
            r"feed-s0: today's t 1000 is before yesterday's, 4836",
            id="today before yesterday",
        ),
        pytest.param(
            lambda home: (home / "today.json").write_text('{"feed-s0": 999999}'),
            r"feed-s0: --until is 999999, but --index ends at 5449; give the index that the run read",
            id="today beyond the index",
        ),
        pytest.param(
            lambda home: (home / "yesterday.json").write_text('{"feed-s0": 999999, "feed-s1": 1}'),
            r"feed-s0: --after is 999999, but --index ends at 5449; give the index that the run read",
            id="yesterday beyond the index",
        ),
    ],
)
def test_malformed_input_is_refused_before_anything_is_written(
    home: Path, spoil: Callable[[Path], object], message: str
) -> None:
    """A sentence that says what to do; no report."""
    spoil(home)
    days = replace(explained(home), out=home / "report")

    with pytest.raises(LogCacheError, match=message) as refusal:
        days.run()

    assert not isinstance(refusal.value, WrongUsage)
    assert not (home / "report").exists()


@pytest.mark.parametrize(
    ("option", "half"),
    [
        ("--root", lambda whole: replace(whole, root=None)),
        ("--index", lambda whole: replace(whole, index=None)),
        ("--after", lambda whole: replace(whole, after=None)),
    ],
)
def test_half_of_a_log_is_wrong_usage(
    home: Path, option: str, half: Callable[[command.Inputs], command.Inputs]
) -> None:
    """The options of a log are given together; no report."""
    days = replace(explained(home), out=home / "report")

    with pytest.raises(WrongUsage, match=f"the log needs --root, --index and --after; {option} is missing"):
        days.run(half(days.inputs))

    assert not (home / "report").exists()


def test_an_expired_allowance_is_refused(home: Path) -> None:
    """It names contract, owner and day."""
    rules = home / "rules.yaml"
    rules.write_text(ALLOWED % "2018-05-01", encoding="utf-8")

    with pytest.raises(BadInput, match=r"rules\.yaml, line \d+: .*contract-feed/accounts.*2018-05-01.*team-cards"):
        replace(explained(home), rules=rules).run()


def test_a_rule_that_matches_nothing_is_told(home: Path) -> None:
    """A misspelt name would silently do nothing."""
    rules = home / "rules.yaml"
    rules.write_text("rules:\n  - {contract: contract-feed/acounts, severity: warn}\n", encoding="utf-8")
    days = replace(explained(home), rules=rules)

    verdict = days.run()

    assert verdict.approved
    assert ["contract-feed/acounts" in str(warning) for warning in verdict.warnings] == [True]


@pytest.mark.parametrize(("garbled", "code"), [(False, 0), (True, 1)], ids=["approved", "refused"])
def test_the_exit_code_and_the_json_are_the_verdict(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, garbled: bool, code: int
) -> None:
    """0 approved, 1 refused; `--json` prints the document."""
    monkeypatch.setenv("LOGCACHE_PII_KEY", PII_KEY.decode())
    if garbled:
        garble_one_account(home)
    log = ["--root", home / "buckets", "--index", home / "index.jsonl", "--after", home / "yesterday.json"]
    options = ["--definitions", home / "contracts", *log, "--until", home / "today.json", "--databases", "feed"]

    found = logcache(
        ["validate", *map(str, [home / "yesterday", home / "today", *options]), "--json"], standalone_mode=False
    )

    verdict = parse_document(capsys.readouterr().out, Verdict, where="--json")
    assert ((found or 0), verdict.approved) == (code, not garbled)
