"""Writes messages to a file of the home, a JSON object per line; who has neither webhook nor mail finds them there."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from logcache_assets.domain.alert_messages import Message
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.ports.notifier import Notifier, NotifierUnavailable

FILE = "alerts.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFile(Notifier):
    """The file `alerts.jsonl` of a home."""

    home: Path

    @property
    @override
    def channel(self) -> str:
        return "file"

    @property
    def path(self) -> Path:
        """The file."""
        return self.home / FILE

    @override
    def send(self, message: Message) -> None:
        line = {
            "id": message.id,
            "at": utc_text(message.made_at),
            "subject": message.subject,
            "lines": message.lines,
            "link": message.link,
            "all_is_well": message.is_end,
        }
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NotifierUnavailable(f"{self.path} cannot be written ({error.strerror}); make room there") from error

    @override
    def probe(self) -> str:
        if not os.access(self.home, os.W_OK):
            raise NotifierUnavailable(f"{self.home} cannot be written; correct its rights")
        return str(self.path)
