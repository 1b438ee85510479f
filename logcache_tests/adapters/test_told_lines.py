"""The lines that are told: short, and as many as a reader can take."""

from pathlib import Path

from logcache_assets.adapters.told_lines import TOLD_AT_ONCE, TOLD_PER_SECOND, ToldLines, last_lines

WHOLE = Path("sabesp.log")


def test_lines_that_come_too_fast_are_counted() -> None:
    """Of a million lines in a second a thousand are told; later ones again as time passes; events always."""
    told: list[str] = []
    seconds = [0.0]
    lines = ToldLines(told.append, WHOLE, now=lambda: seconds[0])

    lines.tell_all(f"line {n}" for n in range(1_000_000))

    assert told[:TOLD_AT_ONCE] == [f"line {n}" for n in range(TOLD_AT_ONCE)]
    assert told[TOLD_AT_ONCE:] == ["(999,000 lines came too fast to be told; they are in sabesp.log)"]

    lines.tell("too fast")
    lines.tell("the transaction", is_event=True)
    seconds[0] = 1.0
    for n in range(TOLD_PER_SECOND + 5):
        lines.tell(f"later {n}")
    lines.tell_left_out()

    assert told[TOLD_AT_ONCE + 1 :] == [
        "(1 lines came too fast to be told; they are in sabesp.log)",
        "the transaction",
        *(f"later {n}" for n in range(TOLD_PER_SECOND - 1)),
        "(6 lines came too fast to be told; they are in sabesp.log)",
    ]


def test_a_long_line_is_told_in_a_sentence() -> None:
    """The file has the rest."""
    told: list[str] = []

    ToldLines(told.append, WHOLE).tell("x" * 60_000)

    assert len(told[0]) == 300


def test_an_error_shows_the_last_lines() -> None:
    """Twenty of them, fewer where they are long, or that there is none."""
    assert last_lines([]) == "it printed nothing"
    assert last_lines(map(str, range(100))) == "\n".join(["its last lines:", *map(str, range(80, 100))])
    assert len(last_lines(["x" * 60_000] * 20)) < 2100
