"""Problems in the key of a contract's table, in the words that a reviewer reads. Several rules need them."""

from collections.abc import Iterator

from logcache_assets.domain.figures import ContractFigures, TableFigures
from logcache_assets.domain.wording import count_of


def find_key_problems(table: TableFigures) -> Iterator[str]:
    """Nulls and repetitions in the key of one table."""
    if table.null_keys:
        yield f"a null key in {count_of(table.null_keys, 'row')}"
    if table.duplicate_keys:
        yield f"a repeated key in {count_of(table.duplicate_keys, 'row')}"


def find_shared_keys(table: TableFigures) -> Iterator[str]:
    """Keys that the log itself gives to several entities: no fault of the table."""
    if table.shared_keys:
        yield (
            f"the log gives one key to several entities: {count_of(table.shared_keys, 'row')} beyond one per key, "
            f"among them {', '.join(table.sharing)}"
        )


def describe_unsound_keys(figures: ContractFigures) -> str:
    """Which day's keys are not sound, and how, for a contract whose rows could not be compared."""
    days = {"yesterday's table": figures.yesterday, "today's table": figures.today}
    unsound = [f"{day} has {problem}" for day, table in days.items() for problem in find_key_problems(table)]
    return f"rows could not be compared: {' and '.join(unsound)}"
