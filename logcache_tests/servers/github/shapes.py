"""The answers of the stand-in: the fields that say something; published.py fills in the others."""

from datetime import datetime
from typing import Any

from logcache_tests.servers.github.bare import AUTHOR, Bare
from logcache_tests.servers.github.board import Board, Request, Status


def instant(at: datetime) -> str:
    """An instant as GitHub writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def person(login: str) -> dict[str, Any]:
    """A user."""
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def repository(name: str) -> dict[str, Any]:
    """A repository in another answer."""
    owner, _, own_name = name.partition("/")
    return {"full_name": name, "name": own_name, "owner": person(owner), "private": True}


def git_commit(bare: Bare, sha: str) -> dict[str, Any]:
    """A commit of git."""
    shown = bare.described(sha)
    who = {"name": shown["author"], "email": "bot@github.invalid"}
    return {
        "sha": sha,
        "tree": {"sha": shown["tree"]},
        "parents": [{"sha": parent} for parent in shown["parents"].split()],
        "message": shown["message"].rstrip("\n"),
        "author": {**who, "date": shown["authored"]},
        "committer": {**who, "date": shown["committed"]},
    }


def listed_commit(bare: Bare, sha: str) -> dict[str, Any]:
    """A commit in a list."""
    shown = git_commit(bare, sha)
    return {
        "sha": sha,
        "commit": {key: shown[key] for key in ("tree", "message", "author", "committer")},
        "parents": shown["parents"],
        "author": person(AUTHOR),
        "committer": person(AUTHOR),
    }


def tree(bare: Bare, sha: str) -> dict[str, Any]:
    """A folder."""
    entries = [{"path": name, "mode": mode, "type": kind, "sha": own} for mode, kind, own, name in bare.entries(sha)]
    return {"sha": bare.text("rev-parse", f"{sha}^{{tree}}"), "tree": entries, "truncated": False}


def pull(request: Request, board: Board, name: str, *, is_whole: bool) -> dict[str, Any]:
    """A pull request; in a list without some fields."""
    origin = name if request.fork is None else f"{request.fork}/{name.partition('/')[2]}"
    base_sha = board.bare.heads().get(request.base, request.head_sha)
    shown: dict[str, Any] = {
        "number": request.number,
        "html_url": f"https://github.invalid/{name}/pull/{request.number}",
        "title": request.title,
        "body": request.body,
        "state": request.state,
        "merged_at": instant(request.merged_at) if request.merged_at else None,
        "merge_commit_sha": request.merge_sha,
        "created_at": instant(request.created_at),
        "user": person(request.author),
        "head": side(origin, request.branch, request.head_sha),
        "base": side(name, request.base, base_sha),
        "labels": [{"name": label} for label in request.labels],
        "requested_reviewers": [person(login) for login in request.reviewers],
        "requested_teams": [{"slug": slug, "name": slug} for slug in request.teams],
        "author_association": "CONTRIBUTOR",
    }
    return shown | ({"merged": request.merged_at is not None} if is_whole else {})


def side(name: str, branch: str, sha: str) -> dict[str, Any]:
    """One of the branches of a pull request."""
    owner = name.partition("/")[0]
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": person(owner),
        "repo": repository(name),
    }


def status(shown: Status) -> dict[str, Any]:
    """A status."""
    return {
        "id": shown.number,
        "state": shown.state,
        "context": shown.name,
        "description": shown.description,
        "target_url": shown.url,
        "created_at": instant(shown.at),
        "updated_at": instant(shown.at),
    }


def combined(statuses: list[Status], sha: str, name: str) -> dict[str, Any]:
    """The newest status of each name."""
    states = {one.state for one in statuses}
    bad = bool(states & {"failure", "error"})
    state = "failure" if bad else "success" if states == {"success"} else "pending"
    shown = [status(one) for one in statuses]
    return {"sha": sha, "state": state, "total_count": len(statuses), "statuses": shown, "repository": repository(name)}
