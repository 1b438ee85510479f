"""What to do next about a refresh: one pure function of stored facts.

The sensor, `logcache refresh` and `logcache status` ask it and print the same sentence.

    the last attempt               then
    none                           start
    published                      wait: a person closed or reverted it
    published, databases left out  start when what these read has changed; the next night tries them again, too
    outdated                       start on the present base
    refused by what it read        start when that has changed, not before
    not yet                        publish only, when the window is open
    the world could not answer     continue after a pause that grows; a few times, then give up
    killed, interrupted            continue; a few times, then give up

A person who asks waits for none of this, except for what is active or proposed already and for the window.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from logcache_assets.domain.attempts import Attempt, End, count_failures
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.selections import NAMED_AT_MOST

MOST_FAILURES = 5
"""After so many attempts in a row that ended by accident, a person must look."""
FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=1)
SHOWN = 300
"""How many characters of an attempt's reason a sentence repeats."""


GOING_ON = "another refresh is going on; wait for its end"

ENDINGS = {
    End.REFUSED: "was refused",
    End.UNANSWERED: "had no answer from the world",
    End.FAILED: "failed with a defect",
    End.INTERRUPTED: "was interrupted",
}
"""How a sentence tells the end of an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Refresh from the first stage."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Run the refresh again: the stages before this one find their documents."""

    sentence: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOnly:
    """Run the last stage only."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """Nothing to do before an instant, or before something happens."""

    sentence: str
    until: datetime | None = None
    """None if no instant is known."""
    is_well: bool = False
    """The newest good night is active or proposed: nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Nothing more is tried without a person."""

    sentence: str


NextStep = Start | Continue | PublishOnly | WaitUntil | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts about the refresh of some databases from a night."""

    night: str
    """The newest good nightly transaction."""
    databases: tuple[str, ...]
    base_sha: str
    is_active: bool
    """The active map points to the night for every instance."""
    proposed: Publication | None
    """Its pull request, if that is open."""
    attempts: tuple[Attempt, ...]
    """At this night and selection, oldest first."""
    changed: tuple[str, ...]
    """What has changed since the last attempt began; if it was published, of what those read that it left out."""
    base_news: tuple[str, ...]
    """What the open pull request does not know of the present base branch, and must."""
    is_active_besides: bool
    """The active map points to the night for every instance but those of databases that the last attempt left out."""
    due: str | None
    """Why the published caches ask for a new one, by their standing checks."""
    next_stage: str
    """The first stage without a document."""
    is_prepared: bool
    """An approved verdict is stored, of a candidate on the present base."""
    is_going_on: bool
    """A refresh works right now."""
    by_person: bool
    """A person asks, not the sensor."""
    again: bool
    """The person wants a new test run in any case."""
    now: datetime
    window: PublishWindow

    @property
    def what(self) -> str:
        """`feed from transaction 1c7be4a9-…`."""
        return f"{shortened(self.databases)} from transaction {self.night}"


def plan_next_step(facts: Situation) -> NextStep:
    """Decide by the table above."""
    if facts.is_going_on:
        return WaitUntil(sentence=GOING_ON)
    if facts.is_active:
        return WaitUntil(
            sentence=f"the active map already points to transaction {facts.night}, the newest good nightly run"
            f"{_next_night(facts)}",
            is_well=True,
        )
    if facts.proposed and not facts.again:
        return _while_proposed(facts.proposed, facts)
    if not facts.attempts or facts.again:
        return Start(sentence=f"a refresh of {facts.what} is due{_because(facts)}")
    return _after(facts.attempts[-1], facts)


def _because(facts: Situation) -> str:
    return f", all the more as {facts.due}" if facts.due else ""


def _next_night(facts: Situation) -> str:
    return f"; the next good one is waited for, as {facts.due}" if facts.due else ""


def _while_proposed(proposed: Publication, facts: Situation) -> NextStep:
    """Its pull request is open: it is brought up to date with what it must know."""
    last = facts.attempts[-1] if facts.attempts else None
    if last and last.end is End.REFUSED and last.base_sha == facts.base_sha:
        # What the present base brought was tried, and refused before it became a candidate.
        return _after_refusal(last, facts)
    if facts.base_news and facts.base_sha != proposed.base_sha:
        return Start(
            sentence=f"a refresh of {facts.what} is due: since pull request #{proposed.number} the base branch has "
            f"moved in {shortened(facts.base_news)}"
        )
    if last and last.left_out and facts.changed:
        return _left_out_again(last, facts)
    if last and last.end not in (End.PUBLISHED, End.REFUSED):
        return _after(last, facts)
    return WaitUntil(
        sentence=f"transaction {facts.night}, the newest good nightly run, is already proposed in pull request "
        f"#{proposed.number} ({proposed.url}){_without(last)}",
        is_well=True,
    )


def _left_out_again(last: Attempt, facts: Situation) -> Start:
    return Start(
        sentence=f"a refresh of {shortened(tuple(last.left_out))} from transaction {facts.night} is due: changed since "
        f"attempt {last.number}, which left it out, is {shortened(facts.changed)}"
    )


