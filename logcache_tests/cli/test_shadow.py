"""`logcache shadow`: past nights recomputed and compared, whatever the platform looks like; nothing is written."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.scratch import local_driver
from logcache_assets.catalog import load_catalog
from logcache_assets.cli import shadow
from logcache_assets.cli.main import run_command
from logcache_assets.connect import connect
from logcache_assets.domain.documents import parse_document
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.shadow import ShadowContract, ShadowStudy
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.local_platform.metapod_service import local_transport
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Metapod, StoredObject
from logcache_assets.refresh.shadow import Shadow
from logcache_tests.conftest import silent
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.worlds import files_of, path_of, settings_at

ACCOUNTS, MERCHANTS = "contract-feed/accounts", "contract-feed/merchants"
STATUS = "contract-feed/account-status-history"


def night_of(world: World) -> str:
    """The newest night."""
    return world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)[0].id


def files_at(world: World, dataset: str) -> tuple[Path, ...]:
    """The Parquet files of a dataset of the newest night."""
    uri = world.metapod.transaction(night_of(world)).datasets[dataset].path
    assert uri
    return tuple(sorted(path_of(world, uri).glob("*.parquet")))


def rewrite(world: World, dataset: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Write each file of a dataset anew, without the caches' checksums noticing: it is the night's own."""
    for file in files_at(world, dataset):
        change(pl.read_parquet(file)).write_parquet(file)


def study(world: World, out: Path, *, nights: tuple[str, ...] = (), instances: int = 1) -> ShadowStudy:
    """Run the command, and read its document."""
    shadow.run(world.settings, nights=nights, databases=(), instances=instances, driver="local", out=out, tell=silent)
    return parse_document((out / "shadow.json").read_bytes(), ShadowStudy, where="shadow.json")


def contracts_of(found: ShadowStudy) -> dict[str, ShadowContract]:
    """By dataset."""
    return {contract.dataset: contract for contract in found.contracts}


def states(found: ShadowStudy) -> dict[str, str]:
    """The states of those that are not reproduced."""
    return {name: contract.state for name, contract in contracts_of(found).items() if contract.state != "reproduced"}


def broken(found: ShadowStudy) -> str:
    """What does not hold, as one text."""
    return "\n".join(f"{one.subject}: {one.assumed}: {one.found}" for one in found.broken)


def test_a_sound_night_is_reproduced(feed_world: World, tmp_path: Path) -> None:
    """Every contract, and every assumption holds; three forms of one report are written, and nothing else."""
    before = files_of(feed_world.home)

    found = study(feed_world, tmp_path / "report", instances=2)

    assert states(found) == {}
    assert broken(found) == ""
    assert len(found.contracts) == 5
    assert found.instances == ("feed-s0", "feed-s1")
    assert all(contract.our_rows == contract.night_rows for contract in found.contracts)
    assert files_of(feed_world.home) == before
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"shadow.json", "shadow.html", "shadow.md"}


def test_one_prototype_of_two_is_enough(feed_world: World, tmp_path: Path) -> None:
    """Only its rows are compared; the smallest instance is read."""
    found = study(feed_world, tmp_path / "report")

    assert states(found) == {}
    assert {contract.prototypes for contract in found.contracts} in ({("s0",)}, {("s1",)})
    both = sum(len(pl.read_parquet(file)) for file in files_at(feed_world, ACCOUNTS))
    assert 0 < (contracts_of(found)[ACCOUNTS].night_rows or 0) < both


