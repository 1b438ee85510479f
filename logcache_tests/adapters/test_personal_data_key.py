"""The key of personal data works as bytes and is never shown or sent."""

import hashlib
import hmac
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from logcache_assets.adapters.personal_data_key import PersonalDataKey, find_key, read_or_make_key
from logcache_assets.deployment_key import deployment_key
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.settings import Settings, load_settings
from logcache_tests.elsewhere import answer_elsewhere

VARIABLE = "LOGCACHE_PII_KEY"
KEY = "an invented key of tests"


def signature(key: bytes) -> str:
    """An HMAC, which only somebody with the key can compute."""
    return hmac.new(key, b"text", hashlib.sha256).hexdigest()


@pytest.fixture(params=["variable", "file"])
def key(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PersonalDataKey:
    """A key from the environment, or from the local world's file."""
    file = tmp_path / "pii_key"
    if request.param == "variable":
        monkeypatch.setenv(VARIABLE, KEY)
        return read_or_make_key(KEY, variable=VARIABLE, file=file)
    monkeypatch.delenv(VARIABLE, raising=False)
    file.write_text(KEY + "\n", encoding="utf-8")
    return read_or_make_key(None, variable=VARIABLE, file=file)


def test_the_key_is_its_bytes(key: PersonalDataKey) -> None:
    """It hashes as the plain bytes do."""
    assert key == KEY.encode()
    assert signature(key) == signature(KEY.encode())


def test_neither_text_nor_pickle_holds_the_key(key: PersonalDataKey) -> None:
    """They show only the source of the key."""
    assert KEY not in f"{key} {key!r} {key!s} {[key]}"
    assert KEY.encode() not in pickle.dumps({"key": key})
    assert KEY.encode().hex() not in key.__reduce__().__repr__()


def test_a_worker_reads_the_key_itself(key: PersonalDataKey) -> None:
    """Another process gets the same bytes from its own environment or file."""
    assert answer_elsewhere(signature, key) == signature(KEY.encode())


def test_a_worker_without_the_variable_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It raises instead of hashing with another key or none."""
    sent = pickle.dumps(read_or_make_key(KEY, variable=VARIABLE, file=tmp_path / "pii_key"))
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(BadInput, match="LOGCACHE_PII_KEY is not set"):
        pickle.loads(sent)  # noqa: S301 - sent by ourselves


def test_a_key_file_that_is_gone_is_named(tmp_path: Path) -> None:
    """The message names the file and says what to do."""
    with pytest.raises(BadInput, match="pii_key cannot be read"):
        PersonalDataKey.from_file(tmp_path / "pii_key")


def test_a_world_without_a_key_makes_one_when_it_is_needed(tmp_path: Path) -> None:
    """Looking for a key makes none; the first use does, and every later one finds it."""
    file, told = tmp_path / "world" / "pii_key", list[str]()

    assert find_key(None, variable=VARIABLE, file=file, tell=told.append) is None
    assert not (tmp_path / "world").exists()

    made = read_or_make_key(None, variable=VARIABLE, file=file)

    assert len(made) == 64
    assert file.stat().st_mode & 0o077 == 0
    assert find_key(None, variable=VARIABLE, file=file, tell=told.append) == made
    assert len(told) == 1
    assert f"the local world's key, {file}; LOGCACHE_PII_KEY names another" in told[0]


WEAK = [
    pytest.param("", "is empty", id="empty"),
    pytest.param(" \t\n ", "is empty", id="blank"),
    pytest.param("hunter2", "has fewer than 16 bytes", id="short"),
    pytest.param("   hunter2             ", "has fewer than 16 bytes", id="short, between spaces"),
    pytest.param("x" * 64, "has fewer than 6 different characters", id="one character"),
]


@pytest.mark.parametrize(("weak", "reason"), WEAK)
@pytest.mark.parametrize("source", ["variable", "file"])
def test_a_weak_key_is_refused(tmp_path: Path, source: str, weak: str, reason: str) -> None:
    """Without a word of it; and no other key is made or used in its place."""
    file = tmp_path / "pii_key"
    if source == "file":
        file.write_text(weak, encoding="utf-8")

    with pytest.raises(
        BadInput, match=f"{'LOGCACHE_PII_KEY' if source == 'variable' else 'pii_key'} {reason}"
    ) as refusal:
        read_or_make_key(weak if source == "variable" else None, variable=VARIABLE, file=file)

    assert not weak.strip() or weak.strip() not in str(refusal.value)
    assert [item.read_text(encoding="utf-8") for item in tmp_path.iterdir()] == ([weak] if source == "file" else [])


@pytest.mark.parametrize("weak", ["", "hunter2"])
def test_a_worker_refuses_a_weak_key(monkeypatch: pytest.MonkeyPatch, weak: str) -> None:
    """Its variable may differ from the driver's."""
    monkeypatch.setenv(VARIABLE, KEY)
    sent = pickle.dumps(PersonalDataKey.from_variable(VARIABLE))
    monkeypatch.setenv(VARIABLE, weak)

    with pytest.raises(BadInput, match=r"LOGCACHE_PII_KEY (is empty|has fewer)"):
        pickle.loads(sent)  # noqa: S301 - sent by ourselves


def test_an_empty_setting_is_no_unset_one() -> None:
    """It would be replaced by another key without a word."""
    with pytest.raises(WrongUsage, match="LOGCACHE_PII_KEY is empty"):
        load_settings({VARIABLE: " "})


def test_a_key_that_is_no_text_is_refused_without_its_value(tmp_path: Path) -> None:
    """Neither from a variable with other bytes than UTF-8, nor from such a file."""
    (tmp_path / "pii_key").write_bytes(b"an invented key \xff of tests")

    with pytest.raises(BadInput, match="no text") as of_variable:
        PersonalDataKey.from_variable(VARIABLE, "an invented key \udcff of tests")
    with pytest.raises(BadInput, match="no text") as of_file:
        PersonalDataKey.from_file(tmp_path / "pii_key")

    assert "invented" not in f"{of_variable.value} {of_file.value}"


def test_two_processes_that_make_a_key_get_the_same(tmp_path: Path) -> None:
    """The file is written whole and never replaced, and nothing else stays beside it."""
    file = tmp_path / "pii_key"

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: bytes(read_or_make_key(None, variable=VARIABLE, file=file)), range(40)))

    assert keys == {file.read_bytes()}
    assert list(tmp_path.iterdir()) == [file]


def test_a_deployments_settings_do_not_show_the_key() -> None:
    """Settings that hold it print stars."""
    assert KEY not in repr(Settings(pii_key=KEY))


def test_the_settings_choose_the_key(tmp_path: Path) -> None:
    """The configured key is used, or else the file `pii_key` in the world's folder."""
    (tmp_path / "pii_key").write_text("the world's own key", encoding="utf-8")

    assert deployment_key(Settings(home=str(tmp_path), pii_key=KEY)) == KEY.encode()
    assert deployment_key(Settings(home=str(tmp_path))) == b"the world's own key"
