"""Mistakes in a file that analysts edit by hand, here the file of rules: each with its line and what to do."""

import re

import pytest

from logcache_tests.domain.rules.samples import GOOD, WHERE, refusal_of


@pytest.mark.parametrize(
    ("found", "spoilt", "line", "reason"),
    [
        pytest.param("severity: warn", "severty: warn", 4, "unknown field `severty`", id="an unknown key of a rule"),
        pytest.param("owner: team-cards", "by: team-cards", 15, "unknown field `by`", id="one of an allowance"),
        pytest.param("allow:\n", "allowed:\n", 11, "unknown field `allowed`", id="one at the top"),
        pytest.param("severity: warn", "severity: ignore", 4, "'ignore'", id="an unknown severity"),
        pytest.param("severity: warn", "severity: on", 4, "got `bool`", id="a word that YAML takes for a boolean"),
        pytest.param("severity: warn", "severity:", 4, "got `null`", id="a setting without a value"),
        pytest.param("column: transaction__fee", "column:", 3, "column has no value", id="a rule's empty column"),
        pytest.param("column: account__status", "column: ~", 13, "column has no value", id="an allowance's"),
        pytest.param("tolerance: 1.0e-9", "tolerance: 1e-9", 5, "write 1.0e-9", id="a number without a point"),
        pytest.param("tolerance: 1.0e-9", "tolerance: 1.5e9", 5, "write 1500000000.0", id="an unsigned exponent"),
        pytest.param("tolerance: 1.0e-9", "tolerance: 2.5e20", 5, "write 2.5e+20", id="a large one"),
        pytest.param("tolerance: 1.0e-9", "tolerance: '1'", 5, "write 1.0", id="a number in quotes"),
        pytest.param("tolerance: 1.0e-9", "tolerance: 1e999", 5, "correct the rules", id="a text beyond any number"),
        pytest.param("tolerance: 1.0e-9", "tolerance: little", 5, "correct the rules", id="a word for a number"),
        pytest.param("tolerance: 1.0e-9", "tolerance: true", 5, "got `bool`", id="a boolean for a number"),
        pytest.param("missed: 0", "missed: false", 8, "got `bool`", id="a boolean for a share"),
        pytest.param("tolerance: 1.0e-9", "tolerance: -1", 5, "tolerance; correct", id="a negative tolerance"),
        pytest.param("tolerance: 1.0e-9", "tolerance: .nan", 5, ">= 0", id="a tolerance that is no number"),
        pytest.param("tolerance: 1.0e-9", "tolerance: .inf", 5, "infinite", id="an infinite tolerance"),
        pytest.param("tolerance: 1.0e-9", "tolerance: 1.0e+999", 5, "infinite", id="one too large to be finite"),
        pytest.param("unexplained: 0.01", "unexplained: 1.01", 7, "<= 1", id="a share above one"),
        pytest.param("unexplained: 0.01", "unexplained: .nan", 7, "`float`", id="a share that is no number"),
        pytest.param("missed: 0", "missed: -0.1", 8, ">= 0", id="a negative share"),
        pytest.param("missed: 0", "missed: .inf", 8, "<= 1", id="an infinite share"),
        pytest.param("keys_found: 0.9", "keys_found: 95", 9, "<= 1", id="a percentage of keys"),
        pytest.param("values_equal: 1", "values_equal: 2", 10, "<= 1", id="more values than all"),
        pytest.param("tolerance: 1.0e-9", "keys_found: 0.9", 5, "about a whole contract", id="the keys of a column"),
        pytest.param("tolerance: 1.0e-9", "values_equal: 0.5", 5, "about a whole contract", id="its values"),
        pytest.param("    missed: 0\n", "    unexplained: 0.01\n", 8, "'unexplained' is given twice", id="a key twice"),
        pytest.param("rules:\n", "allow: []\nrules:\n", 12, "'allow' is given twice", id="a list twice"),
        pytest.param("contract-feed/accounts\n    col", "contract-feed/*\n    col", 12, "is a pattern", id="a star"),
        pytest.param("contract-feed/cards", "'contract-feed/card?'", 18, "is a pattern", id="a question mark"),
        pytest.param("contract-feed/cards", '"contract-feed/card[s]"', 18, "is a pattern", id="a bracket"),
        pytest.param("finding: unexplained", "finding: different", 14, "'different'", id="an unknown finding"),
        pytest.param("finding: unexplained", "finding: empty", 13, "never of a column", id="an empty column"),
        pytest.param("finding: unexplained", "finding: same-t", 13, "never of a column", id="the same t of a column"),
        pytest.param("    owner: team-cards\n", "", 12, "required field `owner`", id="no owner"),
        pytest.param("owner: team-cards", "owner: ' '", 15, "has no owner", id="a blank owner"),
        pytest.param("owner: team-cards", "owner:", 15, "got `null`", id="an owner that is not written"),
        pytest.param('reason: "two states are written late"', 'reason: ""', 16, "has no reason", id="an empty reason"),
        pytest.param("    expires: 2026-12-31\n", "", 12, "required field `expires`", id="no end"),
        pytest.param("expires: 2026-12-31", "expires: never", 17, "date", id="a word for a date"),
        pytest.param("expires: 2026-12-31", "expires: 2026-02-30", 17, "'2026-02-30'", id="a day that is not"),
        pytest.param("expires: 2026-12-31", "expires: 2026-12-31 12:00:00", 17, "got `datetime`", id="an hour"),
        pytest.param("expires: 2026-12-31", "expires: 2026-05-31", 17, "expired on 2026-05-31", id="an expired one"),
        pytest.param(
            "contract: contract-feed/cards, finding: empty",
            "contract: contract-feed/accounts, column: account__status, finding: unexplained",
            18, "allowed twice", id="a finding allowed twice",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_line(found: str, spoilt: str, line: int, reason: str) -> None:
    """Analysts edit this file by hand: file, line and what to do."""
    assert GOOD.count(found) == 1

    refusal = refusal_of(GOOD.replace(found, spoilt))

    assert refusal.startswith(f"{WHERE}, line {line}: ")
    assert reason in refusal
    assert re.search("; (correct|keep|write|give|name|remove|renew|YAML reads .*, write)", refusal)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("- severity: warn\n", 1, id="a list at the top"),
        pytest.param("[]\n", 1, id="an empty list at the top"),
        pytest.param("warn\n", 1, id="a word"),
        pytest.param("\nrules: {severity: warn}\n", 2, id="one rule without a list"),
        pytest.param("\nrules:\n  - warn\n", 3, id="a word for a rule"),
        pytest.param("allow: []\nrules:\n", 2, id="a list that is not written"),
        pytest.param("rules: [\n", 2, id="no YAML"),
        pytest.param("rules:\n  - contract: a\0b\n", 2, id="a character that YAML forbids"),
        pytest.param("rules: []\n---\nrules: []\n", 2, id="two documents"),
        pytest.param("rules: &all [*all]\n", 1, id="a list that holds itself"),
        pytest.param("rules:\n  - {severity: !!timestamp soon}\n", 2, id="a date that is none"),
    ],
)
def test_what_is_no_file_of_rules_is_refused(text: str, line: int) -> None:
    """As a sentence with file and line."""
    refusal = refusal_of(text)

    assert refusal.startswith(f"{WHERE}, line {line}: ")
    assert re.search("; correct the (file|rules)$", refusal)
