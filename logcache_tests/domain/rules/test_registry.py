"""The registry: which rules a contract must pass, that each is judged, and what is made of what they declare.

What each rule says is in the module of its name; what is made of the results is test_verdict_reasons.py.
"""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import logcache_assets.domain
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.figures import FAULTS, ContractFigures
from logcache_assets.domain.rules import (
    FINDINGS,
    MANDATORY_RULES,
    RULE_NAMES,
    RULES,
    judge_contract,
    required_rules,
    rule_named,
    rule_of_fault,
)
from logcache_assets.domain.rules.results import RuleName, judge_unusable
from logcache_assets.domain.rules.settings_file import FINDING_NAMES, SETTINGS, rule_entry
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Strictness
from logcache_assets.domain.same_t_selection import NO_SAME_T, SameTSelection
from logcache_tests.domain.contract_samples import ACCOUNTS, FEED, contract_figures, faulty
from logcache_tests.domain.samples import changed

TABLES = {table.dataset: table for table in contract_tables(FEED)}
WITH_SAME_T = (*MANDATORY_RULES, "same_t_same_table")
USUAL = contract_figures()
DOMAIN = Path(logcache_assets.domain.__path__[0])
MODULES = sorted(
    ".".join(("logcache_assets", "domain", *path.relative_to(DOMAIN).with_suffix("").parts))
    for path in DOMAIN.rglob("*.py")
    if path.name != "__init__.py"
)
IMPORT_EACH = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [loaded for loaded in sys.modules if loaded.startswith("logcache_assets")]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""


def test_five_rules_are_mandatory() -> None:
    """Of every contract, cheapest first."""
    assert MANDATORY_RULES == (
        "sound_table",
        "values_found_yesterday",
        "differences_explained",
        "nothing_missed",
        "rows_within_band",
    )


@pytest.mark.parametrize(
    ("same_t", "rules"),
    [
        pytest.param(SameTSelection(), WITH_SAME_T, id="everything, by default"),
        pytest.param(SameTSelection(contracts="contract-feed/acc*"), WITH_SAME_T, id="a pattern of it"),
        pytest.param(SameTSelection(contracts=ACCOUNTS, prototypes=("s1",)), WITH_SAME_T, id="one prototype of it"),
        pytest.param(SameTSelection(contracts="contract-other/*"), MANDATORY_RULES, id="other contracts"),
        pytest.param(SameTSelection(contracts="Contract-feed/*"), MANDATORY_RULES, id="another case"),
        pytest.param(SameTSelection(contracts=""), MANDATORY_RULES, id="no contract"),
        pytest.param(SameTSelection(prototypes=()), MANDATORY_RULES, id="no prototype"),
        pytest.param(SameTSelection(prototypes=("s9",)), MANDATORY_RULES, id="none of its prototypes"),
        pytest.param(NO_SAME_T, MANDATORY_RULES, id="nothing at all"),
    ],
)
def test_the_same_t_is_required_where_it_was_asked_for(same_t: SameTSelection, rules: tuple[RuleName, ...]) -> None:
    """Of a contract whose name and some of whose prototypes are selected."""
    assert required_rules(TABLES[ACCOUNTS], FEED, same_t) == rules


def test_without_a_log_nobody_asks_what_was_missed() -> None:
    """Only outside a refresh; everything else is asked."""
    rules = required_rules(TABLES[ACCOUNTS], FEED, NO_SAME_T, log_given=False)

    assert rules == tuple(rule for rule in MANDATORY_RULES if rule != "nothing_missed")


def test_only_selected_contracts_of_a_database_are_recomputed() -> None:
    """The pattern is of the dataset, not of the database."""
    history = "contract-feed/account-status-history"

    assert required_rules(TABLES[history], FEED, SameTSelection(contracts=ACCOUNTS)) == MANDATORY_RULES
    assert required_rules(TABLES[history], FEED, SameTSelection(contracts="*-history")) == WITH_SAME_T


@pytest.mark.parametrize(
    ("chosen", "prototypes"),
    [
        pytest.param(None, ("s0", "s1", "s2"), id="all"),
        pytest.param(("s2", "s0", "s9"), ("s0", "s2"), id="some, in the definition's order"),
        pytest.param((), (), id="none"),
    ],
)
def test_a_selection_takes_the_prototypes_that_a_database_has(
    chosen: tuple[str, ...] | None, prototypes: tuple[str, ...]
) -> None:
    """Without repeating its definition."""
    assert SameTSelection(prototypes=chosen).of(FEED) == prototypes


