"""A data folder is checked before a world is built from it, and every refusal names the file and the remedy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from logcache_assets.errors import BadInput
from logcache_assets.local_platform.demo_data import PACKAGED, DemoData, read_demo_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged data, to be spoilt; its segments are only read, so they are not copied."""
    shutil.copytree(PACKAGED, tmp_path / "own", ignore=shutil.ignore_patterns("buckets"))
    (tmp_path / "own" / "buckets").symlink_to(PACKAGED / "buckets")
    return tmp_path / "own"


@pytest.fixture(scope="module")
def packaged() -> DemoData:
    """The data that ships with the package."""
    return read_demo_data(PACKAGED)


def edit_cutoffs(folder: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    """Write the cut-offs again with a change."""
    file = folder / "cutoffs.json"
    cutoffs = json.loads(file.read_text(encoding="utf-8"))
    change(cutoffs)
    file.write_text(json.dumps(cutoffs), encoding="utf-8")


def edit_first_item(folder: Path, edit: Callable[[str], str]) -> None:
    """Change the first line of the index."""
    file = folder / "index.jsonl"
    first, *others = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join([edit(first), *others]), encoding="utf-8")


def refusal_of(folder: Path) -> str:
    """Why a folder is no data to build a world from."""
    with pytest.raises(BadInput) as refusal:
        read_demo_data(folder)
    return str(refusal.value)


def test_the_packaged_data_is_whole(packaged: DemoData) -> None:
    """381 segments of six instances, as its README counts them."""
    assert len(packaged.segments) == 381
    assert sorted(instance.name for instance in packaged.instances) == [
        "customers-global",
        "customers-s0",
        "double-entry-s0",
        "double-entry-s1",
        "feed-s0",
        "feed-s1",
    ]


def test_a_cut_off_is_the_last_segment_of_every_instance(packaged: DemoData) -> None:
    """The segments until a cut-off end exactly there; later ones are left out."""
    cutoffs = json.loads((PACKAGED / "cutoffs.json").read_text(encoding="utf-8"))

    for cut in ("old", "night", "end"):
        ends = {i.name: max(s.last_t for s in packaged.until(cut) if s.instance == i) for i in packaged.instances}
        assert ends == {name: cutoffs[name][cut] for name in cutoffs}


def test_instances_without_definition_need_no_cut_offs(folder: Path) -> None:
    """Other databases of the index are delivered whole from the beginning."""
    (folder / "contracts" / "feed.yaml").unlink()
    edit_cutoffs(folder, lambda cutoffs: [cutoffs.pop(name) for name in ("feed-s0", "feed-s1")])

    data = read_demo_data(folder)

    assert {s for s in data.segments if s.instance.database == "feed"} <= set(data.until("old"))


