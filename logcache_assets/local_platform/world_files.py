"""The layout of a local world's folder: every file name is here once, for the world and for Dagster's resources.

buckets/<bucket>/<key>   objects           segment_index.sqlite   the segment index
metapod.sqlite           metapod           itaipu.git, pull_requests/   the itaipu repository
clock                    the world's date  notebook_runs/, sabesp_logs/  what was run
catalog/                 definitions       undelivered/           segments of the days to come
dagster/                 Dagster's storage faults/                armed accidents
reextraction/            segments that replace others after an excision
pii_key                  the world's own key of personal data
refresh.lock             held by the process that refreshes    aurora_jobs/   jobs that run now
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WorldFiles:
    """Paths in the folder of a local world; nothing is read or created."""

    home: Path

    @property
    def buckets(self) -> Path:
        """Folder with one folder per bucket."""
        return self.home / "buckets"

    @property
    def segment_index(self) -> Path:
        """SQLite file of the segment index."""
        return self.home / "segment_index.sqlite"

    @property
    def metapod(self) -> Path:
        """SQLite file of metapod's transactions and datasets."""
        return self.home / "metapod.sqlite"

    @property
    def repository(self) -> Path:
        """The bare itaipu repository."""
        return self.home / "itaipu.git"

    @property
    def pull_requests(self) -> Path:
        """Folder with one file per pull request."""
        return self.home / "pull_requests"

    @property
    def clock(self) -> Path:
        """File with the world's date."""
        return self.home / "clock"

    @property
    def clock_history(self) -> Path:
        """File with every date that the world had, and when it began by the computer's clock."""
        return self.home / "clock_history"

    @property
    def lifecycle(self) -> Path:
        """File with the days after which the buckets' objects are deleted."""
        return self.home / "lifecycle.json"

    @property
    def faults(self) -> Path:
        """Folder of the accidents that are armed."""
        return self.home / "faults"

    @property
    def notebook_runs(self) -> Path:
        """Folder with one folder per run of the notebook."""
        return self.home / "notebook_runs"

    @property
    def sabesp_logs(self) -> Path:
        """Folder with one file per test run of Itaipu."""
        return self.home / "sabesp_logs"

    @property
    def aurora_jobs(self) -> Path:
        """Folder of the jobs that run now."""
        return self.home / "aurora_jobs"

    @property
    def pii_key(self) -> Path:
        """File of the world's own key of personal data."""
        return self.home / "pii_key"

    @property
    def catalog(self) -> Path:
        """Folder of the contract definitions."""
        return self.home / "catalog"

    @property
    def undelivered(self) -> Path:
        """Folder of the segments of days to come."""
        return self.home / "undelivered"

    @property
    def reextraction(self) -> Path:
        """Folder of the segments that replace others after an excision."""
        return self.home / "reextraction"
