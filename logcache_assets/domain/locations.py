"""Builds the URIs of everything in the permanent bucket; no other module does.

All of them are below `cache/`: the bucket also holds live segments, so nothing else in it is ever listed or written.
"""

from dataclasses import dataclass
from enum import StrEnum

from logcache_assets.domain.instances import Instance


class Stage(StrEnum):
    """The stages that end with a document; each has a folder of this name."""

    NIGHT = "nightly_transaction"
    EXPORT = "log_export"
    PERMANENT_LOG = "permanent_log"
    CANDIDATE = "log_cache_candidate"
    TEST_RUN = "itaipu_test_run"
    CONTRACTS = "contract"
    VERDICT = "validation_report"
    PULL_REQUEST = "log_cache_pull_request"


CACHE_KEYS = "cache/"
"""How every key of ours in the permanent bucket begins."""
PROBE_FOLDER = f"{CACHE_KEYS}_doctor/"
"""Where writing is tried; nothing else is ever deleted."""
EXPORT_REQUESTS = "export_request"
"""The folder of what runs of the export notebook are asked."""
EXPORT_ANSWERS = "export_answer"
"""The folder of what runs of the export notebook found."""
COMPARISON_REQUESTS = "comparison_request"
"""The folder of what runs of the notebook are asked about contracts."""
COMPARISON_ANSWERS = "comparison_answer"
"""The folder of what they found."""
BEGUN_RUNS = "begun_test_run"
"""The folder of the test runs that were begun; no stage ends with them."""
LEFT_OUT = "left_out"
"""The folder of the databases that a refresh leaves out, as the stages that found why wrote them."""
REFUSED_PART = ".refused"
"""Ending of the name of a report on all databases of a refresh, if some were taken out of the candidate for it."""
ATTEMPTS = "attempt"
"""The folder of the attempts of refreshes; no stage ends with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFolder:
    """The immutable folder of one cached log."""

    uri: str

    @property
    def log(self) -> str:
        """Folder of the raw log's Parquet."""
        return f"{self.uri}/log"

    @property
    def materialized_entities(self) -> str:
        """Folder of the materialized entities' Parquet."""
        return f"{self.uri}/materialized-entities"

    @property
    def manifest(self) -> str:
        """URI of the manifest. It is written last, so a folder without one is incomplete and not used."""
        return f"{self.uri}/manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """Builds the URIs of cached logs and of documents."""

    permanent_bucket: str

    @property
    def caches(self) -> str:
        """Prefix of every URI of ours."""
        return f"s3://{self.permanent_bucket}/{CACHE_KEYS}"

    def cache_folder(self, instance: Instance, *, last_t: int, transaction: str) -> CacheFolder:
        """`s3://…/cache/feed-s0/4836-1c7be4a9`: one per instance, t and transaction."""
        return CacheFolder(uri=f"{self.caches}{instance.name}/{last_t}-{transaction[:8]}")

    @property
    def documents(self) -> str:
        """Prefix of every document's URI."""
        return f"{self.caches}_refresh/"

    @property
    def standing_report(self) -> str:
        """URI of the document of the last standing checks of all published caches."""
        return f"{self.caches}_standing/report.json"

    def refresh(self, *, transaction: str) -> str:
        """Prefix of the documents of every refresh from a nightly transaction."""
        return f"{self.documents}{transaction}/"

    def night(self, *, transaction: str, selection: str) -> str:
        """URI of the document of a chosen nightly transaction."""
        return self._document(transaction, Stage.NIGHT, selection)

    def export(self, *, transaction: str, database: str) -> str:
        """URI of the document that describes the raw logs of a database."""
        return self._document(transaction, Stage.EXPORT, database)

    def export_request(self, *, transaction: str, token: str) -> str:
        """URI of what a run of the export notebook is asked."""
        return self._document(transaction, EXPORT_REQUESTS, token)

    def export_answer(self, *, transaction: str, digest: str) -> str:
        """URI of what a run of the export notebook found; the digest is that of the document."""
        return self._document(transaction, EXPORT_ANSWERS, digest)

    def comparison_request(self, *, transaction: str, token: str) -> str:
        """URI of what a run of the notebook is asked about the contracts of a database."""
        return self._document(transaction, COMPARISON_REQUESTS, token)

    def comparison_answer(self, *, transaction: str, digest: str) -> str:
        """URI of what such a run found; the digest is that of the document."""
        return self._document(transaction, COMPARISON_ANSWERS, digest)

    def permanent_log(self, *, transaction: str, database: str) -> str:
        """URI of the document of the cached logs of a database."""
        return self._document(transaction, Stage.PERMANENT_LOG, database)

    def candidate(self, *, transaction: str, selection: str) -> str:
        """URI of the document of a candidate."""
        return self._document(transaction, Stage.CANDIDATE, selection)

    def test_run(self, *, transaction: str, version: str) -> str:
        """URI of the document of the test run at a candidate's Itaipu version."""
        return self._document(transaction, Stage.TEST_RUN, version)

    def begun_run(self, *, transaction: str, token: str) -> str:
        """URI of the document of a test run that was begun."""
        return self._document(transaction, BEGUN_RUNS, token)

    def begun_runs(self, *, transaction: str) -> str:
        """Prefix of the documents of all test runs that refreshes of this night began."""
        return f"{self.refresh(transaction=transaction)}{BEGUN_RUNS}/"

    def left_out(self, *, transaction: str, database: str) -> str:
        """URI of the document that says why a refresh leaves a database out."""
        return self._document(transaction, LEFT_OUT, database)

    def attempt(self, *, transaction: str, selection: str, number: int) -> str:
        """URI of the document of one attempt."""
        return self._document(transaction, ATTEMPTS, f"{selection}.{number:05}")

    def attempts(self, *, transaction: str, selection: str) -> str:
        """Prefix of the documents of all attempts at a night and selection."""
        return f"{self.refresh(transaction=transaction)}{ATTEMPTS}/{selection}."

    def inventory(self, *, transaction: str, selection: str) -> str:
        """URI of the document that lists the contracts of a test run with their results."""
        return self._document(transaction, Stage.CONTRACTS, selection)

    def verdict(self, *, transaction: str, selection: str) -> str:
        """URI of the document of the verdict on a candidate."""
        return self._document(transaction, Stage.VERDICT, selection)

    def report(self, *, transaction: str, selection: str, ending: str) -> str:
        """URI of the verdict's report, as a page (`html`) or as Markdown (`md`)."""
        return self.verdict(transaction=transaction, selection=selection).removesuffix("json") + ending

    def publication(self, *, transaction: str, selection: str) -> str:
        """URI of the document of a candidate's pull request."""
        return self._document(transaction, Stage.PULL_REQUEST, selection)

    def _document(self, transaction: str, stage: str, name: str) -> str:
        """URI of the JSON document that a stage writes; `transaction` is the nightly transaction of the refresh."""
        return f"{self.refresh(transaction=transaction)}{stage}/{name}.json"


def stage_of(document_uri: str) -> str:
    """Name of the stage that wrote the document at this URI."""
    return document_uri.split("/")[-2]


def night_of(document_uri: str) -> str:
    """The nightly transaction of the refresh to which the document at this URI belongs."""
    return document_uri.split("/")[-3]


def name_of(document_uri: str) -> str:
    """Name of the document at this URI: a selection, a database, or what else its stage has several of."""
    return document_uri.rsplit("/", maxsplit=1)[-1].removesuffix(".json")


def folder_of(map_log_uri: str) -> CacheFolder:
    """The cache folder of a map entry, from the URI in its `log`."""
    return CacheFolder(uri=map_log_uri.removesuffix("/log"))
