"""The stand-in's workspace files, notebooks and volumes."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from logcache_tests.servers.databricks_answers import ApiError, Asked

NOTEBOOK_MARK = b"# Databricks notebook source\n"
WORKSPACE = "/Workspace/"
MOST_BYTES = 10 << 20
"""What the import of the workspace takes at once."""
FILES = "/api/2.0/fs/files"
DIRECTORIES = "/api/2.0/fs/directories"


class Files:
    """Everything that was put there: notebooks, workspace files, and the files of volumes."""

    def __init__(self) -> None:
        self.notebooks: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.folders = {"/Workspace/Shared", "/Volumes/bank/logcache/wheels"}
        self.imports: list[str] = []
        """The path of each import and upload, in order."""
        self.read_only = False

    @property
    def routes(self) -> dict[tuple[str, str], Callable[[Asked], object]]:
        """Method and path → what answers."""
        return {
            ("POST", "/api/2.0/workspace/mkdirs"): self.mkdirs,
            ("POST", "/api/2.0/workspace/import"): self.import_,
            ("GET", "/api/2.0/workspace/get-status"): self.get_status,
        }

    def mkdirs(self, asked: Asked) -> object:
        """A folder and those above it."""
        path = asked.body(dict[str, str])["path"]
        self._require_writable(path)
        self.folders.add(path)
        return {}

    def import_(self, asked: Asked) -> object:
        """A notebook or a file."""
        form = asked.form()
        if unknown := form.keys() - {"path", "format", "language", "overwrite", "content"}:
            raise ApiError(400, "MALFORMED_REQUEST", f"unknown fields {sorted(unknown)}")
        path, content = form["path"].decode(), form["content"]
        self._require_writable(path)
        if path.rpartition("/")[0] not in self.folders:
            raise ApiError(
                404, "RESOURCE_DOES_NOT_EXIST", f"The parent folder ({path.rpartition('/')[0]}) does not exist."
            )
        if len(content) > MOST_BYTES:
            raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", "File size imported is larger than 10485760 bytes")
        kept = self._shelf(form["format"], form.get("language"), content)
        if path in kept and form.get("overwrite") != b"true":
            raise ApiError(400, "RESOURCE_ALREADY_EXISTS", f"Path ({path}) already exists.")
        kept[path] = content
        self.imports.append(path)
        return {}

    def _shelf(self, kind: bytes, language: bytes | None, content: bytes) -> dict[str, bytes]:
        if kind == b"RAW":
            return self.files
        if kind != b"SOURCE" or language != b"PYTHON" or not content.startswith(NOTEBOOK_MARK):
            raise ApiError(
                400, "INVALID_PARAMETER_VALUE", "The content is not a notebook in the given format and language"
            )
        return self.notebooks

    def get_status(self, asked: Asked) -> object:
        """What lies at a path."""
        path = asked.required("path")
        if path in self.notebooks:
            return {"object_type": "NOTEBOOK", "path": path, "language": "PYTHON", "object_id": 1}
        if path in self.files:
            return {"object_type": "FILE", "path": path, "object_id": 2, "size": len(self.files[path])}
        if path in self.folders:
            return {"object_type": "DIRECTORY", "path": path, "object_id": 3}
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")

    def volume(self, asked: Asked) -> tuple[int, dict[str, str]]:
        """The Files API: status and headers."""
        if asked.path.startswith(DIRECTORIES) and asked.method == "PUT":
            self.folders.add(unquote(asked.path.removeprefix(DIRECTORIES)))
            return 204, {}
        path = unquote(asked.path.removeprefix(FILES))
        if asked.method == "HEAD":
            if path not in self.files:
                raise ApiError(404, "NOT_FOUND", f"The file being accessed is not found: {path}")
            return 200, {"Content-Length": str(len(self.files[path])), "Content-Type": "application/octet-stream"}
        if asked.method != "PUT" or str(Path(path).parent) not in self.folders:
            raise ApiError(404, "NOT_FOUND", f"The directory being accessed is not found: {path}")
        self.files[path] = asked.content
        self.imports.append(path)
        return 204, {}

    def _require_writable(self, path: str) -> None:
        if not path.startswith(WORKSPACE):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Path ({path}) must begin with {WORKSPACE}")
        if self.read_only:
            raise ApiError(403, "PERMISSION_DENIED", f"logcache does not have Edit permissions on {path}.")
