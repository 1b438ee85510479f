"""The gate lets nothing pass without a verdict over exactly this candidate, at a moment when nobody reads."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from logcache_assets.domain.documents import Binding, Verdict
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.verdict import find_gate_problems
from logcache_tests.domain.contract_samples import objection
from logcache_tests.domain.samples import BASE_SHA, BINDING, NOW, SHA, TEST_RUN, candidate, changed, verdict

WINDOW = PublishWindow(start_hour=13, end_hour=23)
OTHER_SHA = "deadbeef" + "0" * 32


def bound_to(**fields: str) -> Verdict:
    """The approval, bound to something else in some fields."""
    binding: Binding = changed(BINDING, **fields)
    return changed(verdict(), binding=binding)


def gate(
    decided: Verdict | None = None,
    *,
    test_transaction: str = TEST_RUN,
    branch_sha: str | None = SHA,
    branch_map_sha256: str | None = "02" * 32,
    base_sha: str | None = BASE_SHA,
    running: tuple[str, ...] = (),
    hours_later: int = 0,
) -> list[str]:
    """The gate's problems when everything else is as it was validated."""
    return list(
        find_gate_problems(
            candidate(),
            decided or verdict(),
            test_transaction=test_transaction,
            branch_sha=branch_sha,
            branch_map_sha256=branch_map_sha256,
            base_sha=base_sha,
            running_contracts=running,
            now=NOW + timedelta(hours=hours_later),
            window=WINDOW,
        )
    )


def test_the_gate_opens_when_everything_is_as_validated() -> None:
    """No problem, no more and no less."""
    assert gate() == []


REFUSED = changed(verdict(), approved=False, reasons=(objection("all gone"),))


@pytest.mark.parametrize(
    ("problems_of", "parts"),
    [
        pytest.param(lambda: gate(decided=REFUSED), ("not approved", "all gone"), id="a refused verdict"),
        pytest.param(
            lambda: gate(decided=bound_to(candidate_sha=OTHER_SHA)),
            ("the verdict is of commit deadbeef, not of the candidate 33a485bc and its test run (C29)",),
            id="a verdict of another commit",
        ),
        pytest.param(
            lambda: gate(decided=bound_to(map_sha256="03" * 32)),
            ("the verdict is of", "(C29)"),
            id="of another map",
        ),
        pytest.param(
            lambda: gate(decided=bound_to(yesterday_transaction="x")),
            ("the verdict is of", "(C29)"),
            id="of another night",
        ),
        pytest.param(
            lambda: gate(decided=bound_to(test_transaction="x")),
            ("the verdict is of", "and its test run (C29)"),
            id="of another test run",
        ),
        pytest.param(
            lambda: gate(test_transaction="x"),
            ("the verdict is of", "and its test run (C29)"),
            id="of a test run that was repeated since",
        ),
        pytest.param(
            lambda: gate(decided=changed(verdict(), binding=None)),
            ("the verdict is of no candidate", "(C29)"),
            id="of no candidate",
        ),
        pytest.param(
            lambda: gate(branch_sha=OTHER_SHA), ("is no longer the validated commit", "(C29)"), id="the branch moved"
        ),
        pytest.param(lambda: gate(branch_sha=None), ("is no longer the validated commit",), id="the branch is gone"),
        pytest.param(
            lambda: gate(branch_map_sha256="03" * 32), ("is no longer the validated commit",), id="another map on it"
        ),
        pytest.param(lambda: gate(branch_map_sha256=None), ("is no longer the validated commit",), id="no map on it"),
        pytest.param(
            lambda: gate(base_sha=OTHER_SHA),
            ("the base branch moved from 7f00aa11 to deadbeef", "(C26)", "refresh again"),
            id="the base moved",
        ),
        pytest.param(lambda: gate(base_sha=None), ("from 7f00aa11 to nothing", "(C26)"), id="the base is gone"),
        pytest.param(
            lambda: gate(hours_later=10),
            ("it is 00:00 UTC, outside the publish window 13:00-23:00 UTC", "(C11)"),
            id="outside the window",
        ),
        pytest.param(
            lambda: gate(running=("contract-feed/accounts of DAILY transaction t-1", "x")),
            ("2 contracts still being computed, first contract-feed/accounts of DAILY", "(C11)"),
            id="contracts being computed",
        ),
    ],
)
def test_the_gate_refuses_for_exactly_one_reason(problems_of: Callable[[], list[str]], parts: tuple[str, ...]) -> None:
    """Each thing that differs from what was validated is one problem, which names it."""
    (problem,) = problems_of()

    assert all(part in problem for part in parts)


def test_the_gate_tells_every_reason() -> None:
    """A person sees all of them at once."""
    assert len(gate(decided=REFUSED, base_sha=None, branch_sha=None, running=("x",), hours_later=10)) == 5
