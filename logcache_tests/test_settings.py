"""Settings from the environment: every wrong value names its variable and what to do."""

import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.settings import Settings, child_environment, load_settings
from logcache_assets.settings.expectations import expectation_of


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

    assert str(refusal.value).startswith(f"{variable} is {value!r}, and must be ")
    assert "; correct it, or unset it" in str(refusal.value)


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

    assert str(refusal.value).startswith("unknown setting LOGCACHE_FOO; known are LOGCACHE_ALERT_MAIL_")


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


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("machines", "many", "must be a whole number above 0; correct it, or unset it for 192"),
        ("copies_at_once", "0", "must be a whole number from 1 to 2000; correct it, or unset it for 256"),
        ("copy_hours", "soon", "must be a number from 0 to 8760; correct it, or unset it for 6"),
        ("validation_cluster_bytes", "-1", "must be a whole number of at least 0; correct it, or unset it for 0"),
        ("pages_port", "99999", "must be a whole number above 0 and below 65536; correct it, or unset it for 3080"),
        ("all_or_nothing", "perhaps", "must be true or false; correct it, or unset it for false"),
        ("store", "ftp", "must be one of local, s3; correct it, or unset it for local"),
        (
            "country",
            "Brazil",
            "must be the code of a country, two capital letters such as BR; correct it, or unset it for BR",
        ),
        ("aws_profile", "", "must be a text that is not empty; correct it, or unset it"),
    ],
)
def test_a_wrong_value_is_told_with_what_it_must_be(setting: str, value: str, sentence: str) -> None:
    """What was found, what is expected, what to do; no word of the library that reads it."""
    with pytest.raises(WrongUsage) as refused:
        load_settings({f"LOGCACHE_{setting.upper()}": value})

    assert str(refused.value) == f"LOGCACHE_{setting.upper()} is {value!r}, and {sentence}"


def test_a_wrong_value_of_production_is_told_with_productions_default() -> None:
    """Unset, it would not be the local world's."""
    with pytest.raises(WrongUsage, match=r"correct it, or unset it for s3$"):
        load_settings({"LOGCACHE_PLATFORM": "production", "LOGCACHE_STORE": "ftp"})


@pytest.mark.parametrize("setting", Settings.__struct_fields__)
def test_every_setting_says_what_it_must_be(setting: str) -> None:
    """A text that must have a form describes it; a regular expression is no sentence."""
    declared = str(typing.get_type_hints(Settings, include_extras=True)[setting])

    assert "pattern=" not in declared or "description=" in declared
    assert expectation_of(setting)


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


PRODUCTION = {
    "LOGCACHE_PLATFORM": "production",
    "LOGCACHE_GITHUB_REPOSITORY": "acme/itaipu",
    "LOGCACHE_METAPOD_URL": "https://metapod/graphql",
    "LOGCACHE_DATABRICKS_HOST": "https://dbc.example",
    "LOGCACHE_DATABRICKS_NODE_TYPE": "r6id.xlarge",
    "LOGCACHE_SABESP": "/opt/sabesp",
    "LOGCACHE_PII_KEY": "ssm:/logcache/pii_key",
}


def test_a_platform_sets_what_is_not_set() -> None:
    """Production reads S3, DynamoDB, metapod's server, GitHub and this computer's clock; a variable of its own wins."""
    settings = load_settings({**PRODUCTION, "LOGCACHE_SEGMENT_INDEX": "local", "LOGCACHE_HOME": "/home"})

    assert (settings.store, settings.segment_index, settings.clock) == ("s3", "local", "system")
    assert (settings.metapod, settings.repository) == ("graphql", "github")
    assert (Settings().metapod, Settings().repository) == ("local", "local")
    assert (settings.repository, Settings().repository) == ("github", "local")
    assert (settings.notebook, Settings().notebook) == ("databricks", "local")
    assert (Settings().store, Settings().segment_index, Settings().clock) == ("local", "local", "local")


@pytest.mark.parametrize("missing", ["SABESP", "PII_KEY", "SEGMENT_TABLE", "METAPOD_URL", "GITHUB_REPOSITORY"])
def test_production_takes_nothing_of_the_local_world(missing: str) -> None:
    """Neither its sabesp nor a key that it made would be noticed before contracts differ."""
    whole = {**PRODUCTION, "LOGCACHE_SEGMENT_TABLE": "segments"}
    variable = f"LOGCACHE_{missing}"

    assert not load_settings(whole).uses_local_world
    with pytest.raises(WrongUsage, match=f"{variable} is not set"):
        load_settings({name: value for name, value in whole.items() if name != variable})


def test_the_index_on_dynamodb_needs_its_table() -> None:
    """No name is guessed: a wrong table would be an empty index."""
    with pytest.raises(WrongUsage, match="LOGCACHE_SEGMENT_TABLE is not set"):
        load_settings({"LOGCACHE_SEGMENT_INDEX": "dynamodb"})


