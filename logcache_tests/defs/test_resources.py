"""What Dagit's Resources page shows, and what runs get from it."""

from datetime import timedelta

import dagster as dg
import msgspec
import pytest
from dagster_aws.utils import ResourceWithBoto3Configuration

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect, graphql_metapod
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.aws_resources import DynamoDbSegmentIndexResource
from logcache_assets.defs.github_resource import GitHubRepositoryResource
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.resources import (
    MetapodResource,
    PersonalDataKeyResource,
    configured_resources,
    given_resources,
)
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Ports
from logcache_assets.settings import PII_KEY_VARIABLE, Settings, load_settings
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.servers.server import Server
from logcache_tests.worlds import definitions_of, settings_at

PORTS = ("store", "segment_index", "metapod", "runner", "itaipu", "repository", "clock")


@pytest.fixture
def settings(world: World, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a process in whose environment the world is configured."""
    monkeypatch.setenv("LOGCACHE_HOME", str(world.home))
    monkeypatch.setenv(PII_KEY_VARIABLE, PII_KEY.decode())
    return load_settings()


def test_every_resource_says_what_it_is_and_where(settings: Settings) -> None:
    """Each is a class of its own with a docstring and at least one field, so the page shows no lambda."""
    for name, resource in configured_resources(settings).items():
        assert isinstance(resource, dg.ConfigurableResource), name
        assert type(resource).__doc__, name
        assert type(resource).model_fields, name


PRODUCTION = {
    "platform": "production",
    "github_repository": "acme/itaipu",
    "metapod_url": "https://metapod/graphql",
    "databricks_host": "https://dbc.example",
    "databricks_node_type": "r6id.xlarge",
    "sabesp": "/opt/sabesp",
    "segment_table": "segments",
    "pii_key": "ssm:/logcache/pii_key",
}


@pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning")  # Dagster's, of a class without any
@pytest.mark.parametrize("variables", [pytest.param({}, id="local"), pytest.param(PRODUCTION, id="production")])
def test_every_field_of_a_resource_is_described(world: World, variables: dict[str, str]) -> None:
    """Beside its value on the Resources page, and in the launchpad."""
    for name, resource in configured_resources(settings_at(world.home, **variables)).items():
        assert isinstance(resource, dg.ConfigurableResource)
        for field in type(resource).__annotations__:  # a library's own are its own
            assert type(resource).model_fields[field].description, f"{name}.{field}"


def test_every_field_of_the_launchpad_is_described_and_has_a_value(world: World) -> None:
    """A run of the job can be started as the launchpad opens."""
    job = definitions_of(world).resolve_job_def(REFRESH_JOB)

    fields = {
        f"{node.name}.{name}": field
        for node in job.graph.nodes
        for name, field in getattr(getattr(node.definition.config_field, "config_type", None), "fields", {}).items()
    }

    assert {name for name, field in fields.items() if not field.description or field.is_required} == set()
    assert fields.keys() >= {"log_export.verify_all", "itaipu_test_run.again", "nightly_transaction.transaction"}


def test_every_resource_makes_the_port_that_connect_makes(settings: Settings) -> None:
    """A run from Dagit and the command line talk to the same systems through the same adapters."""
    given = given_resources(settings, connect(settings))

    with dg.build_resources(configured_resources(settings)) as made:
        types = {name: type(getattr(made, name)) for name in PORTS}

    assert types == {name: type(given[name]) for name in PORTS}


def test_the_page_names_the_table_of_the_segment_index(settings: Settings) -> None:
    """With the fields that resources of dagster-aws have; what it makes is what connect makes."""
    on_dynamodb = msgspec.structs.replace(
        settings,
        segment_index="dynamodb",
        segment_table="segments",
        segment_sort_key="until",
        aws_profile="reader",
        aws_role="arn:aws:iam::123456789012:role/reader",
        aws_region="sa-east-1",
        dynamodb_endpoint="http://127.0.0.1:9",
    )

    shown = configured_resources(on_dynamodb)["segment_index"]

    assert isinstance(shown, ResourceWithBoto3Configuration)
    assert (shown.profile_name, shown.region_name, shown.max_attempts) == ("reader", "sa-east-1", 10)
    with dg.build_resources({"segment_index": shown}) as made:
        assert made.segment_index == connect(on_dynamodb).segment_index


@pytest.mark.usefixtures("settings")
def test_the_page_names_metapods_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no token, of which it shows the variable; what it makes is what connect makes."""
    for name, value in {"": "graphql", "_URL": "https://metapod/graphql", "_TOKEN": "planted", "_QUERIES": "q"}.items():
        monkeypatch.setenv(f"LOGCACHE_METAPOD{name}", value)
    real = load_settings()

    shown = configured_resources(real)["metapod"]

    assert isinstance(shown, MetapodResource)
    assert shown.url == "https://metapod/graphql"
    assert "planted" not in repr(shown)
    with pytest.raises(BadInput, match="metapod's token was not read from LOGCACHE_METAPOD_TOKEN"):
        shown.create_resource(dg.build_init_resource_context())
    with dg.build_resources({"metapod": shown}) as made:
        assert repr(made.metapod.transport) == repr(graphql_metapod(real).transport)
        assert made.metapod.transport.token.read() == "planted"


def test_access_keys_of_a_resource_are_refused() -> None:
    """They would not reach Spark's workers; the message shows none."""
    resource = DynamoDbSegmentIndexResource(
        table="segments",
        partition_key="db_prototype",
        sort_key="last_t",
        aws_session_token="planted",  # noqa: S106
    )

    with pytest.raises(BadInput, match="name a profile_name or a role_arn") as refused:
        _ = resource.access

    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    ("resource", "field", "file"),
    [
        ("pii_key", "home", ""),
        ("store", "buckets", "buckets"),
        ("store", "clock_file", "clock"),
        ("store", "faults", "faults"),
        ("segment_index", "file", "segment_index.sqlite"),
        ("metapod", "file", "metapod.sqlite"),
        ("runner", "runs", "notebook_runs"),
        ("itaipu", "log_folder", "sabesp_logs"),
        ("repository", "git_dir", "itaipu.git"),
        ("repository", "pull_requests", "pull_requests"),
        ("repository", "clock_file", "clock"),
        ("clock", "file", "clock"),
    ],
)
def test_the_page_names_the_files_of_the_world(
    settings: Settings, world: World, resource: str, field: str, file: str
) -> None:
    """A person who looks for a system on the page finds its file in the world's folder."""
    shown = configured_resources(settings)[resource]

    assert getattr(shown, field) == str(world.home / file)


