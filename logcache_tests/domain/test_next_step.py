"""What to do next about a refresh: every ending of an attempt, asked by the sensor and by a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace as with_fields

from logcache_assets.domain.attempts import Attempt, End, count_failures, find_changes
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.next_step import (
    MOST_FAILURES,
    SHOWN,
    Continue,
    GiveUp,
    NextStep,
    PublishOnly,
    Situation,
    Start,
    WaitUntil,
    plan_next_step,
)
from logcache_assets.domain.publish_window import PublishWindow
from logcache_tests.domain.samples import BASE_SHA, NIGHT, NOW, SHA

WHAT = f"feed from transaction {NIGHT}"
PUBLICATION = Publication(
    candidate_sha=SHA,
    base_sha=BASE_SHA,
    branch="log-cache/2018-05-24-1c7be4a9",
    number=7,
    url="file:///pull_requests/7",
    verdict_sha256="aa" * 32,
)
FACTS = Situation(
    night=NIGHT,
    databases=("feed",),
    base_sha=BASE_SHA,
    is_active=False,
    proposed=None,
    attempts=(),
    changed=(),
    base_news=(),
    is_active_besides=False,
    due=None,
    next_stage="permanent_log",
    is_prepared=False,
    is_going_on=False,
    by_person=False,
    again=False,
    now=NOW,
    window=PublishWindow(start_hour=13, end_hour=23),
)
"""14:00 UTC, inside the window; nothing was tried yet."""
ATTEMPT = Attempt(
    transaction=NIGHT,
    selection="all",
    number=1,
    started_at=NOW - timedelta(hours=1),
    base_sha=BASE_SHA,
    read_t={"feed-s0": 4836},
    inputs={},
)


def ended(
    end: End | None, *, minutes_ago: float = 0, stage: str = "permanent_log", times: int = 1
) -> tuple[Attempt, ...]:
    """So many attempts that ended alike, the last one some minutes ago; killed ones have no end and no reason."""
    at = NOW - timedelta(minutes=minutes_ago) if end else None
    said = {"stage": stage, "reason": "metapod is away"} if end else {"stage": "", "reason": ""}
    alike = with_fields(ATTEMPT, end=end, ended_at=at, **said)
    return tuple(with_fields(alike, number=number) for number in range(1, times + 1))


def after(attempts: tuple[Attempt, ...], **fields: object) -> NextStep:
    """The next step after these attempts."""
    return plan_next_step(replace(FACTS, attempts=attempts, **fields))  # type: ignore[arg-type]


def test_a_night_that_was_never_tried_is_due() -> None:
    """The sentence names the databases and the night."""
    assert plan_next_step(FACTS) == Start(sentence=f"a refresh of {WHAT} is due")


def test_a_failed_standing_check_is_a_reason_more() -> None:
    """The sentence repeats what it says."""
    due = "the published cache fails fresh_enough of feed: feed-s0: its cache was read 8 days ago"

    step = plan_next_step(replace(FACTS, due=due))

    assert step == Start(sentence=f"a refresh of {WHAT} is due, all the more as {due}")


@pytest.mark.parametrize(
    ("fields", "sentence", "is_well"),
    [
        pytest.param({"is_going_on": True}, "another refresh is going on; wait for its end", False, id="going on"),
        pytest.param(
            {"is_active": True},
            f"the active map already points to transaction {NIGHT}, the newest good nightly run",
            True,
            id="active",
        ),
        pytest.param(
            {"is_active": True, "due": "the published cache fails files_intact of feed: a file is gone (C13)"},
            f"the active map already points to transaction {NIGHT}, the newest good nightly run; the next good one is "
            "waited for, as the published cache fails files_intact of feed: a file is gone (C13)",
            True,
            id="active and damaged",
        ),
        pytest.param(
            {"proposed": PUBLICATION},
            f"transaction {NIGHT}, the newest good nightly run, is already proposed in pull request #7 "
            "(file:///pull_requests/7)",
            True,
            id="proposed",
        ),
    ],
)
@pytest.mark.parametrize("by_person", [False, True], ids=["sensor", "person"])
def test_nobody_repeats_what_is_done_or_being_done(
    fields: dict[str, object], sentence: str, *, is_well: bool, by_person: bool
) -> None:
    """Whoever asks. Nobody is told of a wait when all is well."""
    step = plan_next_step(replace(FACTS, **fields, by_person=by_person))  # type: ignore[arg-type]

    assert step == WaitUntil(sentence=sentence, is_well=is_well)


def test_a_proposal_on_an_older_base_is_due_again() -> None:
    """Somebody merged an entry meanwhile: the candidate must be built on today's map."""
    news = ("the entry of cards-s0",)
    step = after(ended(End.PUBLISHED), proposed=PUBLICATION, base_sha=SHA, base_news=news)

    assert step == Start(
        sentence=f"a refresh of {WHAT} is due: since pull request #7 the base branch has moved in the entry of cards-s0"
    )


