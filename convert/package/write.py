"""Write an archive: the signed list first, then every file in its order; the same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from convert.errors import InputError
from convert.files import atomic_output
from convert.package import tape
from convert.package.keys import sign
from convert.package.listing import SIGNATURE, SUMS, to_text
from convert.progress import Progress, silent
from models.bundle import sha256_of


@dataclass(frozen=True, slots=True)
class Archive:
    """A written archive: where it is, its size, its sha256 and how many files are in it."""

    path: Path
    bytes: int
    sha256: str
    files: int


def write_archive(out: Path, files: Mapping[str, Path | bytes], private: Path, progress: Progress = silent) -> Archive:
    """Write ``out``, which is there only once it is whole.

    Args:
        out: the archive.
        files: name in the archive, with slashes -> a file, or its bytes.
        private: the key to sign with.
        progress: told after each file.

    Raises:
        InputError: a name cannot be in an archive, a file is missing, too large or changes meanwhile; the key is bad.
    """
    for name, content in files.items():
        _refuse(name, content)
    digests = {name: _digest(content) for name, content in files.items()}
    listing = to_text(digests).encode("ascii")
    parts: list[tuple[str, Path | bytes]] = [(SUMS, listing), (SIGNATURE, sign(listing, private))]
    parts += [(name, files[name]) for name in sorted(files)]
    with atomic_output(out) as partial, partial.open("wb") as file:
        for number, (name, content) in enumerate(parts):
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            file.write(tape.header(name, size))
            begun = file.tell()
            written = _copy(content, file)
            if file.tell() - begun != size or written != digests.get(name, written):
                raise InputError(f"{name}: changed while it was packed; wait until nobody writes it, then try again")
            file.write(tape.padding(size))
            progress("archive", number + 1, len(parts))
        file.write(tape.ending(file.tell()))
    return Archive(out, out.stat().st_size, sha256_of(out), len(parts))


def _refuse(name: str, content: Path | bytes) -> None:
    if not tape.is_safe(name):
        raise InputError(
            f"{name!r}: cannot be a name in an archive; expected at most {tape.MAX_NAME_BYTES} letters, digits and "
            f". _ + ! - in parts that begin with a letter, digit or _, in folders of {tape.MAX_FOLDER_BYTES}; rename it"
        )
    if isinstance(content, bytes):
        return
    if not content.is_file():
        raise InputError(f"{content}: no such file; it was to be {name} in the archive; correct the path")
    if content.stat().st_size > tape.MAX_FILE_BYTES:
        raise InputError(f"{content}: larger than {tape.MAX_FILE_BYTES} bytes, which is all that the format holds")


def _copy(content: Path | bytes, file: BinaryIO) -> str:
    """Append a file's bytes; returns their hex sha256."""
    digest = hashlib.sha256()
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _digest(content: Path | bytes) -> str:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256_of(content)
