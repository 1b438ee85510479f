"""The file of rules: settings of contracts and columns, and allowances; mistakes are the other module."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.rules import RULES
from logcache_assets.domain.rules.differences import DifferenceSettings
from logcache_assets.domain.rules.rows_within_band import BandSettings
from logcache_assets.domain.rules.settings_file import find_unmatched, parse_strictness, rule_entry
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Allowance, RuleEntry, Strictness
from logcache_assets.domain.rules.values_found_yesterday import ValuesFoundSettings
from logcache_assets.errors import BadInput
from logcache_tests.domain.rules.samples import GOOD, TODAY, WHERE, rules_of

COLUMNS = {
    "contract-feed/accounts": ("account__id", "prototype", "account__status"),
    "contract-feed/cards": ("card__id", "prototype"),
    "contract-feed/transactions": ("transaction__id", "prototype", "transaction__fee"),
}

SHARES = st.floats(min_value=0, max_value=1)
ENTRIES = st.lists(
    st.builds(
        rule_entry,
        contract=st.sampled_from(["*", "contract-feed/*", "contract-feed/accounts", "contract-other/*"]),
        column=st.sampled_from([None, "*", "account__*", "card__id"]),
        severity=st.sampled_from(["block", "warn"]),
        missed=SHARES,
    )
)


def test_every_key_of_the_file_is_read() -> None:
    """Entries and allowances in order; a setting that is not given is not in the entry."""
    rules = rules_of(GOOD)

    assert rules == Strictness(
        entries=(
            rule_entry(contract="contract-feed/*", column="transaction__fee", severity="warn", tolerance=1e-9),
            rule_entry(
                contract="contract-feed/accounts", unexplained=0.01, missed=0.0, keys_found=0.9, values_equal=1.0
            ),
        ),
        allow=(
            Allowance(
                contract="contract-feed/accounts",
                column="account__status",
                finding="unexplained",
                owner="team-cards",
                reason="two states are written late",
                expires=date(2026, 12, 31),
            ),
            Allowance(
                contract="contract-feed/cards",
                finding="empty",
                owner="team-new",
                reason="not sold yet",
                expires=TODAY,
            ),
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# no rule yet\n", id="a comment alone"),
        pytest.param("---\n", id="an empty document"),
        pytest.param("{}\n", id="a mapping without keys"),
        pytest.param("rules: []\nallow: []\n", id="empty lists"),
        pytest.param("allow: []\n", id="one list alone"),
    ],
)
def test_a_file_without_rules_means_the_defaults(text: str) -> None:
    """So that a team can start with an empty file."""
    assert rules_of(text) == DEFAULT_STRICTNESS


def test_the_defaults_forgive_nothing() -> None:
    """The numbers that the documentation promises."""
    settings = DEFAULT_STRICTNESS.settings_of(DifferenceSettings, "contract-feed/accounts", "account__status")
    shares = DEFAULT_STRICTNESS.settings_of(ValuesFoundSettings, "contract-feed/accounts")
    band = DEFAULT_STRICTNESS.settings_of(BandSettings, "contract-feed/accounts")

    assert (settings.severity, settings.tolerance, settings.unexplained, settings.missed) == ("block", 0, 0, 0)
    assert (shares.keys_found, shares.values_equal) == (0.95, 0.5)
    assert (band.band_severity, band.band_factor, band.band_rows) == ("warn", 3, 100)


@given(contract=st.text(), column=st.none() | st.text())
def test_without_entries_the_defaults_hold_everywhere(contract: str, column: str | None) -> None:
    """Whatever contract or column is asked for."""
    for rule in RULES:
        assert DEFAULT_STRICTNESS.settings_of(rule.settings, contract, column) == rule.settings()


@given(entries=ENTRIES, severity=st.sampled_from(["block", "warn"]), missed=SHARES)
def test_an_entry_for_everything_at_the_end_wins(entries: list[RuleEntry], severity: str, missed: float) -> None:
    """And the same entry at the beginning changes only what no later one gives."""
    everywhere = rules_of(f"rules: [{{severity: {severity}, missed: {missed:.20f}}}]").entries[0]
    contract, column = "contract-feed/accounts", "account__status"

    last = Strictness(entries=(*entries, everywhere)).settings_of(DifferenceSettings, contract, column)
    first = Strictness(entries=(everywhere, *entries)).settings_of(DifferenceSettings, contract, column)

    concerning = [entry for entry in entries if entry.concerns(contract, column)]
    assert {"severity": last.severity, "missed": last.missed} == everywhere.given
    wins = concerning[-1] if concerning else everywhere
    assert {"severity": first.severity, "missed": first.missed} == wins.given


@pytest.mark.parametrize(
    ("entry", "contract", "column", "concerned"),
    [
        pytest.param("", "contract-feed/accounts", None, True, id="no pattern and a contract"),
        pytest.param("", "contract-feed/accounts", "account__id", True, id="no pattern and a column"),
        pytest.param("contract: contract-feed/*", "contract-feed/accounts", None, True, id="a pattern that matches"),
        pytest.param("contract: contract-feed/*", "contract-feeds/accounts", None, False, id="another database"),
        pytest.param("contract: contract-feed", "contract-feed/accounts", None, False, id="a part of a name"),
        pytest.param("contract: Contract-Feed/*", "contract-feed/accounts", None, False, id="another case"),
        pytest.param("contract: contract-feed/*", "contract-feed/accounts", "account__id", True, id="its columns"),
        pytest.param("column: account__id", "contract-feed/accounts", "account__id", True, id="the column"),
        pytest.param("column: account__*", "contract-feed/accounts", "account__id", True, id="a pattern of columns"),
        pytest.param("column: account__id", "contract-feed/accounts", "account__status", False, id="another column"),
        pytest.param("column: Account__*", "contract-feed/accounts", "account__id", False, id="a column's case"),
        pytest.param("column: '*'", "contract-feed/accounts", None, False, id="a column entry and the contract"),
        pytest.param(
            "contract: contract-feed/cards, column: account__id",
            "contract-feed/accounts", "account__id", False, id="the column in another contract",
        ),
    ],
)  # fmt: skip
def test_an_entry_concerns_what_its_patterns_match(
    entry: str, contract: str, column: str | None, *, concerned: bool
) -> None:
    """A contract's entry its columns too, a column's entry never the contract."""
    rules = rules_of(f"rules:\n  - {{severity: warn, {entry}}}\n")

    settings = rules.settings_of(DifferenceSettings, contract, column)

    assert settings == DifferenceSettings(severity="warn" if concerned else "block")


def test_a_later_entry_changes_only_what_it_gives() -> None:
    """Key by key: the tolerance of the first entry survives the second, which is about other things."""
    rules = rules_of(
        "rules:\n"
        "  - {severity: warn, tolerance: 0.5, keys_found: 0.1}\n"
        "  - {contract: contract-feed/*, severity: block, missed: 0.25}\n"
        "  - {contract: contract-feed/*, column: fee, tolerance: 0}\n"
    )

    found = {
        place: rules.settings_of(DifferenceSettings, *place)
        for place in (("contract-x/a", "fee"), ("contract-feed/a",), ("contract-feed/a", "fee"))
    }
    assert found == {
        ("contract-x/a", "fee"): DifferenceSettings(severity="warn", tolerance=0.5),
        ("contract-feed/a",): DifferenceSettings(tolerance=0.5, missed=0.25),
        ("contract-feed/a", "fee"): DifferenceSettings(tolerance=0, missed=0.25),
    }
    for place in found:
        assert rules.settings_of(ValuesFoundSettings, *place).keys_found == 0.1


def test_a_contracts_entry_wins_over_an_earlier_one_of_its_column() -> None:
    """The order of the file alone decides, not which entry is the narrower."""
    rules = rules_of("rules:\n  - {column: fee, severity: warn}\n  - {contract: contract-feed/*, severity: block}\n")

    assert rules.settings_of(DifferenceSettings, "contract-feed/a", "fee").severity == "block"
    assert rules.settings_of(DifferenceSettings, "contract-x/a", "fee").severity == "warn"


@pytest.mark.parametrize(
    ("column", "asked", "covered"),
    [
        pytest.param(None, ("contract-feed/a", "missed", None), True, id="the contract"),
        pytest.param(None, ("contract-feed/a", "missed", "fee"), True, id="a column of the contract"),
        pytest.param(None, ("contract-feed/ab", "missed", None), False, id="another contract"),
        pytest.param(None, ("contract-feed/a", "unexplained", None), False, id="another finding"),
        pytest.param("fee", ("contract-feed/a", "missed", "fee"), True, id="the column"),
        pytest.param("fee", ("contract-feed/a", "missed", "fees"), False, id="another column"),
        pytest.param("fee", ("contract-feed/a", "missed", None), False, id="the contract of the column"),
        pytest.param("fee", ("contract-feed/b", "missed", "fee"), False, id="the column of another contract"),
        pytest.param("fee", ("contract-feed/a", "schema", "fee"), False, id="another finding of the column"),
    ],
)
def test_an_allowance_covers_exactly_what_it_names(
    column: str | None, asked: tuple[str, str, str | None], *, covered: bool
) -> None:
    """One finding of one contract, in all columns or in one."""
    allowance = Allowance(
        contract="contract-feed/a", column=column, finding="missed", owner="team", reason="known", expires=TODAY
    )
    contract, finding, asked_column = asked

    assert allowance.covers(contract=contract, finding=finding, column=asked_column) is covered


def test_a_contract_has_its_own_allowances() -> None:
    """Those of the contract and of its columns, by the exact name."""
    rules = rules_of(GOOD)

    assert rules.allowance_of("contract-feed/accounts", "unexplained", "account__status") == rules.allow[0]
    assert rules.allowance_of("contract-feed/cards", "empty") == rules.allow[1]
    assert rules.allowance_of("contract-feed/account", "unexplained", "account__status") is None
    assert rules.allowance_of("contract-feed/card", "empty") is None


def test_an_allowance_holds_up_to_its_last_day() -> None:
    """On the day it expires it still holds; the day after, its owner must be asked."""
    last = parse_strictness(GOOD, where=WHERE, today=date(2026, 6, 1))

    assert len(last.allow) == 2
    with pytest.raises(BadInput) as refusal:
        parse_strictness(GOOD, where=WHERE, today=date(2026, 6, 2))
    for part in ("line 18", "contract-feed/cards", "'empty'", "team-new", "2026-06-01", "renew it", "remove it"):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("contract: contract-feed/accounts, finding: unexplained", id="the whole contract"),
        pytest.param("contract: contract-feed/accounts, column: account__id, finding: unexplained", id="a column"),
        pytest.param("contract: contract-feed/accounts, column: account__status, finding: missed", id="a finding"),
        pytest.param("contract: contract-feed/cards, column: account__status, finding: unexplained", id="a contract"),
    ],
)
def test_allowances_may_stand_side_by_side(other: str) -> None:
    """Only contract, column and finding together make them the same."""
    rules = rules_of(GOOD.replace("contract: contract-feed/cards, finding: empty", other))

    assert len(rules.allow) == 2


def test_rules_that_match_are_no_finding() -> None:
    """Neither patterns nor exact names, as long as something has that name."""
    assert list(find_unmatched(rules_of(GOOD), COLUMNS)) == []
    assert list(find_unmatched(DEFAULT_STRICTNESS, {})) == []


@pytest.mark.parametrize(
    ("found", "spoilt", "parts"),
    [
        pytest.param(
            '"contract-feed/*"', '"contract-fed/*"', ("rules[0]", "no contract", "contract-fed/*"), id="a pattern"
        ),
        pytest.param(
            "contract-feed/accounts\n    unexplained", "contract-feed/Accounts\n    unexplained",
            ("rules[1]", "no contract", "contract-feed/Accounts"), id="a name in another case",
        ),
        pytest.param(
            "transaction__fee", "transaction__fees", ("rules[0]", "no column", "transaction__fees"), id="a column"
        ),
        pytest.param(
            '"contract-feed/*"', "contract-feed/cards", ("rules[0]", "no column", "transaction__fee"),
            id="a column of another contract",
        ),
        pytest.param(
            "contract-feed/cards", "contract-feed/card", ("allow[1]", "no contract", "contract-feed/card'"),
            id="an allowance of no contract",
        ),
        pytest.param(
            "account__status", "account__*", ("allow[0]", "no column", "account__*"),
            id="a pattern where an allowance names a column",
        ),
    ],
)  # fmt: skip
def test_a_misspelt_rule_is_found(found: str, spoilt: str, parts: tuple[str, ...]) -> None:
    """It would silently do nothing; one sentence says which one, and what to do."""
    assert GOOD.count(found) == 1

    sentences = list(find_unmatched(rules_of(GOOD.replace(found, spoilt)), COLUMNS))

    assert len(sentences) == 1
    assert all(part in sentences[0] for part in (*parts, "correct the name or remove it"))