def test_a_proposal_stays_when_the_base_moved_beside_it() -> None:
    """A push to it would dismiss its reviews, and git merges the rest."""
    assert isinstance(after(ended(End.PUBLISHED), proposed=PUBLICATION, base_sha=SHA), WaitUntil)


LEFT_OUT = tuple(
    with_fields(attempt, left_out={"cards": "cards-s0: the segment index has a gap"})
    for attempt in ended(End.PUBLISHED)
)


@pytest.mark.parametrize(
    ("facts", "begins"),
    [
        pytest.param({"proposed": PUBLICATION}, f"transaction {NIGHT}, the newest good nightly run, is", id="proposed"),
        pytest.param({"is_active_besides": True}, f"the active map already points to transaction {NIGHT}", id="merged"),
    ],
)
def test_a_database_that_was_left_out_waits_for_what_it_reads(facts: dict[str, object], begins: str) -> None:
    """The sentence says what it waits for; when that has changed, a refresh is due."""
    waiting, due = after(LEFT_OUT, **facts), after(LEFT_OUT, **facts, changed=("the log of cards-s0",))

    assert isinstance(waiting, WaitUntil)
    assert waiting.sentence.startswith(begins)
    assert waiting.is_well
    assert "without cards, whose active caches stay: cards-s0: the segment index has a gap" in waiting.sentence
    assert due == Start(
        sentence=f"a refresh of cards from transaction {NIGHT} is due: changed since attempt 1, which left it out, is "
        "the log of cards-s0"
    )


def test_a_refresh_whose_base_moved_starts_on_the_new_one() -> None:
    """The gate refused it for that alone."""
    assert isinstance(after(ended(End.OUTDATED)), Start)


def test_a_closed_pull_request_is_not_opened_again_by_the_sensor() -> None:
    """A person closed it, or reverted its merge; a person may say so again."""
    step = after(ended(End.PUBLISHED))

    assert isinstance(step, WaitUntil)
    assert step.sentence == (
        f"the pull request of {WHAT} is not open any more, and it is not active; to refresh it all the same: "
        "logcache refresh"
    )
    assert isinstance(after(ended(End.PUBLISHED), by_person=True), Start)


def test_a_refused_refresh_waits_until_what_was_refused_has_changed() -> None:
    """Not an hour later, not a month later; a change starts it, and so does a person."""
    refused = ended(End.REFUSED)

    assert after(refused, now=NOW + timedelta(days=30)) == WaitUntil(
        sentence="attempt 1 was refused, and what it read has not changed: metapod is away; to refresh it all the "
        "same: logcache refresh"
    )
    assert after(refused, changed=("the log of feed-s0",)) == Start(
        sentence=f"a refresh of {WHAT} is due: changed since attempt 1 is the log of feed-s0"
    )
    assert isinstance(after(refused, by_person=True), Start)


@pytest.mark.parametrize("end", [End.UNANSWERED, End.FAILED])
@pytest.mark.parametrize(("times", "pause"), [(1, 10), (2, 20), (3, 40), (4, 60)])
def test_what_may_succeed_later_is_tried_again_after_growing_pauses(*, end: End, times: int, pause: int) -> None:
    """Ten minutes, then twice as long each time, an hour at most."""
    early = after(ended(end, minutes_ago=pause - 1, times=times))
    due = after(ended(end, minutes_ago=pause, times=times))

    assert isinstance(early, WaitUntil)
    assert early.until == NOW + timedelta(minutes=1)
    assert isinstance(due, Continue)
    assert due.stage == "permanent_log"


