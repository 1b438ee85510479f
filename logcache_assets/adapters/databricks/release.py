"""Wheel and notebook of this version where clusters read them, in folders that are named after their content.

A folder is never changed once it is there, so a run has exactly the code that submitted it, also after an upgrade.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from logcache_assets.adapters.databricks.access import DatabricksAccess
from logcache_assets.adapters.databricks.answers import NotThereError, answered
from logcache_assets.adapters.databricks.wheel import Wheel, own_wheel
from logcache_assets.ports import ObjectExistsError, ObjectNotFoundError, ObjectStore

UPLOAD = "run `logcache databricks upload` on this computer"
_VOLUMES = "/Volumes/"
_S3 = "s3://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where every version is put, each in a folder of its own."""

    folder: str
    """Of the workspace, `/Workspace/Shared/logcache`."""
    wheels: str | None = None
    """Folder for wheels, `/Volumes/…` or `s3://…`; None for that of the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One file of a version."""

    path: str
    was_there: bool


@dataclass(frozen=True, kw_only=True)
class Release:
    """This version: its wheel and its notebook, and where they are."""

    access: DatabricksAccess
    shelf: Shelf
    notebook: Path
    """The notebook's source here."""
    store: ObjectStore
    """Holds wheels whose folder is on S3."""

    @cached_property
    def wheel(self) -> Wheel:
        """The wheel of this code."""
        return own_wheel()

    @property
    def notebook_path(self) -> str:
        """The notebook in the workspace."""
        return f"{self._folder_in(self.shelf.folder)}/{self.notebook.stem}"

    @property
    def wheel_path(self) -> str:
        """The wheel, as a cluster's library names it."""
        return f"{self._folder_in(self.shelf.wheels or self.shelf.folder)}/{self.wheel.file_name}"

    def _folder_in(self, shelf: str) -> str:
        # A workspace shows this name; a plus sign would have to be encoded in URLs.
        return f"{shelf.rstrip('/')}/{self.wheel.version.replace('+', '-')}"

    def has_notebook(self) -> bool:
        """Whether the notebook is there; raises NotebookError if that cannot be found out."""
        return self._has(self.notebook_path, f"notebook {self.notebook_path}")

    def has_wheel(self) -> bool:
        """Whether the whole wheel is there; raises NotebookError or ObjectStoreError if that cannot be found out."""
        path, size = self.wheel_path, len(self.wheel.content)
        if path.startswith(_S3):
            try:
                return self.store.head(path).size_bytes == size
            except ObjectNotFoundError:
                return False
        return self._has(path, f"wheel {path}", size)

    def upload(self) -> Iterator[Placed]:
        """Put there what is not there yet, the notebook last; a run is submitted only where the notebook is.

        Raises:
            NotebookError: Databricks refuses it, or does not answer.
            ObjectStoreError: the same of S3.
        """
        has_wheel = self.has_wheel()
        if not has_wheel:
            self._put_wheel()
        yield Placed(path=self.wheel_path, was_there=has_wheel)
        has_notebook = self.has_notebook()
        if not has_notebook:
            self._put_notebook()
        yield Placed(path=self.notebook_path, was_there=has_notebook)

    def _has(self, path: str, asked: str, size: int | None = None) -> bool:
        try:
            with answered(asked, self.access.host, self.access.blanked):
                found = self._size_of(path)
        except NotThereError:
            return False
        return size is None or found is None or found == size

    def _size_of(self, path: str) -> int | None:
        client = self.access.client
        if path.startswith(_VOLUMES):
            return client.files.get_metadata(path).content_length
        return client.workspace.get_status(path).size

    def _put_wheel(self) -> None:
        path, content = self.wheel_path, self.wheel.content
        if path.startswith(_S3):
            self._create(path, content)
            return
        with answered(f"wheel {path}", self.access.host, self.access.blanked):
            from databricks.sdk.service.workspace import ImportFormat  # noqa: PLC0415 - see access.py

            client = self.access.client
            if path.startswith(_VOLUMES):
                client.files.create_directory(path.rpartition("/")[0])
                client.files.upload(path, io.BytesIO(content), overwrite=True)
            else:
                client.workspace.mkdirs(path.rpartition("/")[0])
                client.workspace.upload(path, content, format=ImportFormat.RAW, overwrite=True)

    def _create(self, uri: str, content: bytes) -> None:
        try:
            self.store.create(uri, content)
        except ObjectExistsError:
            self.store.write(uri, content)

    def _put_notebook(self) -> None:
        path = self.notebook_path
        with answered(f"notebook {path}", self.access.host, self.access.blanked):
            from databricks.sdk.service.workspace import ImportFormat, Language  # noqa: PLC0415 - see access.py

            client = self.access.client
            client.workspace.mkdirs(path.rpartition("/")[0])
            client.workspace.upload(
                path,
                self.notebook.read_bytes(),
                format=ImportFormat.SOURCE,
                language=Language.PYTHON,
                overwrite=True,
            )
