"""Names of columns and datasets; source: the contracts' naming rules of the platform."""

from logcache_assets.domain.instances import Instance

CONTRACT_PREFIX = "contract-"
"""How the name of every contract dataset begins."""

RAW_PREFIX = "raw-"
"""How the name of every raw dataset begins."""


COUNTRY = "BR"
"""The country whose names and buckets are the defaults."""

_KINDS_OF_COUNTRIES = {"raw": RAW_PREFIX, "contract": CONTRACT_PREFIX}
"""Second part of a name that begins with its country → how the older form begins."""
_PARTS_OF_COUNTRIES = 4


def canonical_dataset(name: str, *, country: str) -> str:
    """The older form of a dataset's name, which is the one that everything here knows.

    metapod's name                       in BR
    raw-feed-s0/log                      raw-feed-s0/log
    nu-br/raw/feed-s0/log                raw-feed-s0/log
    nu-br/contract/feed/transactions     contract-feed/transactions
    nu-mx/raw/feed-s0/log                nu-mx/raw/feed-s0/log: another country's, so none of ours

    Args:
        name: of a dataset, as metapod or sabesp says it.
        country: its code, `BR`.
    """
    parts = name.split("/")
    if len(parts) != _PARTS_OF_COUNTRIES or not all(parts) or parts[0] != f"nu-{country.lower()}":
        return name
    prefix = _KINDS_OF_COUNTRIES.get(parts[1])
    return f"{prefix}{parts[2]}/{parts[3]}" if prefix else name


def column_name(attribute: str) -> str:
    """The column of an attribute, or a keyword as a value: `:transaction/post-date` is `transaction__post_date`."""
    return attribute.removeprefix(":").replace("/", "__").replace("-", "_").replace(".", "_")


def history_name(attribute: str) -> str:
    """The last part of an attribute history's dataset name: `transaction-post-date-history`."""
    return attribute.removeprefix(":").replace("/", "-").replace(".", "-") + "-history"


def contract_dataset(database: str, name: str) -> str:
    """`contract-feed/transactions`."""
    return f"{contract_prefix(database)}{name}"


def contract_prefix(database: str) -> str:
    """`contract-feed/`: how the names of a database's contracts begin."""
    return f"{CONTRACT_PREFIX}{database}/"


def split_contract(dataset: str) -> tuple[str, str]:
    """Database and name of a contract: `feed`, `transactions` of `contract-feed/transactions`."""
    database, _, name = dataset.removeprefix(CONTRACT_PREFIX).partition("/")
    return database, name


def database_of(dataset: str) -> str:
    """The database of a contract: `feed` of `contract-feed/transactions`."""
    return split_contract(dataset)[0]


def is_contract_of(dataset: str, database: str) -> bool:
    """True if the dataset is a contract of the database."""
    return dataset.startswith(contract_prefix(database))


def raw_log_dataset(instance: Instance) -> str:
    """`raw-feed-s0/log`."""
    return f"{RAW_PREFIX}{instance.name}/log"


def raw_entities_dataset(instance: Instance) -> str:
    """`raw-feed-s0/materialized-entities`."""
    return f"{RAW_PREFIX}{instance.name}/materialized-entities"


def raw_datasets(instance: Instance) -> tuple[str, str]:
    """Both raw datasets of an instance: the log, then its materialized entities."""
    return raw_log_dataset(instance), raw_entities_dataset(instance)
