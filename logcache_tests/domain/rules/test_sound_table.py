"""sound_table: schema, key and rows of one contract table, in the words that a reviewer reads."""

from collections.abc import Mapping

import pytest

from logcache_assets.domain.figures import ContractFigures, SchemaChange
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.sound_table import SOUND_TABLE
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Allowance, Strictness
from logcache_tests.domain.contract_samples import ACCOUNTS, allowance, contract_figures
from logcache_tests.domain.samples import changed


def days(
    *,
    today: Mapping[str, object] | None = None,
    yesterday: dict[str, int] | None = None,
    schema: tuple[SchemaChange, ...] = (),
) -> ContractFigures:
    """The sound days with some figures of the tables changed."""
    sound = contract_figures()
    return changed(
        sound,
        today=changed(sound.today, **(today or {})),
        yesterday=changed(sound.yesterday, **(yesterday or {})),
        schema=schema,
    )


def change(was: str | None, is_now: str | None, expected: str | None, *, column: str = "account__fee") -> SchemaChange:
    """How one column's type changed."""
    return SchemaChange(column=column, was=was, is_now=is_now, expected=expected)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(days(), id="sound on both days"),
        pytest.param(days(today={"rows": 1}), id="one row left, which other rules judge"),
        pytest.param(days(today={"rows": 0}, yesterday={"rows": 0}), id="empty as yesterday"),
        pytest.param(days(yesterday={"rows": 0}), id="empty yesterday alone"),
        pytest.param(days(yesterday={"null_keys": 2, "duplicate_keys": 3}), id="keys that were unsound yesterday"),
        pytest.param(days(schema=(change(None, "string", "string"),)), id="a column that the definition added"),
        pytest.param(days(schema=(change("string", None, None),)), id="a column that the definition dropped"),
        pytest.param(days(schema=(change("string", "double", "double"),)), id="a type that the log changed"),
    ],
)
def test_a_sound_table_passes(found: ContractFigures) -> None:
    """The expected schema, a sound key, rows where yesterday had rows."""
    result = SOUND_TABLE.judge(ACCOUNTS, found, DEFAULT_STRICTNESS)

    assert result.passed
    assert not result.blocks
    assert result.excused == ()
    assert result.sentence == f"{found.today.rows:,} row{'s' * (found.today.rows != 1)}, all sound"


@pytest.mark.parametrize(
    ("found", "actual"),
    [
        pytest.param(days(today={"null_keys": 2}), "a null key in 2 rows", id="null keys"),
        pytest.param(
            days(today={"null_keys": 2}, yesterday={"null_keys": 2}),
            "a null key in 2 rows",
            id="as many as yesterday",
        ),
        pytest.param(days(today={"duplicate_keys": 1200}), "a repeated key in 1,200 rows", id="duplicate keys"),
        pytest.param(days(today={"rows": 0}), "it is empty, yesterday it had 240 rows", id="empty"),
        pytest.param(
            days(schema=(change("string", None, "string"),)), "column account__fee is not there", id="a column gone"
        ),
        pytest.param(
            days(schema=(change(None, None, "string"),)),
            "column account__fee is not there",
            id="an expected column that is missing",
        ),
        pytest.param(
            days(schema=(change(None, "string", None),)),
            "column account__fee is added, though neither definition nor log asks for it",
            id="a column that nobody asked for",
        ),
        pytest.param(
            days(schema=(change(None, "string", "int64"),)),
            "column account__fee is added as string, but int64 is expected",
            id="a column of another type than was asked for",
        ),
        pytest.param(
            days(schema=(change("int64", "int64", None),)),
            "column account__fee is not in the definition",
            id="a column that should be gone",
        ),
        pytest.param(
            days(schema=(change("string", "string", "int64"),)),
            "column account__fee is string, but int64 is expected",
            id="a type that was wrong yesterday too",
        ),
        pytest.param(
            days(schema=(change("int64", "double", None),)),
            "column account__fee was int64 and is double",
            id="another type",
        ),
        pytest.param(
            days(schema=(change("int64", "double", "int64"),)),
            "column account__fee was int64 and is double, but int64 is expected",
            id="another type than the due one",
        ),
        pytest.param(
            days(today={"rows": 0, "null_keys": 1, "duplicate_keys": 3}, schema=(change("int64", None, "int64"),)),
            "a null key in 1 row; a repeated key in 3 rows; column account__fee is not there; "
            "it is empty, yesterday it had 240 rows",
            id="every problem at once",
        ),
    ],
)
def test_an_unsound_table_blocks_with_its_problem(found: ContractFigures, actual: str) -> None:
    """In counts and column names, beside what was expected; no severity makes it a warning."""
    lenient = Strictness(entries=(rule_entry(severity="warn", unexplained=1.0, missed=1.0, keys_found=0.0),))

    for rules in (DEFAULT_STRICTNESS, lenient):
        result = SOUND_TABLE.judge(ACCOUNTS, found, rules)

        assert result.blocks
        assert result.sentence == actual
    assert result.expected == (
        "the schema that definition and log give, a key that is unique and never null, rows where yesterday had rows"
    )