def test_resources_and_connect_read_the_same_files(settings: Settings, world: World) -> None:
    """What is written through the ports of the command line is what a run from Dagit reads."""
    ports, uri = connect(settings), f"s3://{settings.permanent_bucket}/cache/written"
    world.clock.set(world.clock.now() + timedelta(days=1))
    ports.store.write(uri, b"by connect")
    main = str(ports.repository.head("main"))
    sha = ports.repository.commit(branch="other", parent=main, files={"a": "b"}, message="Write")
    request = ports.repository.propose(branch="other", title="A title", body="A body")
    since, feed = world.clock.now() - timedelta(days=30), Instance(database="feed", prototype="s0")

    with dg.build_resources(configured_resources(settings)) as made:
        assert made.clock.now() == world.clock.now()
        assert made.store.read(uri) == b"by connect"
        assert made.repository.head("other") == sha
        assert made.repository.pull_request(request.number) == request
        assert made.segment_index.newest_t(feed) == ports.segment_index.newest_t(feed) > 0
        nights = made.metapod.transactions(TransactionType.DAILY, since=since)
        assert nights == ports.metapod.transactions(TransactionType.DAILY, since=since) != ()


def test_a_run_reads_the_world_through_its_resources(settings: Settings, world: World) -> None:
    """With nothing but the environment, the first stage materializes."""
    definitions = build_definitions(settings, catalog=load_catalog(world.catalog))
    job = definitions.resolve_implicit_global_asset_job_def()

    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("nightly_transaction")])

    assert result.success


