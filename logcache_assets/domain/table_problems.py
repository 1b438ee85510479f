"""What is wrong with a contract's table by itself, in the words that a reviewer reads: its key and its columns."""

from collections.abc import Iterator

from logcache_assets.domain.figures import ContractFigures, SchemaChange, TableFigures
from logcache_assets.domain.wording import count_of


def find_key_problems(table: TableFigures) -> Iterator[str]:
    """Nulls and repetitions in the key of one table."""
    if table.null_keys:
        yield f"a null key in {count_of(table.null_keys, 'row')}"
    if table.duplicate_keys:
        yield f"a repeated key in {count_of(table.duplicate_keys, 'row')}"


def describe_unsound_keys(figures: ContractFigures) -> str:
    """Whose keys are not sound, and how."""
    days = {"yesterday's table": figures.yesterday, "today's table": figures.today}
    unsound = [f"{day} has {problem}" for day, table in days.items() for problem in find_key_problems(table)]
    return f"rows could not be compared: {' and '.join(unsound)}"


def describe_schema_problem(change: SchemaChange) -> str:
    """What is wrong with a column that neither definition nor log explains."""
    match change.was, change.is_now:
        case _, None:
            return f"column {change.column} is not there"
        case was, is_now if was == is_now and change.expected:
            return f"column {change.column} is {is_now}, and {change.expected} is due"
        case was, is_now if was == is_now:
            return f"column {change.column} is not in the definition"
        case None, is_now if change.expected:
            return f"column {change.column} is added as {is_now}, and {change.expected} is due"
        case None, _:
            return f"column {change.column} is added, though neither definition nor log asks for it"
        case was, is_now:
            due = f", and {change.expected} is due" if change.expected else ""
            return f"column {change.column} was {was} and is {is_now}{due}"
    raise AssertionError
