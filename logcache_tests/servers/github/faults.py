"""Disturbances of the stand-in, asked for by a test: one for the next request that it fits, or for several."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(kw_only=True)
class Fault:
    """What happens to requests."""

    on: str = ".*"
    """Pattern of verb and path below the repository, `POST pulls`."""
    kind: Literal["answer", "drop", "drop after", "cut", "garbage"] = "answer"
    """Another answer; the connection ends before or after the effect; the answer ends early, or is no JSON."""
    status: int = 502
    body: Mapping[str, object] | str = field(default_factory=lambda: {"message": "Server Error"})
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    met: int = 0
    """How often it happened."""

    def fits(self, request: str) -> bool:
        """Whether it happens to this request; then it is counted."""
        if self.met >= self.times or not re.fullmatch(self.on, request):
            return False
        self.met += 1
        return True
