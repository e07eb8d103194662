"""Verify an archive and unpack it in one pass: every byte must be the one that the signed list foretells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from convert.errors import InputError
from convert.files import atomic_folder
from convert.package import tape
from convert.package.errors import ArchiveError
from convert.package.keys import SIGNATURE_BYTES, fingerprint, is_signed
from convert.package.listing import SIGNATURE, SUMS, from_text
from convert.progress import Progress, silent

#: A longer list is damage: it would hold some ten thousand files.
MAX_LISTING_BYTES = 1 << 20

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    """An archive that is what was signed: its files (name -> sha256), and the fingerprint of the key."""

    archive: Path
    files: Mapping[str, str]
    key: str


class _Sink(Protocol):
    def __call__(self, name: str, data: bytes) -> None:
        """Take the next bytes of a file."""


def verify_archive(archive: Path, public: Path, progress: Progress = silent) -> Verified:
    """Verify; nothing is written.

    Args:
        archive: the archive.
        public: the public key, from another channel than the archive.
        progress: told after each file.

    Raises:
        InputError: there is no such archive or key.
        ArchiveError: says what is not as it was signed.
    """
    return _verify(archive, public, lambda name, data: None, progress)


def unpack_archive(archive: Path, public: Path, folder: Path, progress: Progress = silent) -> Verified:
    """Verify and unpack; the folder is there only if every byte of the archive is right.

    Raises:
        InputError: there is no such archive or key, or the folder is there already.
        ArchiveError: says what is not as it was signed; then nothing is left behind.
    """
    if folder.exists():
        raise InputError(f"{folder}: is there already; archives are unpacked into new folders; name another one")
    with atomic_folder(folder) as partial:

        def sink(name: str, data: bytes) -> None:
            path = partial / name  # tape.is_safe has seen the name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(data)

        return _verify(archive, public, sink, progress)


def _verify(archive: Path, public: Path, sink: _Sink, progress: Progress) -> Verified:
    if not archive.is_file():
        raise InputError(f"{archive}: no such file; expected an archive of `convert archive`; correct the path")
    with archive.open("rb") as file:
        tape_in = _Tape(archive, file, sink)
        listing = tape_in.small(SUMS, MAX_LISTING_BYTES)
        signature = tape_in.small(SIGNATURE, SIGNATURE_BYTES)
        if not is_signed(listing, signature, public):
            raise ArchiveError(
                archive,
                f"{SUMS} is not signed by {public} (key {fingerprint(public)[:16]}…): it or its signature was "
                "changed, or it was signed with another key",
            )
        try:
            files = from_text(listing.decode("ascii"))
        except ValueError as error:
            raise ArchiveError(archive, str(error)) from error
        for number, (name, sha256) in enumerate(files.items()):
            found = tape_in.file(name, files)
            if found != sha256:
                raise ArchiveError(archive, f"{name} has sha256 {found}; the signed list says {sha256}: it was changed")
            progress("verify", number + 1, len(files))
        tape_in.end(files)
    return Verified(archive, files, fingerprint(public))


class _Tape:
    """Reads an archive from its beginning to its end, comparing every byte that is not a file's content."""

    def __init__(self, archive: Path, file: BinaryIO, sink: _Sink) -> None:
        self._archive = archive
        self._file = file
        self._sink = sink
        self._seen: list[str] = []

    def small(self, name: str, limit_bytes: int) -> bytes:
        """The content of a file that must come next and fit in memory."""
        size = self._header(name, {})
        if size > limit_bytes:
            raise ArchiveError(self._archive, f"{name} has {size} bytes; expected at most {limit_bytes}")
        content = self._take(size, name)
        self._sink(name, content)
        self._zeros(tape.padding(size), f"after {name}")
        return content

    def file(self, name: str, listed: Mapping[str, str]) -> str:
        """sha256 of a file that must come next."""
        left = size = self._header(name, listed)
        digest = hashlib.sha256()
        self._sink(name, b"")
        while left:
            chunk = self._take(min(left, _CHUNK_BYTES), name)
            digest.update(chunk)
            self._sink(name, chunk)
            left -= len(chunk)
        self._zeros(tape.padding(size), f"after {name}")
        return digest.hexdigest()

    def end(self, listed: Mapping[str, str]) -> None:
        """Nothing may follow but the ending."""
        offset = self._file.tell()
        rest = self._file.read(tape.BLOCK_BYTES)
        if len(rest) == tape.BLOCK_BYTES and any(rest):
            self._refuse_member(rest, None, listed, offset)
        expected = tape.ending(offset)
        rest += self._file.read(len(expected) - len(rest))
        if len(rest) < len(expected):
            raise ArchiveError(self._archive, f"is truncated: its ending lacks {len(expected) - len(rest)} bytes")
        if rest != expected:
            raise ArchiveError(self._archive, f"holds changed bytes in its ending, from byte {offset} on")
        if self._file.read(1):
            raise ArchiveError(self._archive, f"holds bytes after its end at byte {offset + len(expected)}")

    def _header(self, name: str, listed: Mapping[str, str]) -> int:
        """Size of the file that must come next, from its header, of which every byte is compared."""
        offset = self._file.tell()
        block = self._take(tape.BLOCK_BYTES, f"the header of {name}")
        found, kind, size = tape.describe(block)
        if found != name or kind or not 0 <= size <= tape.MAX_FILE_BYTES:
            self._refuse_member(block, name, listed, offset)
        if block != tape.header(name, size):
            raise ArchiveError(self._archive, f"the header of {name} at byte {offset} was changed")
        self._seen.append(name)
        return size

    def _refuse_member(self, block: bytes, wanted: str | None, listed: Mapping[str, str], offset: int) -> None:
        """Say what stands where ``wanted``, or the end, should be."""
        name, kind, _ = tape.describe(block)
        place = f"where {wanted} should be" if wanted else "after the last file"
        if not any(block):
            problem = f"{wanted} is missing: the archive ends at byte {offset}"
        elif kind == "damaged":
            problem = f"a damaged header {place}, at byte {offset}"
        elif kind:
            problem = f"{name!r} is {kind}; expected regular files only"
        elif not tape.is_safe(name):
            problem = f"{name!r} would be unpacked outside the folder or under a name that no archive holds"
        elif name in self._seen:
            problem = f"{name} stands twice"
        elif listed and name not in listed:
            problem = f"{name} is not in the signed list: it was added or renamed ({place})"
        else:
            problem = f"{name} stands {place}: a file was removed, renamed or moved, or this is no archive of ours"
        raise ArchiveError(self._archive, problem)

    def _take(self, size: int, what: str) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise ArchiveError(self._archive, f"is truncated in {what}, at byte {self._file.tell()}")
        return data

    def _zeros(self, expected: bytes, where: str) -> None:
        offset = self._file.tell()
        if self._take(len(expected), f"the padding {where}") != expected:
            raise ArchiveError(self._archive, f"holds changed bytes {where}, from byte {offset} on")