@pytest.mark.parametrize(
    "required",
    [
        pytest.param(MANDATORY_RULES, id="the mandatory ones"),
        pytest.param(WITH_SAME_T, id="with the same t"),
        pytest.param(("nothing_missed",), id="a single one"),
    ],
)
def test_every_required_rule_gives_one_result(required: tuple[RuleName, ...]) -> None:
    """In this order; the sound days pass them all."""
    judged = judge_contract(ACCOUNTS, contract_figures(), DEFAULT_STRICTNESS, required=required)
    unusable = judge_unusable("it is aborted in the test run", rules=required)

    assert tuple(result.rule for result in judged) == required
    assert all(result.passed for result in judged)
    assert tuple(result.rule for result in unusable) == required


def test_each_rule_is_judged_by_its_own_judge() -> None:
    """A fault of one kind fails one rule."""
    sound = contract_figures()
    failing: dict[RuleName, ContractFigures] = {
        "sound_table": changed(sound, today=changed(sound.today, null_keys=1)),
        "values_found_yesterday": changed(sound, yesterday=changed(sound.yesterday, rows=1000), explained=False),
        "differences_explained": faulty("unexplained", rows=1),
        "nothing_missed": faulty("missed", rows=1),
        "rows_within_band": changed(sound, today=changed(sound.today, rows=251)),
        "same_t_same_table": changed(sound, same_t=None),
    }

    strictness = Strictness(entries=(rule_entry(band_severity="block", band_rows=0),))

    blocked = {
        rule: [
            r.rule
            for r in judge_contract(ACCOUNTS, found, strictness, required=RULE_NAMES, history=[USUAL] * 3)
            if r.blocks
        ]
        for rule, found in failing.items()
    }

    # Too few values are a warning while a log explains them, and without a log nobody knows what was missed.
    assert blocked == {rule: [rule] for rule in RULE_NAMES} | {
        "values_found_yesterday": ["values_found_yesterday", "nothing_missed"]
    }


def test_a_contract_without_a_table_fails_every_rule() -> None:
    """For the one reason why there is none; absence is failure."""
    results = judge_unusable("it is aborted in the test run: out of memory", rules=MANDATORY_RULES)

    assert tuple(result.rule for result in results) == MANDATORY_RULES
    assert all(result.blocks for result in results)
    assert {(result.expected, result.sentence) for result in results} == {
        ("a committed table", "it is aborted in the test run: out of memory")
    }


def test_names_of_rules_settings_and_findings_are_given_once() -> None:
    """One key of the file has one meaning: rules that share a setting declare it in one class."""
    declared = {rule.settings for rule in RULES}
    settings = [field.name for kind in declared for field in msgspec.structs.fields(kind)]
    findings = [finding.name for finding in FINDINGS]

    assert len(set(RULE_NAMES)) == len(RULES)
    assert sorted(settings) == sorted(set(settings)) == sorted(SETTINGS)
    assert len(set(findings)) == len(findings)


def test_every_rule_is_found_by_its_name() -> None:
    """And an unknown name is no rule."""
    assert [rule_named(name) for name in RULE_NAMES] == list(RULES)
    with pytest.raises(KeyError):
        rule_named("all_is_well")


def test_every_fault_has_its_rule() -> None:
    """The report's likely cause looks at the rule that judges the fault."""
    assert {fault: rule_of_fault(fault).name for fault in FAULTS} == {
        "unexplained": "differences_explained",
        "missed": "nothing_missed",
    }


def test_every_rule_says_what_is_true_when_it_passes() -> None:
    """As sentences, for Dagit."""
    for rule in RULES:
        assert rule.sentence[0].isupper(), rule.name
        assert rule.sentence.endswith("."), rule.name


def test_every_module_of_the_domain_can_be_imported_first() -> None:
    """No import cycle: each module loads where nothing else of the package is loaded yet."""
    run = subprocess.run([sys.executable, "-c", IMPORT_EACH, *MODULES], capture_output=True, text=True, check=False)

    assert run.stderr == ""
    assert run.returncode == 0
    assert len(MODULES) > len(RULES)


def test_the_documents_name_every_rule_setting_and_finding() -> None:
    """A reader of docs/validation.md finds what can be written into the file."""
    text = (Path(__file__).parents[3] / "docs" / "validation.md").read_text(encoding="utf-8")

    words = set(re.findall(r"[a-z][a-z_-]+", text))

    assert {*RULE_NAMES, *SETTINGS, *FINDING_NAMES} - words == set()