def test_the_numbers_of_a_table_are_kept() -> None:
    """Dagit plots them over refreshes."""
    found = days(today={"null_keys": 2, "duplicate_keys": 3})

    assert SOUND_TABLE.judge(ACCOUNTS, found, DEFAULT_STRICTNESS).figures == {
        "rows": 250,
        "yesterday_rows": 240,
        "null_keys": 2,
        "duplicate_keys": 3,
        "shared_keys": 0,
    }


def test_keys_that_the_log_gives_to_several_entities_warn() -> None:
    """They are shown by their tokens, and block nothing."""
    found = SOUND_TABLE.judge(ACCOUNTS, days(today={"shared_keys": 2, "sharing": ("1f0c", "3ec5")}), DEFAULT_STRICTNESS)

    assert (found.passed, found.blocks) == (False, False)
    assert found.actual == (
        "the log gives one key to several entities: 2 rows beyond one per key, among them 1f0c, 3ec5",
    )


EMPTY = days(today={"rows": 0})
FEE_GONE = days(schema=(change("int64", None, "int64"),))


@pytest.mark.parametrize(
    ("found", "allowed", "excused"),
    [
        pytest.param(EMPTY, allowance("empty"), "it is empty, yesterday it had 240 rows", id="empty"),
        pytest.param(FEE_GONE, allowance("schema"), "column account__fee is not there", id="any column's schema"),
        pytest.param(
            FEE_GONE,
            allowance("schema", column="account__fee"),
            "column account__fee is not there",
            id="this column's schema",
        ),
    ],
)
def test_an_allowance_excuses_a_table_and_is_named(found: ContractFigures, allowed: Allowance, excused: str) -> None:
    """The rule passes, and tells what it let pass and who answers for it."""
    result = SOUND_TABLE.judge(ACCOUNTS, found, Strictness(allow=(allowed,)))

    assert result.passed
    assert [str(excuse) for excuse in result.excused] == [
        f"{excused} (allowed by team-cards until 2018-12-31: two states are written late)"
    ]
    assert [excuse.allowance for excuse in result.excused] == [allowed]


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        pytest.param(EMPTY, allowance("schema"), id="the schema, and it is empty"),
        pytest.param(EMPTY, allowance("empty", contract="contract-feed/cards"), id="another contract"),
        pytest.param(FEE_GONE, allowance("schema", column="account__amount"), id="another column"),
        pytest.param(FEE_GONE, allowance("unexplained"), id="another finding"),
        pytest.param(days(today={"null_keys": 2}), allowance("schema"), id="a key, which nothing excuses"),
    ],
)
def test_an_allowance_excuses_nothing_else(found: ContractFigures, allowed: Allowance) -> None:
    """The table still blocks, and nothing is told as excused."""
    result = SOUND_TABLE.judge(ACCOUNTS, found, Strictness(allow=(allowed,)))

    assert result.blocks
    assert result.excused == ()


def test_one_allowed_problem_leaves_the_others() -> None:
    """What blocks and what is excused are told apart."""
    found = days(schema=(change("int64", None, "int64"), change("int64", None, "int64", column="account__limit")))

    result = SOUND_TABLE.judge(ACCOUNTS, found, Strictness(allow=(allowance("schema", column="account__fee"),)))

    assert result.blocks
    assert result.sentence == "column account__limit is not there"
    assert [excuse.what for excuse in result.excused] == ["column account__fee is not there"]
