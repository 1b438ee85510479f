"""nothing_missed: what it counts, and when it is required; faults are test_differences.py."""

from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.rules.nothing_missed import NOTHING_MISSED
from logcache_assets.domain.rules.rule import Subject
from logcache_assets.domain.same_t_selection import NO_SAME_T
from logcache_tests.domain.contract_samples import FEED, contract_figures, faulty, judge_fault
from logcache_tests.domain.samples import changed


def test_missed_rows_are_counted() -> None:
    """Under a name that stays the same over refreshes."""
    assert judge_fault("missed", faulty("missed", rows=3)).figures == {"missed_rows": 3}


def test_it_is_required_where_a_log_is_given() -> None:
    """Without one, nothing tells what today's table must show."""
    table = contract_tables(FEED)[0]

    required = [
        NOTHING_MISSED.is_required(Subject(table=table, definition=FEED, same_t=NO_SAME_T, log_given=given))
        for given in (True, False)
    ]

    assert required == [True, False]


def test_without_a_log_it_blocks() -> None:
    """If it is asked all the same, it could not be judged (C29)."""
    result = judge_fault("missed", changed(contract_figures(), explained=False))

    assert result.blocks
    assert result.sentence == "no log was given, so nothing tells what today's table must show (C29)"