def test_a_child_process_has_what_a_platform_set() -> None:
    """Also those that a platform set."""
    settings = load_settings({**PRODUCTION, "LOGCACHE_SEGMENT_TABLE": "segments"})

    child = load_settings(child_environment(settings))

    assert (child.store, child.segment_index, child.segment_table) == ("s3", "dynamodb", "segments")


METAPOD = {"LOGCACHE_METAPOD": "graphql", "LOGCACHE_METAPOD_URL": "https://metapod/graphql"}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param({"METAPOD": "graphql"}, "LOGCACHE_METAPOD_URL is not set", id="no address"),
        pytest.param(
            {"METAPOD_CERTIFICATE": "a.pem"},
            "LOGCACHE_METAPOD_CERTIFICATE_KEY is not set, and LOGCACHE_METAPOD_CERTIFICATE is",
            id="a certificate without its key",
        ),
        pytest.param(
            {"METAPOD_CERTIFICATE_KEY": "a.pem"},
            "LOGCACHE_METAPOD_CERTIFICATE is not set, and LOGCACHE_METAPOD_CERTIFICATE_KEY is",
            id="a key without its certificate",
        ),
        pytest.param(
            {"METAPOD_URL": "http://metapod/graphql", "METAPOD_TOKEN": "planted"},
            "LOGCACHE_METAPOD_URL begins with http://",
            id="a token in the clear",
        ),
        pytest.param({"METAPOD_URL": "metapod/graphql"}, "LOGCACHE_METAPOD_URL is 'metapod/graphql'", id="no scheme"),
        pytest.param(
            {"METAPOD_URL": "https://me:planted@metapod/"},
            "LOGCACHE_METAPOD_URL is 'https://me:****@metapod/'",
            id="a password",
        ),
        pytest.param({"METAPOD_TIMEOUT_SECONDS": "0"}, "LOGCACHE_METAPOD_TIMEOUT_SECONDS is '0'", id="no second"),
    ],
)
def test_settings_of_metapod_that_do_not_fit_are_refused(variables: dict[str, str], sentence: str) -> None:
    """Before anything is asked, and without showing a secret."""
    with pytest.raises(WrongUsage) as refused:
        load_settings({f"LOGCACHE_{name}": value for name, value in variables.items()})

    assert str(refused.value).startswith(sentence)
    assert "planted" not in str(refused.value)


def test_a_server_on_this_computer_needs_no_tls() -> None:
    """As servers of tests are."""
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000"):
        variables = {**METAPOD, "LOGCACHE_METAPOD_URL": f"http://{host}/graphql", "LOGCACHE_METAPOD_TOKEN": "a token"}
        assert load_settings(variables).metapod_url == f"http://{host}/graphql"


def test_files_of_metapod_are_found_from_any_folder() -> None:
    """A child process has their absolute paths."""
    relative = {"AUTHORITY": "ca.pem", "CERTIFICATE": "a.pem", "CERTIFICATE_KEY": "k.pem", "QUERIES": "q.graphql"}
    settings = load_settings({**METAPOD, **{f"LOGCACHE_METAPOD_{name}": path for name, path in relative.items()}})

    child = child_environment(settings)

    for name, path in relative.items():
        assert child[f"LOGCACHE_METAPOD_{name}"] == str(Path.cwd() / path)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("LOGCACHE_SABESP_STOP", "stop {name}", "LOGCACHE_SABESP_STOP cannot be run: it has {name}, and known are"),
        ("LOGCACHE_SABESP_STOP", "stop 'x", "LOGCACHE_SABESP_STOP cannot be run: it cannot be cut into words"),
        ("LOGCACHE_SABESP_STOP", "", "LOGCACHE_SABESP_STOP cannot be run: it is empty; correct or unset it"),
        ("LOGCACHE_SABESP_ARGUMENTS", "--team 'x", "LOGCACHE_SABESP_ARGUMENTS cannot be cut into words"),
        ("LOGCACHE_SABESP_OPTIONS", '"', "LOGCACHE_SABESP_OPTIONS cannot be cut into words"),
        ("LOGCACHE_SABESP_JOB", "jobs '", "LOGCACHE_SABESP_JOB cannot be cut into words"),
        ("LOGCACHE_SABESP_IN", "bucket/", "LOGCACHE_SABESP_IN is 'bucket/'"),
        ("LOGCACHE_SABESP_OUT", "s3a://bucket", "LOGCACHE_SABESP_OUT is 's3a://bucket'"),
        ("LOGCACHE_RUN_NAME", "--help", "LOGCACHE_RUN_NAME is '--help'"),
        ("LOGCACHE_RUN_NAME", "../x", "LOGCACHE_RUN_NAME is '../x'"),
        ("LOGCACHE_AURORA_STACK", "", "LOGCACHE_AURORA_STACK is ''"),
        ("LOGCACHE_SABESP_STOP_SECONDS", "0", "LOGCACHE_SABESP_STOP_SECONDS is '0'"),
    ],
)
def test_what_sabesp_cannot_be_called_with_is_refused(variable: str, value: str, sentence: str) -> None:
    """Before a cluster is paid for."""
    with pytest.raises(WrongUsage) as refused:
        load_settings({variable: value})

    assert str(refused.value).startswith(sentence)