def _without(last: Attempt | None) -> str:
    """`, without feed, …`."""
    if not last or not last.left_out:
        return ""
    reasons = "; ".join(_cut(why) for why in list(last.left_out.values())[:NAMED_AT_MOST])
    return f", without {shortened(tuple(last.left_out))}, whose active caches stay: {reasons}"


def _after(last: Attempt, facts: Situation) -> NextStep:
    """Decide by how the last attempt ended."""
    if last.end is End.OUTDATED:
        return Start(sentence=f"a refresh of {facts.what} is due: the base branch has moved since the last attempt")
    if last.end is End.PUBLISHED:
        return _after_published(last, facts)
    if last.end is End.REFUSED:
        return _after_refusal(last, facts)
    if last.end is not End.NOT_YET:
        return _after_accident(last, facts)
    if facts.is_prepared:
        return _publish(last, facts)
    return Start(sentence=f"a refresh of {facts.what} is due: what was prepared is not on the present base")


def _after_published(last: Attempt, facts: Situation) -> NextStep:
    """Its pull request is not open any more."""
    if not (last.left_out and facts.is_active_besides):
        return _unless_asked(facts, f"the pull request of {facts.what} is not open any more, and it is not active")
    if facts.changed:
        return _left_out_again(last, facts)
    # Its run failed for what was left out, so that was told.
    obstacle = f"the active map already points to transaction {facts.night}{_without(last)}"
    return _unless_asked(facts, obstacle, is_well=True)


def _after_refusal(last: Attempt, facts: Situation) -> NextStep:
    if facts.changed:
        news = shortened(facts.changed)
        return Start(sentence=f"a refresh of {facts.what} is due: changed since attempt {last.number} is {news}")
    return _unless_asked(facts, f"{_ended(last)}, and what it read has not changed: {_reason(last)}")


def _unless_asked(facts: Situation, obstacle: str, *, is_well: bool = False) -> NextStep:
    """Wait for a person; whoever asks is one."""
    if facts.by_person:
        return Start(sentence=f"a refresh of {facts.what} starts anew: {obstacle}")
    return WaitUntil(sentence=f"{obstacle}; to refresh it all the same: logcache refresh", is_well=is_well)


def _publish(last: Attempt, facts: Situation) -> NextStep:
    """The last stage alone is left."""
    if not facts.window.holds(facts.now):
        opens = facts.window.opens_after(facts.now)
        return WaitUntil(
            sentence=f"{facts.what} is prepared and approved; it is proposed when the publish window "
            f"{facts.window} opens, {opens:%Y-%m-%d %H:%M} UTC",
            until=opens,
        )
    due = _due_after(last, sum(attempt.end is last.end for attempt in facts.attempts))
    was_open = last.ended_at is not None and facts.window.holds(last.ended_at)
    if was_open and facts.now < due and not facts.by_person:
        return WaitUntil(sentence=f"{_prepared(facts)}, tried again {due:%H:%M} UTC: {_reason(last)}", until=due)
    return PublishOnly(sentence=_prepared(facts))


def _after_accident(last: Attempt, facts: Situation) -> NextStep:
    """Unanswered, failed, interrupted or killed."""
    failures = count_failures(facts.attempts)
    again = _go_on(last, facts)
    if facts.by_person or facts.changed:
        return again
    if failures >= MOST_FAILURES:
        # What is to be done stands behind the last semicolon: alerts show it apart.
        why = f": {_reason(last)}" if last.reason else ""
        return GiveUp(
            sentence=f"{_ended(last)}, as {failures} in a row{why}; nothing more is tried before somebody has looked "
            "and called logcache refresh"
        )
    due = _due_after(last, failures)
    if last.end in (End.UNANSWERED, End.FAILED) and facts.now < due:
        return WaitUntil(sentence=f"{_ended(last)}, tried again {due:%H:%M} UTC: {_reason(last)}", until=due)
    return again


def _go_on(last: Attempt, facts: Situation) -> Continue | PublishOnly:
    """From the last stage, if that is known to be all that is left; otherwise every stage looks for its document."""
    if last.stage == Stage.PULL_REQUEST and facts.is_prepared:
        return PublishOnly(sentence=f"{_ended(last)}; {_prepared(facts)}")
    stage = facts.next_stage
    return Continue(sentence=f"{_ended(last)}; it goes on from {stage}: {facts.what}", stage=stage)


def _prepared(facts: Situation) -> str:
    return f"{facts.what} is prepared and approved; only its pull request is left"


def _due_after(last: Attempt, number: int) -> datetime:
    """When the next attempt is due after so many that ended alike."""
    pauses = [FIRST_PAUSE * (1 << step) for step in range(min(number, MOST_FAILURES))]
    return (last.ended_at or last.started_at) + min(pauses[-1], LONGEST_PAUSE)


def _ended(last: Attempt) -> str:
    """`attempt 2 was refused`."""
    return f"attempt {last.number} {ENDINGS[last.end] if last.end else 'was killed'}"


def _reason(last: Attempt) -> str:
    """The first line of the message with which it ended."""
    return _cut(last.reason.partition("\n")[0])


def _cut(line: str) -> str:
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
