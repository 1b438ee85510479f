"""Settings from the environment: every wrong value names its variable and what to do."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.settings import Settings, child_environment, load_settings


def test_without_variables_the_defaults_hold() -> None:
    """The embedded platform in `.logcache`, the window of the documentation, everything recomputed."""
    settings = load_settings({})

    assert settings == Settings()
    assert settings.platform == "local"
    assert settings.home_folder == Path.cwd() / ".logcache"
    assert settings.catalog_folder == Path.cwd() / ".logcache" / "catalog"
    assert str(settings.publish_window) == "13:00-23:00 UTC"
    assert settings.locations.permanent_bucket == settings.permanent_bucket
    assert settings.same_t == SameTSelection(contracts="*", prototypes=None)


def test_every_setting_is_a_variable() -> None:
    """The variable is LOGCACHE_ and the upper-case name; text becomes a number if the setting is one."""
    settings = load_settings(
        {
            "LOGCACHE_HOME": "/worlds/one",
            "LOGCACHE_CATALOG": "/definitions",
            "LOGCACHE_MACHINES": "7",
            "LOGCACHE_COPY_HOURS": "1.5",
            "LOGCACHE_SAME_T_CONTRACTS": "contract-feed/*",
            "LOGCACHE_PUBLISH_FROM_HOUR": "0",
            "LOGCACHE_PUBLISH_UNTIL_HOUR": "24",
        }
    )

    assert (settings.home_folder, settings.catalog_folder) == (Path("/worlds/one"), Path("/definitions"))
    assert (settings.machines, settings.copy_time.total_seconds()) == (7, 5400)
    assert settings.same_t.contracts == "contract-feed/*"
    assert str(settings.publish_window) == "00:00-24:00 UTC"


def test_other_programs_variables_are_passed_over() -> None:
    """Variables without the prefix are ignored."""
    assert load_settings({"HOME": "/root", "LOG_CACHE_HOME": "x", "MY_LOGCACHE_HOME": "y"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("LOGCACHE_PLATFORM", "aws", id="a platform that there is not"),
        pytest.param("LOGCACHE_HOME", "", id="an empty folder"),
        pytest.param("LOGCACHE_EPHEMERAL_BUCKET", "s3://bucket", id="a URI for a bucket"),
        pytest.param("LOGCACHE_PERMANENT_BUCKET", "", id="an empty bucket"),
        pytest.param("LOGCACHE_PERMANENT_BUCKET", "bucket/cache", id="a folder for a bucket"),
        pytest.param("LOGCACHE_MACHINES", "many", id="a word for a number"),
        pytest.param("LOGCACHE_MACHINES", "0", id="no machine"),
        pytest.param("LOGCACHE_MACHINES", "1.5", id="half a machine"),
        pytest.param("LOGCACHE_PUBLISH_FROM_HOUR", "25", id="an hour after the day"),
        pytest.param("LOGCACHE_PUBLISH_UNTIL_HOUR", "-1", id="an hour before the day"),
        pytest.param("LOGCACHE_PUBLISH_FROM_HOUR", "13:00", id="a time for an hour"),
        pytest.param("LOGCACHE_COPY_HOURS", "-1", id="negative hours"),
        pytest.param("LOGCACHE_COPY_HOURS", "inf", id="endless hours"),
        pytest.param("LOGCACHE_COPY_HOURS", "nan", id="hours that are no number"),
        pytest.param("LOGCACHE_COPY_THREADS", "0", id="no thread"),
        pytest.param("LOGCACHE_LOOKBACK_DAYS", "0", id="no day"),
        pytest.param("LOGCACHE_LOOKBACK_DAYS", "999999999999", id="more days than a calendar has"),
        pytest.param("LOGCACHE_TEST_RUN_TIMEOUT_MINUTES", "", id="an empty number"),
    ],
)
def test_a_wrong_value_is_refused(variable: str, value: str) -> None:
    """The sentence begins with the variable and the value, and ends with what to do."""
    with pytest.raises(BadInput) as refusal:
        load_settings({variable: value})

    assert str(refusal.value).startswith(f"{variable} is {value!r}: ")
    assert str(refusal.value).endswith("; correct or unset it")


@pytest.mark.parametrize(
    ("variables", "contracts", "prototypes"),
    [
        pytest.param({}, "*", None, id="everything, by default"),
        pytest.param({"CONTRACTS": "contract-feed/*"}, "contract-feed/*", None, id="a pattern of contracts"),
        pytest.param({"CONTRACTS": ""}, "", None, id="no contract"),
        pytest.param({"PROTOTYPES": "s0"}, "*", ("s0",), id="one prototype"),
        pytest.param({"PROTOTYPES": "s0, s3"}, "*", ("s0", "s3"), id="two prototypes, with a space"),
        pytest.param({"PROTOTYPES": ",s3 ,,s0,"}, "*", ("s3", "s0"), id="commas too many"),
        pytest.param({"PROTOTYPES": " * "}, "*", None, id="all prototypes, with spaces"),
        pytest.param({"PROTOTYPES": ""}, "*", (), id="no prototype"),
        pytest.param({"PROTOTYPES": " , "}, "*", (), id="a comma alone"),
    ],
)
def test_what_is_recomputed_is_chosen_by_two_lists(
    variables: dict[str, str], contracts: str, prototypes: tuple[str, ...] | None
) -> None:
    """A pattern of contracts, names of prototypes; `*` is all of them and nothing is none."""
    settings = load_settings({f"LOGCACHE_SAME_T_{name}": value for name, value in variables.items()})

    assert settings.same_t == SameTSelection(contracts=contracts, prototypes=prototypes)


def test_thresholds_are_no_settings() -> None:
    """They belong into the file of rules, and a variable for one is refused."""
    with pytest.raises(BadInput, match="unknown setting LOGCACHE_KEYS_FOUND"):
        load_settings({"LOGCACHE_KEYS_FOUND": "0.9"})


@pytest.mark.parametrize(("start", "end"), [("22", "4"), ("13", "13")])
def test_a_window_that_never_opens_is_refused(start: str, end: str) -> None:
    """Otherwise nothing would ever be published, without any reason shown."""
    with pytest.raises(BadInput) as refusal:
        load_settings({"LOGCACHE_PUBLISH_FROM_HOUR": start, "LOGCACHE_PUBLISH_UNTIL_HOUR": end})

    assert str(refusal.value) == (
        f"LOGCACHE_PUBLISH_FROM_HOUR is {start} and LOGCACHE_PUBLISH_UNTIL_HOUR is {end}, so nothing could ever be "
        "published; set the first below the second"
    )


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        pytest.param("LOGCACHE_MACHNES", "LOGCACHE_MACHINES", id="a letter missing"),
        pytest.param("LOGCACHE_PII", "LOGCACHE_PII_KEY", id="a word missing"),
        pytest.param("LOGCACHE_home", "LOGCACHE_HOME", id="lower case"),
        pytest.param("LOGCACHE_CATALOGUE", "LOGCACHE_CATALOG", id="another spelling"),
    ],
)
def test_an_unknown_setting_suggests_the_close_one(variable: str, meant: str) -> None:
    """A misspelt variable is refused, not ignored."""
    with pytest.raises(BadInput) as refusal:
        load_settings({variable: "1"})

    assert str(refusal.value) == f"unknown setting {variable}; did you mean {meant}?"


def test_a_setting_like_no_other_gets_the_whole_list() -> None:
    """Without a similar name the message lists all settings."""
    with pytest.raises(BadInput) as refusal:
        load_settings({"LOGCACHE_FOO": "1"})

    assert str(refusal.value).startswith("unknown setting LOGCACHE_FOO; known are LOGCACHE_PLATFORM, LOGCACHE_HOME, ")


@pytest.mark.parametrize("name", ["HOME", "PII_KEY", "RUN_NAME", "MACHINES"])
def test_a_variable_that_is_no_text_is_refused(name: str) -> None:
    """Its value is not shown, as nothing could show it."""
    with pytest.raises(WrongUsage, match=f"LOGCACHE_{name} has bytes that are no text in UTF-8"):
        load_settings({f"LOGCACHE_{name}": "a\udcff"})


def test_a_long_value_is_not_repeated_whole() -> None:
    """A sentence is enough."""
    with pytest.raises(WrongUsage, match="LOGCACHE_VALIDATION_DRIVER is 'xxx") as refusal:
        load_settings({"LOGCACHE_VALIDATION_DRIVER": "x" * 100_000})

    assert len(str(refusal.value)) < 500


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(
    settings=st.builds(
        Settings,
        home=TEXTS.map(lambda name: f"/{name}"),
        catalog=st.none() | TEXTS.map(lambda name: f"/{name}"),
        pii_key=st.none() | TEXTS.filter(str.strip),
        sabesp=st.none() | TEXTS,
        machines=st.integers(min_value=1, max_value=1000),
        copy_hours=st.floats(min_value=0, max_value=8760),
        publish_from_hour=st.integers(min_value=0, max_value=12),
        same_t_contracts=st.just("") | TEXTS,
        same_t_prototypes=st.just("") | TEXTS,
    )
)
def test_a_child_process_has_the_same_settings(settings: Settings) -> None:
    """For all settings: what the child reads is what the parent has, with its folders made absolute."""
    child = load_settings(child_environment(settings))

    fields = set(Settings.__struct_fields__) - {"home", "catalog"}
    assert {name: getattr(child, name) for name in fields} == {name: getattr(settings, name) for name in fields}
    assert (child.home_folder, child.catalog_folder) == (settings.home_folder, settings.catalog_folder)


def test_a_child_process_finds_the_world_from_any_folder() -> None:
    """A relative home is passed on as an absolute path."""
    environment = child_environment(load_settings({"LOGCACHE_HOME": "worlds/one"}))

    assert environment["LOGCACHE_HOME"] == str(Path.cwd() / "worlds" / "one")
    assert environment["LOGCACHE_CATALOG"] == str(Path.cwd() / "worlds" / "one" / "catalog")
    assert "LOGCACHE_PII_KEY" not in environment
