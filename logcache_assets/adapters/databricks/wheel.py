"""A wheel of the code that runs here, made from the installed files: the same code gives the same bytes.

A build of the project's checkout would need the checkout, a build backend and a network, none of which a deployment
has. What the wheel requires is pinned to the versions that are installed here, so that a cluster runs what was tested.
"""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import logcache_assets

DISTRIBUTION = "logcache-assets"
MODULE = "logcache_assets"
_ORCHESTRATION = ("dagster", "click", "jinja2", "rich", "sqlalchemy")
"""How the names of distributions begin that commands, pages and Dagster need, and no notebook does."""
_SPARKS_OWN = ("pyarrow",)
"""A cluster's own version is kept if it is new enough: its Spark was built with it."""
_UNREAD = ("local_platform/demo_world/",)
"""Files that no notebook reads: half of the package."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LABEL_CHARACTERS = 12
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel file."""

    version: str
    """`0.1.0+3fa9c1d2e4b5`: the package's, and the beginning of the digest of its content."""
    content: bytes

    @property
    def file_name(self) -> str:
        """`logcache_assets-0.1.0+3fa9c1d2e4b5-py3-none-any.whl`."""
        return f"{MODULE}-{self.version}-py3-none-any.whl"


@cache
def own_wheel() -> Wheel:
    """The wheel of this code."""
    files = dict(_package_files(Path(logcache_assets.__file__).parent))
    return build_wheel(files, version=metadata.version(DISTRIBUTION), requires=pinned_requirements())


def _package_files(package: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and not name.startswith(_UNREAD):
            yield f"{MODULE}/{name}", path.read_bytes()


def pinned_requirements() -> tuple[str, ...]:
    """What a notebook needs of what this package needs, at the versions that are installed here."""
    declared = (text for text in metadata.requires(DISTRIBUTION) or () if "extra ==" not in text)
    return tuple(sorted(filter(None, map(_pinned, declared))))


def _pinned(requirement: str) -> str | None:
    found = _NAME.match(requirement)
    name = found.group() if found else ""
    if name.lower().startswith(_ORCHESTRATION):
        return None
    return requirement if name.lower() in _SPARKS_OWN else f"{name}=={metadata.version(name)}"


def build_wheel(files: Mapping[str, bytes], *, version: str, requires: tuple[str, ...]) -> Wheel:
    """Pack files into a wheel whose version names their content."""
    said = hashlib.sha256("\n".join(requires).encode())
    for name, content in sorted(files.items()):
        said.update(f"\n{name} {hashlib.sha256(content).hexdigest()}".encode())
    labelled = f"{version}+{said.hexdigest()[:_LABEL_CHARACTERS]}"
    described = f"{MODULE}-{labelled}.dist-info"
    described_files = {f"{described}/METADATA": _metadata(labelled, requires), f"{described}/WHEEL": _WHEEL}
    return Wheel(version=labelled, content=_packed({**files, **described_files}, f"{described}/RECORD"))


_WHEEL = b"Wheel-Version: 1.0\nGenerator: logcache-assets\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _metadata(version: str, requires: tuple[str, ...]) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {DISTRIBUTION}", f"Version: {version}", "Requires-Python: >=3.11"]
    return "".join(f"{line}\n" for line in (*lines, *(f"Requires-Dist: {text}" for text in requires))).encode()


def _packed(files: Mapping[str, bytes], record: str) -> bytes:
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in sorted(files.items())]
    entries = {**files, record: "\n".join([*rows, f"{record},,", ""]).encode()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(entries.items()):
            archive.writestr(zipfile.ZipInfo(name, date_time=_LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
