"""Wheels of what is installed here: the application's dependencies, without a network."""

from __future__ import annotations

import zipfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(name: str) -> set[str]:
    """A distribution's dependencies and theirs, by canonical name, without itself."""
    found: set[str] = set()
    left = [name]
    while left:
        for text in metadata.requires(left.pop()) or ():
            wanted = Requirement(text)
            key = str(canonicalize_name(wanted.name))
            if key not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                found.add(key)
                left.append(key)
    return found


def repack(name: str, out: Path) -> Path:
    """The wheel that a distribution was installed from, but for its scripts and what Python compiled since."""
    found = metadata.distribution(name)
    wheel = found.read_text("WHEEL") or ""
    tags = [line.removeprefix("Tag: ").split("-") for line in wheel.splitlines() if line.startswith("Tag: ")]
    parts = [".".join(sorted({tag[place] for tag in tags})) for place in range(3)]
    stem = f"{str(canonicalize_name(name)).replace('-', '_')}-{found.version}"
    path = out / f"{stem}-{'-'.join(parts)}.whl"
    made_here = {"INSTALLER", "REQUESTED", "direct_url.json"}
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(found.files or (), key=str):
            if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in made_here:
                archive.write(str(file.locate()), str(file))
    return path
