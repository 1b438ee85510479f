"""`sound_table`: the expected schema, a key that identifies rows, and rows where yesterday had rows."""

from typing_extensions import override

from logcache_assets.domain.figures import ContractFigures, SchemaChange
from logcache_assets.domain.rules.key_problems import find_key_problems, find_shared_keys
from logcache_assets.domain.rules.results import Excuse, Judgement, RuleResult, conclude
from logcache_assets.domain.rules.rule import Finding, History, Rule
from logcache_assets.domain.rules.strictness import Allowance, Strictness
from logcache_assets.domain.wording import count_of

SCHEMA = Finding(name="schema", of_columns=True)
EMPTY = Finding(name="empty", of_columns=False)


class SoundTable(Rule):
    """Judges the table by itself, before any row is compared (C17, C21, C22)."""

    name = "sound_table"
    sentence = (
        "The table is committed, has yesterday's schema, a key that is unique (unless the log gives it to several "
        "entities) and never null, and rows where yesterday had rows."
    )
    remedy = "compare schema, key and row count with yesterday's contract; an empty one is usually a failed run"
    findings = (SCHEMA, EMPTY)

    @override
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        today, yesterday = figures.today, figures.yesterday
        return conclude(
            self.name,
            _judge(contract, figures, strictness),
            expected="the schema that definition and log give, a key that is unique and never null, rows where "
            "yesterday had rows",
            good=f"{count_of(today.rows, 'row')}, all sound",
            figures={
                "rows": today.rows,
                "yesterday_rows": yesterday.rows,
                "null_keys": today.null_keys,
                "duplicate_keys": today.duplicate_keys,
                "shared_keys": today.shared_keys,
            },
        )


SOUND_TABLE = SoundTable()


def find_empty_allowance(contract: str, figures: ContractFigures, strictness: Strictness) -> Allowance | None:
    """The allowance that lets a contract be empty that lost all its rows; other rules then excuse it too."""
    return strictness.allowance_of(contract, EMPTY.name) if _lost_all_rows(figures) else None


def describe_schema_problem(change: SchemaChange) -> str:
    """What is wrong with a column that neither definition nor log explains."""
    match change.was, change.is_now:
        case _, None:
            return f"column {change.column} is not there"
        case was, is_now if was == is_now and change.expected:
            return f"column {change.column} is {is_now}, but {change.expected} is expected"
        case was, is_now if was == is_now:
            return f"column {change.column} is not in the definition"
        case None, is_now if change.expected:
            return f"column {change.column} is added as {is_now}, but {change.expected} is expected"
        case None, _:
            return f"column {change.column} is added, though neither definition nor log asks for it"
        case was, is_now:
            expected = f", but {change.expected} is expected" if change.expected else ""
            return f"column {change.column} was {was} and is {is_now}{expected}"
    raise AssertionError


def _judge(contract: str, figures: ContractFigures, strictness: Strictness) -> Judgement:
    """Judge keys, schema and emptiness. Unsound keys always block; allowances can excuse the others."""
    blocking, excused = list(find_key_problems(figures.today)), []
    excusable: list[tuple[str, Finding, str | None]] = [
        (describe_schema_problem(change), SCHEMA, change.column) for change in figures.schema if not change.explained
    ]
    if _lost_all_rows(figures):
        excusable.append((f"it is empty, yesterday it had {count_of(figures.yesterday.rows, 'row')}", EMPTY, None))
    for text, finding, column in excusable:
        allowance = strictness.allowance_of(contract, finding.name, column)
        if allowance:
            excused.append(Excuse(what=text, allowance=allowance))
        else:
            blocking.append(text)
    return Judgement(blocking=tuple(blocking), warning=tuple(find_shared_keys(figures.today)), excused=tuple(excused))


def _lost_all_rows(figures: ContractFigures) -> bool:
    return bool(figures.yesterday.rows) and not figures.today.rows
