"""Asks the world whether a refresh is due, for sensor and command line alike; the decision is domain/refresh.py."""

from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.defs.assets.log_cache_candidate import Inspector, read_base_map
from logcache_assets.defs.assets.log_cache_pull_request import find_map_problems, publication_uri
from logcache_assets.defs.assets.nightly_transaction import choose_night, refusal_text
from logcache_assets.domain.documents import Candidate, Publication
from logcache_assets.domain.due import Refresh, Wait, plan_refresh
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.transactions import Choice
from logcache_assets.errors import Refused
from logcache_assets.ports import Ports
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a refresh of these databases would do now."""

    choice: Choice
    plan: Refresh | Wait


def look_ahead(databases: Catalog, *, selection: str, named: str | None, ports: Ports, settings: Settings) -> Outlook:
    """Choose a transaction for the databases of a selection and plan on it.

    Raises:
        Refused: no good transaction, or the pull request of this very refresh must no longer be merged.
    """
    choice = choose_night(
        databases,
        named=named,
        metapod=ports.metapod,
        store=ports.store,
        clock=ports.clock,
        settings=settings,
    )
    if choice.chosen is None:
        raise Refused(refusal_text(choice, settings))
    base = read_base_map(ports.repository)
    published = _find_open_publication(choice.chosen.id, selection, ports, settings)
    plan = plan_refresh(
        chosen=choice.chosen, databases=databases, active=base.entries, base_sha=base.sha, published=published
    )
    if isinstance(plan, Wait) and published:
        _require_still_sound(choice.chosen.id, selection, published, ports=ports, settings=settings)
    return Outlook(choice=choice, plan=plan)


def _find_open_publication(transaction: str, selection: str, ports: Ports, settings: Settings) -> Publication | None:
    """The stored pull request of a refresh, if it is still open."""
    uri = publication_uri(settings, transaction=transaction, selection=selection)
    found = Documents(ports.store).find(uri, Publication)
    is_open = found and any(p.number == found.number and p.state == "open" for p in ports.repository.pull_requests())
    return found if is_open else None


def _require_still_sound(
    transaction: str, selection: str, published: Publication, *, ports: Ports, settings: Settings
) -> None:
    """What is already proposed is looked at again: personal data may have been excised behind it since."""
    documents = Documents(ports.store)
    uri = settings.locations.document(transaction=transaction, stage="log_cache_candidate", name=selection)
    candidate = documents.read(uri, Candidate)
    text = ports.repository.read(MAP_PATH, ref=published.branch)
    inspector = Inspector(documents, ports.segment_index)
    if problems := find_map_problems(candidate, text, ports.repository, inspector):
        raise Refused(
            f"pull request #{published.number} ({published.url}) must not be merged any more: {'; '.join(problems[:5])}"
        )
