"""Each accident is told once, and its end; what waits is told when it waits for too long."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace as with_fields

from logcache_assets.domain.alert_messages import GIVEN_UP, Delivery, due_messages, not_sent, sending, sent
from logcache_assets.domain.alerts import (
    Alert,
    AlertBook,
    Waiting,
    advised,
    alerts_of_wait,
    follow_wait,
    group_of_left_out,
    note,
    split_remedy,
)
from logcache_assets.domain.runbook import parse_runbook

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
EMPTY = AlertBook(began_at=NOON)
FAILED = Alert(key="run:1", group="run:night:gap", cause="feed-s0: gap", since=NOON, remedy="ask")


def noted(book: AlertBook, *alerts: Alert, after: timedelta = MINUTE) -> AlertBook:
    """The book after another look."""
    return note(book, alerts, now=NOON + after, channels=["webhook"])


def told(book: AlertBook) -> list[str]:
    """The subjects of all messages."""
    return [message.subject for message in book.messages]


def test_an_alert_is_told_once_and_its_end_once() -> None:
    """However often somebody looks."""
    book = noted(noted(EMPTY, FAILED), FAILED)
    over = replace(FAILED, is_over=True)
    ended = noted(noted(book, over), over)

    assert told(book) == ["feed-s0: gap"]
    assert told(ended) == ["feed-s0: gap", "All is well again"]
    assert ended.messages[1].lines == ("Over is: feed-s0: gap.",)
    assert ended.open == ()


def test_the_same_accident_again_is_not_told_until_it_was_over() -> None:
    """Each attempt fails anew for the same cause; the next night is another accident."""
    second = replace(FAILED, key="run:2")
    other_night = replace(FAILED, key="run:3", group="run:next:gap")
    book = noted(noted(EMPTY, FAILED), FAILED, second)

    assert told(book) == ["feed-s0: gap"]
    assert told(noted(book, FAILED, second, other_night)) == ["feed-s0: gap"] * 2
    assert noted(book, replace(FAILED, is_over=True), second).open
    assert told(noted(noted(book), replace(second, key="run:4")))[-2:] == ["All is well again", "feed-s0: gap"]


def test_what_other_accidents_tell_together_is_not_told() -> None:
    """A run leaves two databases out: it is news unless both have an accident of their own."""
    gap = replace(FAILED, key="check:1", group=group_of_left_out(["feed"]))
    other = replace(FAILED, key="check:2", group=group_of_left_out(["cards"]), cause="cards-s0: gap")
    each = tuple(map(group_of_left_out, (["feed"], ["cards"])))
    run = replace(FAILED, group=group_of_left_out(["feed", "cards"]), cause="both are left out", told_by=each)
    one, both = noted(EMPTY, gap), noted(EMPTY, gap, other)

    assert told(noted(one, gap, run)) == ["feed-s0: gap", "both are left out"]
    assert told(noted(both, gap, other, run)) == ["feed-s0: gap", "cards-s0: gap"]
    still_left_out = noted(noted(both, gap, other, run), run)
    assert len(still_left_out.open) == 2
    assert told(noted(still_left_out))[-1] == "All is well again"


def test_all_is_well_when_the_last_accident_is_over() -> None:
    """Not before; then all that was over since is named."""
    check = Alert(key="check:1", group="check", cause="files are gone", since=NOON, remedy="look")
    book = noted(noted(EMPTY, FAILED, check), check, after=2 * MINUTE)
    ended = noted(book, after=3 * MINUTE)

    assert told(book) == ["feed-s0: gap", "files are gone"]
    assert told(ended)[2:] == ["All is well again"]
    assert ended.messages[2].lines == ("Over is: feed-s0: gap.", "Over is: files are gone.")


def test_what_is_over_when_it_is_noticed_is_told_as_that() -> None:
    """A refresh that was killed went on by itself between two looks."""
    book = noted(EMPTY, replace(FAILED, is_over=True))

    assert told(book) == ["feed-s0: gap", "All is well again"]
    assert book.messages[0].lines[1] == "Since: 2026-05-01 12:00 UTC, and over by now"


def test_an_echo_tells_nothing_but_keeps_an_accident_open() -> None:
    """A red check of a run that failed is told as that run; one that was red before is still red."""
    echo = replace(FAILED, key="run:2", is_echo=True)

    assert told(noted(EMPTY, echo)) == []
    assert told(noted(noted(EMPTY, FAILED), echo)) == ["feed-s0: gap"]


def test_what_is_over_is_forgotten_after_weeks() -> None:
    """What goes on is not."""
    open_book = noted(noted(EMPTY, FAILED), FAILED, after=60 * DAY)
    closed = noted(noted(EMPTY, FAILED))

    assert len(open_book.accidents) == 1
    assert noted(closed, after=60 * DAY).accidents == ()


def attempts(book: AlertBook, *, until: timedelta) -> Iterator[timedelta]:
    """When a message is sent if every attempt fails."""
    (message,) = book.messages
    delivery = message.deliveries["webhook"]
    for minutes in range(int(until / MINUTE)):
        after = MINUTE * minutes
        waiting = with_fields(message, deliveries={"webhook": delivery})
        if list(due_messages([waiting], "webhook", now=NOON + after)):
            yield after
            delivery = not_sent(sending(delivery, now=NOON + after), "dead")


def test_a_dead_channel_is_tried_less_and_less_often_and_not_for_ever() -> None:
    """After 1, 2, 4 … minutes, at most an hour, and for a week."""
    at = list(attempts(noted(EMPTY, FAILED), until=10 * DAY))

    assert [int(after / MINUTE) for after in at[:5]] == [0, 1, 3, 7, 15]
    assert max(later - earlier for earlier, later in pairwise(at)) == 60 * MINUTE
    assert at[-1] <= GIVEN_UP + MINUTE


def test_a_message_is_sent_once_and_after_the_earlier_ones() -> None:
    """The second waits while the first may not be sent."""
    other = Alert(key="check:1", group="check", cause="files are gone", since=NOON, remedy="look")
    first, second = noted(EMPTY, FAILED, other).messages
    failed = with_fields(first, deliveries={"webhook": not_sent(sending(Delivery(), now=NOON), "dead")})
    done = with_fields(first, deliveries={"webhook": sent(sending(Delivery(), now=NOON), now=NOON)})

    assert [m.id for m in due_messages([first, second], "webhook", now=NOON)] == ["run:1", "check:1"]
    assert list(due_messages([failed, second], "webhook", now=NOON)) == []
    assert [m.id for m in due_messages([done, second], "webhook", now=NOON)] == ["check:1"]
    assert list(due_messages([first, second], "mail", now=NOON)) == []


def test_a_killed_sender_repeats_a_message_once() -> None:
    """Whether it was sent is not known; a process that is killed each time must not repeat it for ever."""
    (message,) = noted(EMPTY, FAILED).messages
    delivery, sendings = message.deliveries["webhook"], 0
    for _ in range(5):
        waiting = with_fields(message, deliveries={"webhook": delivery})
        if list(due_messages([waiting], "webhook", now=NOON)):
            delivery, sendings = sending(delivery, now=NOON), sendings + 1

    assert sendings == 2


WAITS = Waiting(since=NOON, sentence="no good nightly transaction; wait for the next night", at_once=False)


def test_a_wait_is_told_after_a_day_and_the_end_of_all_trying_at_once() -> None:
    """The limit is a setting."""
    gave_up = with_fields(WAITS, at_once=True)

    assert list(alerts_of_wait(WAITS, now=NOON + DAY, limit=DAY, link="")) == []
    (alert,) = alerts_of_wait(WAITS, now=NOON + DAY + MINUTE, limit=DAY, link="")
    (at_once,) = alerts_of_wait(gave_up, now=NOON, limit=DAY, link="")
    assert (alert.cause, alert.since) == ("no good nightly transaction", NOON)
    assert alert.remedy.startswith("wait for the next night; ")
    assert at_once.group != alert.group
    assert list(alerts_of_wait(None, now=NOON, limit=DAY, link="")) == []


def test_a_wait_lasts_while_its_sentence_changes() -> None:
    """It ends when a refresh begins; once it was told, only when all is well."""
    later = with_fields(WAITS, since=NOON + DAY, sentence="metapod does not answer")
    goes_on = follow_wait(WAITS, later, is_well=False, was_told=False)

    assert goes_on == with_fields(later, since=NOON)
    assert follow_wait(WAITS, None, is_well=False, was_told=False) is None
    assert follow_wait(WAITS, None, is_well=False, was_told=True) == WAITS
    assert follow_wait(WAITS, None, is_well=True, was_told=True) is None


def test_the_last_clause_of_a_message_is_what_to_do() -> None:
    """Messages end with it; later lines are for the page."""
    cause, remedy = split_remedy("feed-s0: a gap (C2); ask its owners\nand more")

    assert cause == "feed-s0: a gap (C2)"
    assert remedy.startswith("ask its owners; ")
    assert split_remedy("killed")[0] == "killed"


def test_the_runbook_answers_an_alert() -> None:
    """Nobody has to look for its words."""
    runbook = parse_runbook("### was killed\nLook at its memory.\n")
    cause, remedy = split_remedy("the run was killed")
    known, unknown = (replace(FAILED, cause=text, remedy=remedy) for text in (cause, "no network"))

    assert advised(known, runbook).remedy == "the runbook says: Look at its memory."
    assert advised(unknown, runbook) == unknown


def test_a_long_remedy_keeps_the_runbook() -> None:
    """What is shortened is our own clause."""
    waits = Waiting(sentence=f"a gap was found; {'ask ' * 200}", since=NOON, at_once=True)
    (alert,) = alerts_of_wait(waits, now=NOON, limit=DAY, link="")

    told = advised(alert, parse_runbook("### a gap\nRepair it.\n")).remedy

    assert told.startswith("ask ask ")
    assert told.endswith("the runbook says: Repair it.")
    assert len(told) < 400
