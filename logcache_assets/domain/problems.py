"""Problems: what is wrong, why it is refused and what to do. Every refusal of a refresh has this form.

Every failure that the project checks for has a code. `docs/runbook.md` has a heading for each of them.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Literal

import msgspec

Code = Literal[
    "C1",
    "C2",
    "C3",
    "C4",
    "C5",
    "C6",
    "C7",
    "C11",
    "C12",
    "C13",
    "C14",
    "C15",
    "C16",
    "C17",
    "C19",
    "C24",
    "C26",
    "C29",
    "C31",
]
"""Identifies a check; it stays the same when the words of a message change."""

CODES: Mapping[Code, str] = {
    "C1": "The first segment after a cached log begins where the cached log ends, or before.",
    "C2": "Every later segment begins where the one before it ends.",
    "C3": "No two segments cover the same t.",
    "C4": "A cached log does not end after the newest segment of the index.",
    "C5": "last_t is the greatest t in the data, the same in the log and in the materialized entities.",
    "C6": "last_t never goes backwards.",
    "C7": "No segment with t that a cached log holds was extracted again after the cached log was read.",
    "C11": "Nothing is published outside the publish window, or while contracts are being computed.",
    "C12": "The raw datasets were not aborted, and their files do not expire before the copy is done.",
    "C13": "A cached log has exactly the files of its manifest, and the manifest is the one that the map names.",
    "C14": "Every entry of the map points to the folder and the manifest of its own instance.",
    "C15": "The map is JSON in canonical form, and every last_t in it is a positive integer.",
    "C16": "A refresh changes only the entries of its own instances.",
    "C17": "Parquet files have the names and columns that LogOp reads.",
    "C19": "No datom is in a log twice.",
    "C24": "The catalog declares the same contracts as the definitions at the candidate's commit.",
    "C26": "The base branch is still the commit that the candidate was built on.",
    "C29": "Every required check has run, on exactly what would be published.",
    "C31": "A cached log is exactly the datoms of its segments; its materialized entities are the facts of that log.",
}
"""Code → what holds when the check passes."""


def coded(text: str, code: Code | None) -> str:
    """Append the code to a text, `the segment index has a gap (C2)`; without a code, return the text unchanged."""
    return f"{text} ({code})" if code else text


class Problem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason to refuse, or one warning."""

    found: tuple[str, ...]
    """Clauses that say what was found, the likely cause first."""
    code: Code | None = None
    """Of the check that failed; None if the failure has no code."""
    subjects: tuple[str, ...] = ()
    """Instances or contracts that the problem is about; empty if it is about the candidate or the refresh."""
    rule: str | None = None
    """Name of the validation rule that found it; None if no single rule did."""
    why: str = ""
    """Why that is refused, if what was found does not say it."""
    remedy: str = ""
    """What to do."""

    @property
    def subject(self) -> str:
        """The first subject and how many more there are."""
        more = len(self.subjects) - 1
        return f"{self.subjects[0]} and {more} more" if more > 0 else "".join(self.subjects)

    @property
    def clauses(self) -> tuple[str, ...]:
        """What was found, the last clause with the reason and the code; then the remedy."""
        *first, last = self.found
        last = f"{last}: {self.why}" if self.why else last
        return (*first, coded(last, self.code), *([self.remedy] if self.remedy else []))

    @property
    def plain(self) -> "Problem":
        """Without the fields of a subclass, as a document holds it."""
        return Problem(**{name: getattr(self, name) for name in Problem.__struct_fields__})

    def __str__(self) -> str:
        """One sentence: subject, rule, clauses."""
        return ": ".join(part for part in (self.subject, self.rule, "; ".join(self.clauses)) if part)


SHOWN = 5
"""How many problems one message shows."""


def join_problems(problems: Iterable[object], *, shown: int = SHOWN) -> str:
    """The first few problems as one text, and how many more there are."""
    rest = iter(problems)
    first = [str(problem) for problem in islice(rest, shown)]
    more = sum(1 for _ in rest)
    return "; ".join([*first, *([f"and {more} more"] if more else [])])