@pytest.mark.parametrize("end", [End.UNANSWERED, End.FAILED, End.INTERRUPTED, None])
def test_accidents_are_repeated_a_few_times_only(end: End | None) -> None:
    """Then a person must look; a change of what was read is worth one more attempt."""
    attempts = ended(end, minutes_ago=600, times=MOST_FAILURES)

    step = after(attempts)

    assert isinstance(step, GiveUp)
    why = "" if end is None else ": metapod is away"
    assert step.sentence.endswith(
        f", as 5 in a row{why}; nothing more is tried before somebody has looked and called logcache refresh"
    )
    assert isinstance(after(attempts[:-1]), Continue)
    assert isinstance(after(attempts, by_person=True), Continue)
    assert isinstance(after(attempts, changed=("the rules",)), Continue)


@pytest.mark.parametrize("end", [None, End.INTERRUPTED])
def test_a_killed_refresh_goes_on_at_once(end: End | None) -> None:
    """From the first stage that has no document."""
    step = after(ended(end, minutes_ago=0))

    assert isinstance(step, Continue)
    assert step.sentence.endswith(f"; it goes on from permanent_log: {WHAT}")


def test_a_refresh_prepared_outside_the_window_waits_for_it() -> None:
    """Then only its last stage runs; a person waits for the window too."""
    night = datetime(2018, 5, 28, 23, 30, tzinfo=UTC)
    prepared = ended(End.NOT_YET, stage="log_cache_pull_request", minutes_ago=-540)

    for by_person in (False, True):
        assert after(prepared, is_prepared=True, now=night, by_person=by_person) == WaitUntil(
            sentence=f"{WHAT} is prepared and approved; it is proposed when the publish window 13:00-23:00 UTC opens, "
            "2018-05-29 13:00 UTC",
            until=datetime(2018, 5, 29, 13, 0, tzinfo=UTC),
        )
    assert after(prepared, is_prepared=True, now=datetime(2018, 5, 29, 13, 0, tzinfo=UTC)) == PublishOnly(
        sentence=f"{WHAT} is prepared and approved; only its pull request is left"
    )


def test_a_prepared_refresh_waits_for_a_run_of_others() -> None:
    """Inside the window the last stage is tried again after a pause; a person does not wait for that."""
    prepared = ended(End.NOT_YET, stage="log_cache_pull_request", minutes_ago=9)

    step = after(prepared, is_prepared=True)

    assert isinstance(step, WaitUntil)
    assert step.until == NOW + timedelta(minutes=1)
    assert isinstance(after(prepared, is_prepared=True, now=NOW + timedelta(minutes=1)), PublishOnly)
    assert isinstance(after(prepared, is_prepared=True, by_person=True), PublishOnly)


def test_what_was_prepared_on_another_base_is_made_again() -> None:
    """Its candidate could not be published."""
    prepared = ended(End.NOT_YET, stage="log_cache_pull_request")

    assert isinstance(after(prepared, is_prepared=False), Start)


def test_only_the_last_stage_is_repeated_after_an_accident_in_it() -> None:
    """All other stages are done."""
    away = ended(End.UNANSWERED, stage="log_cache_pull_request", minutes_ago=10)

    assert isinstance(after(away, is_prepared=True), PublishOnly)
    assert isinstance(after(away, is_prepared=False), Continue)


def test_again_starts_whatever_was_tried() -> None:
    """Also beside an open pull request; but not beside a refresh that is going on."""
    for end in (*End, None):
        step = after(ended(end), again=True, by_person=True, proposed=PUBLICATION)
        assert isinstance(step, Start)
    assert isinstance(after((), again=True, by_person=True, is_going_on=True), WaitUntil)


def test_a_sentence_repeats_the_beginning_of_a_reason() -> None:
    """Of a long one, and of one with several lines."""
    (attempt,) = ended(End.REFUSED)

    long = after((with_fields(attempt, reason="x" * 5000),))
    lines = after((with_fields(attempt, reason="first\nsecond"),))

    assert len(long.sentence) < SHOWN + 150
    assert "second" not in lines.sentence


def test_only_the_accidents_at_the_end_are_counted() -> None:
    """A refusal or a success before them ends the row."""
    accidents = (*ended(End.UNANSWERED), *ended(None), *ended(End.INTERRUPTED), *ended(End.FAILED))

    assert count_failures(()) == 0
    assert count_failures(accidents) == 4
    assert count_failures((*accidents, *ended(End.REFUSED), *ended(None))) == 1


def test_a_change_is_named() -> None:
    """What is there now and was not, was and is not, or differs."""
    assert find_changes({"a": "1", "b": "1", "c": "1"}, {"b": "1", "c": "2", "d": "1"}) == ("a", "c", "d")