def test_by_default_the_report_lies_in_the_home(feed_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """In a folder of its own; the exit code is 0, and the whole result is one document."""
    before = files_of(feed_world.home)

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LOGCACHE_HOME", str(feed_world.home))
        environment.setenv("LOGCACHE_PII_KEY", PII_KEY.decode())
        code = run_command(["shadow", "--json", "--databases", "feed"])

    result = json.loads(capsys.readouterr().out)
    more = files_of(feed_world.home).keys() - before.keys()
    assert code == 0
    assert (result["reproduced"], result["differing"], result["broken"]) == (5, 0, [])
    assert {Path(name).parts[0] for name in more} == {"shadow"}
    assert {name: files_of(feed_world.home)[name] for name in before} == before


class ReadOnlyStore(FolderObjectStore):
    """Refuses whatever would change it."""

    @override
    def write(self, uri: str, content: bytes) -> NoReturn:
        raise AssertionError(f"{uri} was written")

    @override
    def create(self, uri: str, content: bytes) -> NoReturn:
        raise AssertionError(f"{uri} was created")

    @override
    def copy(self, *_arguments: Any, **_named: Any) -> StoredObject:
        raise AssertionError("something was copied")


@pytest.fixture
def read_only(feed_world: World) -> Iterator[Callable[..., ShadowStudy]]:
    """Studies a world whose store and repository refuse every write."""
    ports = connect(feed_world.settings)
    store = ReadOnlyStore(feed_world.buckets, feed_world.clock)

    def look(*, metapod: Metapod | None = None, pii_key: bytes | None = PII_KEY) -> ShadowStudy:
        given = dataclasses.replace(ports, store=store, metapod=metapod or ports.metapod)
        looking = Shadow(ports=given, settings=feed_world.settings, pii_key=pii_key, tell=silent)
        with local_driver() as driver:
            at = Runtime(store=store, driver=driver, warn=silent)
            return looking.study(load_catalog(feed_world.catalog), nights=(), instances=1, count=2, at=at)

    before = files_of(feed_world.home)
    yield look
    assert files_of(feed_world.home) == before


def test_nothing_is_written(read_only: Callable[..., ShadowStudy]) -> None:
    """A store that refuses every write is enough."""
    assert states(read_only()) == {}


@pytest.mark.parametrize(("pii_key", "state"), [(None, "reproduced"), (b"another deployment's key", "differs")])
def test_hashes_that_nobody_can_verify_are_not_compared(world: World, pii_key: bytes | None, state: str) -> None:
    """Without the deployment's key columns of personal data are left out, and named; with another one they differ."""
    ports = connect(world.settings)
    (customers,) = (found for found in load_catalog(world.catalog) if found.database == "customers")
    with local_driver() as driver:
        at = Runtime(store=ports.store, driver=driver, warn=silent)
        looking = Shadow(ports=ports, settings=world.settings, pii_key=pii_key, tell=silent)
        found = looking.study((customers,), nights=(), instances=1, count=1, at=at)

    names = contracts_of(found)["contract-customers/customer-name-history"]
    assert names.state == state
    told = " ".join(rule.found for rule in names.rules)
    assert ("not compared without the key of personal data: customer__name" in told) is (pii_key is None)
    assert contracts_of(found)["contract-customers/customer-status-history"].state == "reproduced"


def test_a_platform_that_does_not_answer_is_a_finding(read_only: Callable[..., ShadowStudy], tmp_path: Path) -> None:
    """What else can be looked at is."""
    gone = GraphQLMetapod(local_transport(MetapodStore(tmp_path / "none")))

    found = read_only(metapod=gone)

    assert found.nights == ()
    assert "metapod: it lists nightly transactions: " in broken(found)
    assert any(one.subject == MAP_PATH and one.holds == "yes" for one in found.observations)


def shorter(name: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The last letter of each text of a column is gone."""
    return lambda frame: frame.with_columns(pl.col(name).str.head(-1))


@pytest.mark.parametrize(
    ("dataset", "change", "rule", "told"),
    [
        pytest.param(
            ACCOUNTS, shorter("account__status"), "same values", r"rows differ: account__status in", id="other values"
        ),
        pytest.param(
            ACCOUNTS, lambda frame: frame.head(-2), "same rows", r"0 of the night's are not ours, \d of ours", id="less"
        ),
        pytest.param(
            MERCHANTS,
            lambda frame: frame.rename({"merchant__rate": "merchant__price"}),
            "same columns",
            r"the night has no merchant__rate; it also has merchant__price",
            id="another name",
        ),
        pytest.param(
            MERCHANTS,
            lambda frame: frame.with_columns(pl.col("merchant__category").cast(pl.Binary)),
            "same types",
            r"merchant__category is binary, ours string",
            id="another type",
        ),
    ],
)
def test_what_differs_is_told_without_values(  # noqa: PLR0917 - a row of the table
    feed_world: World,
    tmp_path: Path,
    dataset: str,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    rule: str,
    told: str,
) -> None:
    """By rule, with counts, columns and types; the other contracts are reproduced."""
    values = {
        str(value)
        for file in files_at(feed_world, dataset)
        for column in pl.read_parquet(file).drop("prototype").iter_columns()
        for value in column
        if len(str(value)) > 7
    }
    rewrite(feed_world, dataset, change)

    found = study(feed_world, tmp_path / "report", instances=2)

    (wrong,) = [one for one in contracts_of(found)[dataset].rules if one.rule == rule]
    assert states(found) == {dataset: "differs"}
    assert wrong.holds == "no"
    assert re.search(told, wrong.found), wrong.found
    for file in (tmp_path / "report").iterdir():
        assert not [value for value in values if value in file.read_text()]


def test_a_table_that_cannot_be_read_hides_no_other(feed_world: World, tmp_path: Path) -> None:
    """It is told of that contract, and the study goes on."""
    for file in files_at(feed_world, STATUS):
        file.write_bytes(file.read_bytes()[:100])

    found = study(feed_world, tmp_path / "report")

    assert states(found) == {STATUS: "not compared"}
    assert "is not a readable Parquet file" in contracts_of(found)[STATUS].rules[0].found


def test_an_aborted_contract_is_told(feed_world: World, tmp_path: Path) -> None:
    """The night has no table of it, and a refresh could not build on that night; it is looked at all the same."""
    feed_world.metapod_store.abort_dataset(night_of(feed_world), ACCOUNTS, aborted_at=feed_world.clock.now())

    found = study(feed_world, tmp_path / "report", nights=(night_of(feed_world),))

    assert states(found) == {ACCOUNTS: "not compared"}
    assert "the night has none: it is aborted" in contracts_of(found)[ACCOUNTS].rules[0].found


LOG, ENTITIES = "raw-feed-{}/log", "raw-feed-{}/materialized-entities"


@pytest.mark.parametrize(
    ("dataset", "change", "told"),
    [
        pytest.param(
            LOG, lambda frame: frame.rename({"tx_instant": "instant"}), "no tx_instant; also instant", id="name"
        ),
        pytest.param(LOG, lambda frame: frame.with_columns(pl.col("t").cast(pl.Int32)), "t is int32", id="type"),
        pytest.param(
            LOG,
            lambda frame: frame.with_columns(pl.col("tx_instant").cast(pl.Datetime("us", "UTC"))),
            "tx_instant is timestamp[us, tz=UTC]",
            id="unit",
        ),
        pytest.param(ENTITIES, lambda frame: frame.select("e", "a", "v"), "no n; no t_from; no t_to", id="entities"),
        pytest.param(
            LOG,
            lambda frame: frame.with_columns(pl.col("v").str.to_uppercase()),
            "v of :db.type/",
            id="encoding",
        ),
        pytest.param(LOG, lambda frame: frame.head(-3), "the log is its segments", id="lost datoms"),
        pytest.param(LOG, lambda frame: pl.concat([frame, frame.head(2)]), "no datom is in the log twice", id="twice"),
    ],
)
def test_raw_logs_of_another_form_are_told(
    feed_world: World, tmp_path: Path, dataset: str, change: Callable[[pl.DataFrame], pl.DataFrame], told: str
) -> None:
    """And contracts are recomputed from segments all the same."""
    for prototype in ("s0", "s1"):
        rewrite(feed_world, dataset.format(prototype), change)

    found = study(feed_world, tmp_path / "report")

    assert told in broken(found)
    assert len(found.contracts) == 5
    assert "not compared" not in states(found).values()


def test_without_readable_segments_the_raw_logs_are_taken(feed_world: World, tmp_path: Path) -> None:
    """An index with a gap is told, and contracts are reproduced from what the night read."""
    for instance in load_catalog(feed_world.catalog)[0].instances:
        feed_world.segment_items.remove(instance, feed_world.segment_index.segments(instance)[3].last_t)

    found = study(feed_world, tmp_path / "report")

    assert "the index's segments make a whole chain" in broken(found)
    assert "contracts can be computed from segments: feed-" in broken(found)
    assert states(found) == {}
    assert {contract.computed_from for contract in found.contracts} == {"raw log"}


def test_without_logs_each_contract_says_why(feed_world: World, tmp_path: Path) -> None:
    """Neither segments nor raw logs can be read."""
    for instance in load_catalog(feed_world.catalog)[0].instances:
        feed_world.segment_items.remove(instance, feed_world.segment_index.segments(instance)[3].last_t)
        for file in files_at(feed_world, LOG.format(instance.prototype)):
            file.unlink()

    found = study(feed_world, tmp_path / "report")

    assert set(states(found).values()) == {"not compared"}
    assert "gap" in contracts_of(found)[ACCOUNTS].rules[0].found


def test_an_entity_that_cannot_be_computed_hides_no_other(feed_world: World, tmp_path: Path) -> None:
    """Its definition contradicts the log; the contracts of the others are reproduced."""
    path = "contracts/feed.yaml"
    text = feed_world.repository.read(path, ref="main")
    wrong = text.replace("merchant/category, history: true", "merchant/category, ref: merchant/code")
    assert wrong != text
    (feed_world.catalog / "feed.yaml").write_text(wrong, encoding="utf-8")
    feed_world.repository.commit_to_base({path: wrong}, "Damage")
    night = feed_world.metapod.transaction(night_of(feed_world))
    with feed_world.metapod_store._writing() as connection:  # noqa: SLF001 - a night after that commit
        connection.execute(
            "UPDATE transactions SET started_at = ? WHERE id = ?", ("2018-05-24T14:00:00.000Z", night.id)
        )

    found = study(feed_world, tmp_path / "report", nights=(night.id,))

    assert contracts_of(found)[ACCOUNTS].state == "reproduced"
    assert contracts_of(found)[MERCHANTS].state == "not compared"
    assert "the engine could not compute it" in contracts_of(found)[MERCHANTS].rules[0].found


def test_a_map_by_hand_is_told(feed_world: World, tmp_path: Path) -> None:
    """With how many of its entries name no manifest."""
    plain = json.loads(feed_world.repository.read(MAP_PATH, ref="main"))
    for prototype in plain.values():
        for entry in prototype.values():
            del entry["manifest_sha256"]
    feed_world.repository.commit_to_base({MAP_PATH: json.dumps(plain)}, "Write by hand")

    found = study(feed_world, tmp_path / "report")

    assert "2 without a manifest; its JSON is not canonical" in broken(found)
    assert states(found) == {}


def test_a_night_that_metapod_does_not_know_is_told(
    feed_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit code is 1."""
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LOGCACHE_HOME", str(feed_world.home))
        code = run_command(["shadow", unknown, "--out", str(tmp_path / "report")])

    said = capsys.readouterr().out
    assert code == 1
    assert f"metapod: it knows transaction {unknown}" in said
    assert "0 contracts: 0 reproduced" in said


def test_a_report_that_cannot_be_written_is_refused(feed_world: World, tmp_path: Path) -> None:
    """With its folder."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Exception, match=r"--out .*file cannot be written"):
        study(feed_world, tmp_path / "file")


def test_another_country_is_looked_at_with_its_settings(feed_world: World, tmp_path: Path) -> None:
    """Its nights have no dataset here, and that is a finding."""
    mexico = settings_at(
        feed_world.home,
        country="MX",
        ephemeral_bucket="nu-spark-metapod-ephemeral-1",
        permanent_bucket="nu-spark-metapod",
    )

    found = study(World(mexico), tmp_path / "report")

    assert "states of its datasets: it has no dataset" in broken(found)
    assert set(states(found).values()) == {"not compared"}
