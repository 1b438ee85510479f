"""Names of columns and datasets; source: the contracts' naming rules of the platform."""

from logcache_assets.domain.instances import Instance


def column_name(attribute: str) -> str:
    """The column of an attribute, or a keyword as a value: `:transaction/post-date` is `transaction__post_date`."""
    return attribute.removeprefix(":").replace("/", "__").replace("-", "_").replace(".", "_")


def history_name(attribute: str) -> str:
    """The last part of an attribute history's dataset name: `transaction-post-date-history`."""
    return attribute.removeprefix(":").replace("/", "-").replace(".", "-") + "-history"


def contract_dataset(database: str, name: str) -> str:
    """`contract-feed/transactions`."""
    return f"contract-{database}/{name}"


def raw_log_dataset(instance: Instance) -> str:
    """`raw-feed-s0/log`."""
    return f"raw-{instance.name}/log"


def raw_entities_dataset(instance: Instance) -> str:
    """`raw-feed-s0/materialized-entities`."""
    return f"raw-{instance.name}/materialized-entities"


def raw_datasets(instance: Instance) -> tuple[str, str]:
    """Both raw datasets of an instance: the log, then its materialized entities."""
    return raw_log_dataset(instance), raw_entities_dataset(instance)
