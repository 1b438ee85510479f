"""differences_explained: what it says of rows that are explained; faults are test_differences.py."""

from logcache_tests.domain.contract_samples import contract_figures, faulty, judge_fault
from logcache_tests.domain.samples import changed


def test_missed_rows_are_not_called_explained() -> None:
    """They are the other rule's, but a reader of this one is not deceived."""
    assert judge_fault("unexplained", faulty("missed", rows=2)).sentence == (
        "30 rows not as yesterday, all explained, but for 2 missed"
    )


def test_rows_are_counted_by_reason() -> None:
    """Under names that stay the same over refreshes; faults have names of their own."""
    assert judge_fault("unexplained", faulty("unexplained", rows=3)).figures == {
        "differing_rows": 30,
        "unexplained_rows": 3,
        "share_explained": 0.9,
        "rows/new-transaction": 27,
        "rows/referred-entity": 0,
        "rows/renamed-ident": 0,
        "rows/excised": 0,
        "rows/definition-changed": 0,
    }
    assert judge_fault("unexplained", changed(contract_figures(), prototypes={})).figures["share_explained"] == 1.0