@pytest.mark.parametrize("name", ["index.jsonl", "cutoffs.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """With the option that chose the folder."""
    (folder / name).unlink()

    assert refusal_of(folder) == (
        f"cannot read {folder / name}: No such file or directory; name a folder that holds it with --data"
    )


@pytest.mark.parametrize("name", ["index.jsonl", "cutoffs.json"])
def test_a_file_that_is_no_text_is_named(folder: Path, name: str) -> None:
    """Never a traceback."""
    (folder / name).write_bytes(b"\xff\xfe")

    assert refusal_of(folder).startswith(f"cannot read {folder / name}: ")


def test_a_folder_without_definitions_is_refused(folder: Path) -> None:
    """The folder of definitions is named."""
    shutil.rmtree(folder / "contracts")

    assert f"no contract definitions (<database>.yaml) in {folder / 'contracts'}" in refusal_of(folder)


def test_a_malformed_definition_is_refused_with_its_line(folder: Path) -> None:
    """Its whole path, so that it can be opened."""
    (folder / "contracts" / "feed.yaml").write_text("database: feed\nprototype: [s0]\n", encoding="utf-8")

    assert refusal_of(folder).startswith(f"{folder / 'contracts' / 'feed.yaml'}, line 2: ")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        pytest.param(lambda line: "{" + line, "is not a JSON object", id="no JSON"),
        pytest.param(lambda line: line.replace('"last_t":1213', '"last_t":"1213"'), "Expected `int`", id="t a text"),
        pytest.param(lambda line: line.replace('"last_t"', '"last"'), "unknown field `last`", id="an unknown field"),
        pytest.param(lambda line: line.replace('"database":"double-entry"', '"database":"feed"'), "feed-s0", id="key"),
    ],
)
def test_a_malformed_index_item_is_refused_with_its_line(folder: Path, edit: Callable[[str], str], reason: str) -> None:
    """File and line."""
    edit_first_item(folder, edit)

    refusal = refusal_of(folder)

    assert refusal.startswith(f"{folder / 'index.jsonl'}, line 1")
    assert reason in refusal
    assert "correct that index item" in refusal


def test_an_index_item_without_file_is_refused(folder: Path) -> None:
    """With the item's path, the file that is missing, and both remedies."""
    edit_first_item(folder, lambda line: line.replace("7d4ed660", "00000000"))

    key = "nu-spark-datomic-logs/1/s3/s0/double-entry/00000000-cf04-492d-9285-6b43d2fc9886-0-1213.avro"
    assert refusal_of(folder) == (
        f"{folder / 'index.jsonl'} names s3://{key}, but {folder / 'buckets' / key} is missing; "
        "restore the file or remove the item"
    )


def test_two_index_items_of_one_key_are_refused(folder: Path) -> None:
    """Which of them is valid cannot be known."""
    edit_first_item(folder, lambda line: line + line.replace("7d4ed660", "00000000"))

    assert refusal_of(folder) == (
        f"{folder / 'index.jsonl'} names 2 items of double-entry-s0 with last_t 1213, which is the index's key; "
        "keep the one that is valid"
    )


def test_an_instance_without_cut_offs_is_refused(folder: Path) -> None:
    """Every instance that a definition names has a timeline."""
    edit_cutoffs(folder, lambda cutoffs: cutoffs.pop("feed-s1"))

    assert refusal_of(folder) == f"{folder / 'cutoffs.json'} has no cut-offs of feed-s1; add old, night and end"


def test_a_cut_off_that_ends_no_segment_is_refused(folder: Path) -> None:
    """A world delivers whole segments only."""
    edit_cutoffs(folder, lambda cutoffs: cutoffs["feed-s0"].update(night=4835))

    assert refusal_of(folder) == (
        f"{folder / 'cutoffs.json'}: night of feed-s0 is t 4835, where no segment of index.jsonl ends; "
        "choose the last_t of a segment"
    )


def test_cut_offs_out_of_order_are_refused(folder: Path) -> None:
    """A cache is older than the night, the night than the day."""
    edit_cutoffs(folder, lambda cutoffs: cutoffs["feed-s0"].update(old=5449))

    assert refusal_of(folder).startswith(f"{folder / 'cutoffs.json'}: feed-s0 needs old <= night <= end")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "is not JSON: line 1 column 1", id="nothing"),
        pytest.param('{"feed-s0": {"old": 3185N}}', "is not JSON: line 1 column 25", id="a t as Clojure prints it"),
        pytest.param("[]", "Expected `object`, got `array`", id="an array"),
        pytest.param('{"feed-s0": {"old": 1, "night": 2}}', "missing required field `end`", id="a cut-off missing"),
        pytest.param('{"feed-s0": {"old": "1", "night": 2, "end": 3}}', "Expected `int`, got `str`", id="t a text"),
        pytest.param('{"feed-s0": {"old": 0, "night": 2, "end": 3}}', "Expected `int` >= 1", id="t zero"),
    ],
)
def test_malformed_cut_offs_are_refused(folder: Path, content: str, reason: str) -> None:
    """With the file and the place."""
    (folder / "cutoffs.json").write_text(content, encoding="utf-8")

    refusal = refusal_of(folder)

    assert refusal.startswith(str(folder / "cutoffs.json"))
    assert reason in refusal
