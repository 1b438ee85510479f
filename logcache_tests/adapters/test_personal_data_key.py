"""The key of personal data works as bytes and is never shown or sent."""

import hashlib
import hmac
import pickle
from pathlib import Path

import pytest

from logcache_assets.adapters.personal_data_key import PersonalDataKey, find_pii_key, pii_key
from logcache_assets.errors import BadInput
from logcache_assets.settings import PII_KEY_VARIABLE, Settings
from logcache_tests.elsewhere import answer_elsewhere

KEY = "an invented key"


def signature(key: bytes) -> str:
    """An HMAC, which only somebody with the key can compute."""
    return hmac.new(key, b"text", hashlib.sha256).hexdigest()


@pytest.fixture(params=["variable", "file"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A deployment with a key in its environment, or in the local world's file."""
    if request.param == "variable":
        monkeypatch.setenv(PII_KEY_VARIABLE, KEY)
        return Settings(home=str(tmp_path), pii_key=KEY)
    monkeypatch.delenv(PII_KEY_VARIABLE, raising=False)
    (tmp_path / "pii_key").write_text(KEY + "\n", encoding="utf-8")
    return Settings(home=str(tmp_path))


def test_the_key_is_its_bytes(settings: Settings) -> None:
    """It hashes as the plain bytes do."""
    assert pii_key(settings) == KEY.encode()
    assert signature(pii_key(settings)) == signature(KEY.encode())


def test_neither_text_nor_pickle_holds_the_key(settings: Settings) -> None:
    """They show only the source of the key."""
    key = pii_key(settings)

    assert KEY not in f"{key} {key!r} {key!s} {settings!r} {[key]}"
    assert KEY.encode() not in pickle.dumps({"key": key})
    assert KEY.encode().hex() not in key.__reduce__().__repr__()


def test_a_worker_reads_the_key_itself(settings: Settings) -> None:
    """Another process gets the same bytes from its own environment or file."""
    assert answer_elsewhere(signature, pii_key(settings)) == signature(KEY.encode())


def test_a_worker_without_the_variable_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It raises instead of hashing with another key or none."""
    sent = pickle.dumps(pii_key(Settings(home=str(tmp_path), pii_key=KEY)))
    monkeypatch.delenv(PII_KEY_VARIABLE, raising=False)

    with pytest.raises(BadInput, match="LOGCACHE_PII_KEY is not set"):
        pickle.loads(sent)  # noqa: S301 - sent by ourselves


def test_a_key_file_that_is_gone_is_named(tmp_path: Path) -> None:
    """The message names the file and says what to do."""
    with pytest.raises(BadInput, match="pii_key cannot be read"):
        PersonalDataKey.from_file(tmp_path / "pii_key")


def test_a_world_without_a_key_makes_one_when_it_is_needed(tmp_path: Path) -> None:
    """Looking for a key makes none; the first use does, and every later one finds it."""
    settings = Settings(home=str(tmp_path / "world"))
    told: list[str] = []

    assert find_pii_key(settings, told.append) is None
    assert not (tmp_path / "world").exists()

    made = pii_key(settings)

    assert len(made) == 64
    assert (tmp_path / "world" / "pii_key").stat().st_mode & 0o077 == 0
    assert find_pii_key(settings, told.append) == made
    assert len(told) == 1
    assert f"the local world's key, {tmp_path / 'world' / 'pii_key'}; LOGCACHE_PII_KEY names another" in told[0]
