"""Reports and pull requests of the local world in a browser, and nothing else."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.cli.local import serve_ui
from logcache_assets.domain.canonical_json import canonical_json
from logcache_assets.errors import Refused
from logcache_assets.local_platform.pages import Pages, open_server
from logcache_assets.local_platform.pull_request_files import PullRequestFiles, PullRequestRecord
from logcache_assets.settings import child_environment
from logcache_tests.worlds import files_of, settings_at

BUCKET = "permanent"
FOLDER = "cache/_refresh/06089f89-1c77/validation_report"
PERSONAL = "a value that nobody may read"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a server over a small world, whose other files hold a secret."""
    written = {
        f"{FOLDER}/all.html": "<h1>Verdict</h1>",
        f"{FOLDER}/all.md": "# Verdict",
        f"{FOLDER}/all.json": PERSONAL,
        "cache/feed-s0/1/log/part.parquet": PERSONAL,
        "cache/_refresh/06089f89-1c77/attempt/all.html": PERSONAL,
    }
    for bucket in (BUCKET, "other"):
        for key, text in written.items():
            path = tmp_path / "buckets" / bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PERSONAL if bucket == "other" else text, encoding="utf-8")
    (tmp_path / "pii_key").write_text(PERSONAL, encoding="utf-8")
    requests = tmp_path / "pull_requests"
    requests.mkdir()
    record = PullRequestRecord(
        number=1, branch="b", title="<Refresh>", state="open", head_sha="ab" * 20, opened_at="", updated_at=""
    )
    (requests / "1.json").write_text(canonical_json(record), encoding="utf-8")
    (requests / "1.md").write_text("<script>alert(1)</script>", encoding="utf-8")
    pages = Pages(
        store=FolderObjectStore(tmp_path / "buckets", SystemClock()),
        bucket=BUCKET,
        pull_requests=PullRequestFiles(requests),
    )
    server = open_server(pages, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def ask(port: int, path: str, *, host: str = "127.0.0.1", method: str = "GET") -> tuple[int, str, str]:
    """Status, content type and text of an answer."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request(method, path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers["Content-Type"], text


@pytest.mark.parametrize(
    ("path", "content_type", "text"),
    [
        pytest.param(f"/{BUCKET}/{FOLDER}/all.html", "text/html; charset=utf-8", "<h1>Verdict</h1>", id="page"),
        pytest.param(f"/{BUCKET}/{FOLDER}/all.md", "text/plain; charset=utf-8", "# Verdict", id="Markdown"),
    ],
)
def test_a_report_is_served(port: int, path: str, content_type: str, text: str) -> None:
    """With the type by which a browser shows it."""
    assert ask(port, path) == (200, content_type, text)


def test_a_pull_request_is_served_as_text(port: int) -> None:
    """What its title and text say is shown, and never run."""
    status, _, text = ask(port, "/pull_requests/1")

    assert (status, "&lt;Refresh&gt;" in text, "&lt;script&gt;" in text) == (200, True, True)
    assert "<script>" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/pii_key",
        f"/{BUCKET}/{FOLDER}/all.json",
        f"/{BUCKET}/{FOLDER}/",
        f"/{BUCKET}/cache/feed-s0/1/log/part.parquet",
        f"/{BUCKET}/cache/_refresh/06089f89-1c77/attempt/all.html",
        f"/other/{FOLDER}/all.html",
        f"/{BUCKET}/{FOLDER}/../../../../../../pii_key",
        f"/{BUCKET}/{FOLDER}/..%2f..%2f..%2f..%2f..%2f..%2fpii_key",
        f"/{BUCKET}/cache/_refresh/../validation_report/all.html",
        f"/{BUCKET}/{FOLDER}/all.html%0a",
        f"/{BUCKET}/{FOLDER}/none.html",
        "/pull_requests/2",
        "/pull_requests/1.json",
        "/pull_requests/../pii_key",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    """No other object, no other bucket, no file of the disk."""
    status, content_type, text = ask(port, path)

    assert (status, content_type) == (404, "text/plain; charset=utf-8")
    assert PERSONAL not in text


@pytest.mark.parametrize(
    ("host", "method", "status"),
    [
        pytest.param("localhost", "GET", 200, id="this computer's name"),
        pytest.param("127.0.0.1", "HEAD", 200, id="headers alone"),
        pytest.param("attacker.invalid", "GET", 404, id="a name that another site points here"),
        pytest.param("127.0.0.1", "POST", 501, id="writing"),
    ],
)
def test_who_asks_matters(port: int, host: str, method: str, status: int) -> None:
    """Another site's page in the same browser reads no report."""
    assert ask(port, f"/{BUCKET}/{FOLDER}/all.html", host=host, method=method)[0] == status


def test_the_server_ends_when_the_process_that_started_it_does(tmp_path: Path) -> None:
    """Nothing listens after Dagit was killed: its end of the pipe is closed, whatever ended it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    environment = dict(child_environment(settings_at(tmp_path, pages_port=str(number))))
    arguments = [sys.executable, "-m", "logcache_assets.cli.local_pages"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(timeout=60) == 0


def test_a_taken_port_is_told_at_once(tmp_path: Path) -> None:
    """And nothing was made or started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        before = files_of(tmp_path)

        with pytest.raises(Refused, match=rf"port {number} is taken .* logcache local ui --port {number + 1}"):
            serve_ui(settings_at(tmp_path), port=number, say=print)

    assert files_of(tmp_path) == before
