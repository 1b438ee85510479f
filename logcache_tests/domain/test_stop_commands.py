"""The command that ends a run: its words, and what may stand in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.stop_commands import KnownRun, parse_stop_command

TRANSACTION = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
RUN = KnownRun(
    aurora_stack="cantareira-dev",
    run_name="midea",
    version="33a485bc",
    transaction=TRANSACTION,
    task_ids=("jobs-staging-scale-0-13cabf01", "jobs-staging-itaipu-0-1"),
)
UNNAMED = KnownRun(aurora_stack="cantareira-dev", run_name="midea", version="33a485bc")


@pytest.mark.parametrize(
    ("template", "commands"),
    [
        pytest.param(
            "sabesp --aurora-stack={aurora_stack} jobs stop staging {run_name}",
            (("sabesp", "--aurora-stack=cantareira-dev", "jobs", "stop", "staging", "midea"),),
            id="by its name",
        ),
        pytest.param(
            "'/opt/my tools/stop' {version} '{transaction} of {run_name}'",
            (("/opt/my tools/stop", "33a485bc", f"{TRANSACTION} of midea"),),
            id="quoted words",
        ),
        pytest.param(
            "aurora job killall {run_name} {task_id}",
            (
                ("aurora", "job", "killall", "midea", "jobs-staging-scale-0-13cabf01"),
                ("aurora", "job", "killall", "midea", "jobs-staging-itaipu-0-1"),
            ),
            id="for each task",
        ),
        pytest.param("stop '{{}}' all", (("stop", "{}", "all"),), id="braces"),
        pytest.param("stop ; rm -rf $HOME", (("stop", ";", "rm", "-rf", "$HOME"),), id="nothing is for a shell"),
    ],
)
def test_a_template_is_filled_word_by_word(template: str, commands: tuple[tuple[str, ...], ...]) -> None:
    """Each word stays one."""
    assert parse_stop_command(template).fill(RUN) == commands


@pytest.mark.parametrize(
    "template", ["stop {transaction}", "stop {run_name} {task_id}", "stop {task_id} {transaction}"]
)
def test_what_is_not_known_makes_no_command(template: str) -> None:
    """Half of a command could end something else."""
    assert parse_stop_command(template).fill(UNNAMED) == ()


def test_an_id_that_would_be_an_option_is_passed_over() -> None:
    """Ids are read off an output."""
    run = KnownRun(aurora_stack="s", run_name="n", version="v", task_ids=("--all", "a b", "", "i-0", "i-0"))

    assert parse_stop_command("stop {run_name} {task_id}").fill(run) == (("stop", "n", "i-0"),)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("stop 'midea", "cannot be cut into words"),
        ("stop {name}", r"it has {name}, and known are {aurora_stack}, {run_name}"),
        ("stop {}", "it has {}"),
        ("stop {0}", "it has {0}"),
        ("stop {run_name.__class__}", "it has {run_name.__class__}"),
        ("stop {run_name!r}", "it has {run_name!r}"),
        ("stop {run_name:>9}", "it has {run_name:>9}"),
        ("stop {", "has a brace alone"),
        ("stop }", "has a brace alone"),
        ("stop {task_id}", "{task_id} alone ends only tasks that have ended already; add {run_name} or {transaction}"),
        ("stop {aurora_stack} {version} {task_id}", "{task_id} alone"),
        ("{run_name} stop", "its program must not depend on the run"),
    ],
)
def test_a_wrong_template_is_refused(template: str, reason: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the clause is compared below
        parse_stop_command(template)

    assert reason in str(refused.value)


@given(name=st.text(min_size=1), task=st.text())
def test_no_value_adds_a_word(name: str, task: str) -> None:
    """Whatever a run is called, and whatever its output says."""
    template = parse_stop_command("stop {run_name} x{task_id}")
    run = KnownRun(aurora_stack="s", run_name=name, version="v", task_ids=(task,))

    for command in template.fill(run):
        assert command == ("stop", name, f"x{task}")