def test_no_secret_is_a_literal_field(settings: Settings) -> None:
    """The page shows literals in full, so the key is an environment variable and among no settings."""
    resources = configured_resources(settings)

    shown = repr(resources)

    assert PII_KEY.decode() not in shown
    assert isinstance(resources["pii_key"], PersonalDataKeyResource)
    assert isinstance(resources["pii_key"].key, dg.EnvVar)


def test_the_key_is_the_variables_value(settings: Settings) -> None:
    """Dagster resolves the variable when a run asks for the key."""
    resource = configured_resources(settings)["pii_key"]

    assert isinstance(resource, dg.ConfigurableResource)
    assert resource.process_config_and_initialize() == PII_KEY


def test_a_reference_to_a_vault_is_shown_and_resolved(
    world: World, monkeypatch: pytest.MonkeyPatch, moto_server: Server
) -> None:
    """It is no secret, so the page shows it; a run gets what lies there."""
    access = AwsAccess(region="us-east-1", endpoint_url=moto_server.endpoint_url)
    access.client("ssm").put_parameter(Name="/pii_key", Value=PII_KEY.decode(), Type="SecureString")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", moto_server.endpoint_url)
    monkeypatch.setenv("LOGCACHE_HOME", str(world.home))
    monkeypatch.setenv(PII_KEY_VARIABLE, "ssm:/pii_key")

    resource = configured_resources(load_settings())["pii_key"]

    assert isinstance(resource, PersonalDataKeyResource)
    assert resource.key == "ssm:/pii_key"
    assert resource.process_config_and_initialize() == PII_KEY


def test_a_variables_name_never_becomes_a_key(settings: Settings) -> None:
    """Outside a run Dagster would hand over the variable's name as the secret: that is refused."""
    resource = configured_resources(settings)["pii_key"]

    assert isinstance(resource, PersonalDataKeyResource)
    with pytest.raises(BadInput, match="was not read from LOGCACHE_PII_KEY"):
        resource.create_resource(dg.build_init_resource_context())


def test_without_the_variable_the_worlds_own_key_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset variable would refuse the whole run, so it is asked for only where it is set."""
    monkeypatch.setenv("LOGCACHE_HOME", str(world.home))
    monkeypatch.delenv(PII_KEY_VARIABLE, raising=False)
    (world.home / "pii_key").write_text("the world's own key", encoding="utf-8")

    resource = configured_resources(load_settings())["pii_key"]

    assert isinstance(resource, dg.ConfigurableResource)
    assert resource.process_config_and_initialize() == b"the world's own key"


def test_all_ports_are_resources() -> None:
    """A new port that nobody can configure in Dagit is forgotten here first."""
    assert len(PORTS) == len(Ports.__dataclass_fields__)


def test_the_page_says_where_the_repository_on_github_is_and_no_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is a variable's name, or the reference that it holds; what runs get is what connect makes."""
    token = "ghp_invented00000000000000000000000000"  # noqa: S105 - invented
    monkeypatch.setenv("LOGCACHE_GITHUB_TOKEN", token)
    on_github = msgspec.structs.replace(
        settings, repository="github", github_repository="acme/itaipu", github_labels="a,b", github_token=token
    )

    shown = configured_resources(on_github)["repository"]

    assert isinstance(shown, GitHubRepositoryResource)
    assert (shown.repository, shown.url, shown.base_branch) == ("acme/itaipu", "https://api.github.com", "main")
    assert isinstance(shown.token, dg.EnvVar)
    assert token not in repr(shown)
    with dg.build_resources({"repository": shown}) as made:
        assert type(made.repository) is type(connect(on_github).repository)
        assert token not in repr(made.repository)
    referred = msgspec.structs.replace(on_github, github_token="ssm:/logcache/github")  # noqa: S106 - a reference
    other = configured_resources(referred)["repository"]
    assert isinstance(other, GitHubRepositoryResource)
    assert other.token == "ssm:/logcache/github"  # noqa: S105 - a reference