def test_what_ends_a_run_is_the_platforms() -> None:
    """The local platform's own by default; a bank's must be named."""
    local, bank = load_settings({}), load_settings({"LOGCACHE_SABESP": "/opt/sabesp"})
    named = load_settings({"LOGCACHE_SABESP": "/opt/sabesp", "LOGCACHE_SABESP_STOP": "/opt/sabesp stop {run_name}"})

    assert local.stop_command
    assert local.stop_command.words[1:] == ("--aurora-stack={aurora_stack}", "jobs", "stop", "staging", "{run_name}")
    assert bank.stop_command is None
    assert str(named.stop_command) == "/opt/sabesp stop {run_name}"


MEXICO = {
    "LOGCACHE_COUNTRY": "MX",
    "LOGCACHE_EPHEMERAL_BUCKET": "nu-mx-ephemeral",
    "LOGCACHE_PERMANENT_BUCKET": "nu-mx-permanent",
}


def test_a_country_has_a_home_of_its_own() -> None:
    """So that two can work on one computer; a home that is named wins."""
    assert load_settings(MEXICO).home == ".logcache-mx"
    assert load_settings({**MEXICO, "LOGCACHE_HOME": "elsewhere"}).home == "elsewhere"
    assert (load_settings({}).country, load_settings({"LOGCACHE_COUNTRY": "BR"}).home) == ("BR", ".logcache")
    assert load_settings(child_environment(load_settings(MEXICO))).country == "MX"


@pytest.mark.parametrize("bucket", ["LOGCACHE_EPHEMERAL_BUCKET", "LOGCACHE_PERMANENT_BUCKET"])
def test_another_country_names_its_buckets(bucket: str) -> None:
    """Brazil's are the defaults, and would take another country's logs."""
    with pytest.raises(WrongUsage, match=f"{bucket} is not set, and LOGCACHE_COUNTRY is MX"):
        load_settings({name: value for name, value in MEXICO.items() if name != bucket})


@pytest.mark.parametrize("country", ["mx", "MEX", "M", "", "M1", "MX "])
def test_a_country_is_its_code(country: str) -> None:
    """Two capital letters, as metapod has them; the message names the variable."""
    with pytest.raises(WrongUsage, match="LOGCACHE_COUNTRY is"):
        load_settings({**MEXICO, "LOGCACHE_COUNTRY": country})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("LOGCACHE_SEGMENT_TABLE", "two words", id="a table with a space"),
        pytest.param("LOGCACHE_SEGMENT_TABLE", "ab", id="a table with two letters"),
        pytest.param("LOGCACHE_SEGMENT_TABLE", "arn:aws:s3:::bucket", id="an ARN of something else"),
        pytest.param("LOGCACHE_AWS_REGION", "us east", id="a region with a space"),
        pytest.param("LOGCACHE_AWS_REGION", "Virginia", id="a region's place"),
        pytest.param("LOGCACHE_DYNAMODB_ENDPOINT", "localhost:8000", id="an endpoint without scheme"),
        pytest.param("LOGCACHE_SEGMENT_SORT_KEY", "", id="no name of a key"),
        pytest.param("LOGCACHE_AWS_ROLE", "reader", id="a role by its name"),
        pytest.param("LOGCACHE_AWS_MAX_ATTEMPTS", "0", id="no attempt"),
    ],
)
def test_what_amazon_would_refuse_is_refused_at_the_start(variable: str, value: str) -> None:
    """By the variable that is wrong, before anything is asked."""
    with pytest.raises(WrongUsage, match=f"^{variable} is "):
        load_settings({variable: value})


@pytest.mark.parametrize("table", ["segments", "a.b-c_D", "arn:aws:dynamodb:sa-east-1:123456789012:table/segments"])
def test_a_table_has_a_name_or_an_arn(table: str) -> None:
    """One of another account needs its ARN."""
    assert load_settings({"LOGCACHE_SEGMENT_TABLE": table}).segment_table == table


def test_a_clusters_variables_hold_no_secret() -> None:
    """They are shown on its page; a reference is resolved there."""
    named = "LOGCACHE_DATABRICKS_ENVIRONMENT"

    with pytest.raises(WrongUsage, match=f"{named} has LOGCACHE_PII_KEY, a secret") as refusal:
        load_settings({named: "LOGCACHE_AWS_ROLE=x,LOGCACHE_PII_KEY=0123456789abcdef"})

    assert "0123456789abcdef" not in str(refusal.value)
    assert load_settings({named: "LOGCACHE_PII_KEY={{secrets/logcache/key}}"}).more_on_clusters
