"""The file format of one spilled KV state: a checksummed header that names it, then the checksummed bytes.

Layout, little-endian: magic (8 bytes), format version (uint32), header length in bytes (uint32), header (JSON), SHA-256
of all that (32 bytes), payload. The header holds the stamp, the name, and length and SHA-256 of the payload, so every
byte of a file is under one checksum or the other. A file is called after its content: ``<BlobName.key>.kv``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runtime.errors import RuntimeFault

SUFFIX = ".kv"

_MAGIC = b"TBOX-KV\n"
_VERSION = 1
_PREFIX = struct.Struct("<8sII")
_DIGEST_BYTES = hashlib.sha256().digest_size


class BlobFileError(RuntimeFault):
    """A blob file is missing, cannot be read, or is not what it should be; the state has to be computed anew."""


@dataclass(frozen=True, slots=True)
class BlobName:
    """Which KV state a blob holds.

    Attributes:
        adapter: the LoRA adapter that computed it; empty for the bare model. A name of its content, if an adapter's
            file may change under its old name.
        start: the first position held.
        tokens: the path from position 0; positions ``start`` to ``len(tokens) - 1`` are held, each token an int32.

    Raises:
        ValueError: no position would be held.
    """

    adapter: str
    start: int
    tokens: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.start < len(self.tokens):
            raise ValueError(f"start is {self.start}; expected 0 to {len(self.tokens) - 1}, the last position held")

    @property
    def key(self) -> str:
        """64 hexadecimal digits over all three: the same in every process, unlike ``hash()``."""
        adapter = self.adapter.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(struct.pack("<qI", self.start, len(adapter)))
        digest.update(adapter)
        digest.update(_pack(self.tokens))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class BlobHeader:
    """What a file says of itself.

    Attributes:
        stamp: the model, library and layout that its bytes are good for.
        name: which state it is.
        payload_bytes: length of the state.
        payload_sha256: of the state, 64 hexadecimal digits.
    """

    stamp: str
    name: BlobName
    payload_bytes: int
    payload_sha256: str


def pack_head(stamp: str, name: BlobName, data: bytes) -> bytes:
    """What a file holds in front of its payload ``data``."""
    header = BlobHeader(stamp, name, len(data), hashlib.sha256(data).hexdigest())
    return _pack_head(header, base64.b64encode(_pack(name.tokens)).decode("ascii"))


def file_bytes(stamp: str, name: BlobName, payload_bytes: int) -> int:
    """How long the file of a state of ``payload_bytes`` will be."""
    header = BlobHeader(stamp, name, payload_bytes, "0" * (2 * _DIGEST_BYTES))
    packed_bytes = 4 * len(name.tokens)
    return len(_pack_head(header, "A" * ((packed_bytes + 2) // 3 * 4))) + payload_bytes


def read_header(path: Path) -> BlobHeader:
    """The header of a file, checked, as well as the file's name and length. The payload is not read.

    Raises:
        BlobFileError: anything is not as ``pack_head`` writes it, or the file cannot be read.
    """
    try:
        with _open(path) as file:
            return _read_head(path, file)
    except OSError as error:
        raise _broken(path, str(error.strerror), "a readable file") from error


def read_payload(path: Path, stamp: str, name: BlobName) -> bytes:
    """The state ``name`` out of a file, checked.

    Raises:
        BlobFileError: it is another state's file or of another stamp, a byte is wrong, or it cannot be read.
    """
    try:
        with _open(path) as file:
            header = _read_head(path, file)
            if (header.stamp, header.name) != (stamp, name):
                raise _broken(path, "the state of another model or prompt", "the one that was asked for")
            data = file.read(header.payload_bytes)
    except OSError as error:
        raise _broken(path, str(error.strerror), "a readable file") from error
    found = hashlib.sha256(data).hexdigest()
    if found != header.payload_sha256:
        raise _broken(path, f"payload with SHA-256 {found}", header.payload_sha256)
    return data


def _pack(tokens: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(tokens)}i", *tokens)


def _pack_head(header: BlobHeader, tokens: str) -> bytes:
    """Magic to checksum; ``tokens`` is base64 of int32: faster to parse than a JSON list of thousands."""
    text = json.dumps(
        {
            "stamp": header.stamp,
            "adapter": header.name.adapter,
            "start": header.name.start,
            "tokens": tokens,
            "payload_bytes": header.payload_bytes,
            "payload_sha256": header.payload_sha256,
        }
    ).encode("ascii")
    head = _PREFIX.pack(_MAGIC, _VERSION, len(text)) + text
    return head + hashlib.sha256(head).digest()


def _open(path: Path) -> BinaryIO:
    # Neither a link out of the folder nor a pipe that nobody writes to may lead astray or block.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _broken(path, "no regular file", "one")
    return os.fdopen(descriptor, "rb")


def _read_head(path: Path, file: BinaryIO) -> BlobHeader:
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        raise _broken(path, f"{size} bytes", "a whole header")
    magic, version, text_bytes = _PREFIX.unpack(prefix)
    if (magic, version) != (_MAGIC, _VERSION):
        raise _broken(path, f"magic {magic!r}, version {version}", f"{_MAGIC!r}, {_VERSION}")
    payload_at = _PREFIX.size + text_bytes + _DIGEST_BYTES
    if payload_at > size:
        raise _broken(path, f"{size} bytes", f"a header of {text_bytes}")
    text = file.read(text_bytes)
    if file.read(_DIGEST_BYTES) != hashlib.sha256(prefix + text).digest():
        raise _broken(path, "a header that does not match its checksum", "one that does")
    header = _parse(path, text)
    if size != payload_at + header.payload_bytes:
        raise _broken(path, f"{size} bytes", f"{payload_at + header.payload_bytes}")
    if path.name != header.name.key + SUFFIX:
        raise _broken(path, f"the state {header.name.key}", "the one that the file is called after")
    return header


def _parse(path: Path, text: bytes) -> BlobHeader:
    # The checksum was right, so only a file that somebody made by hand fails here.
    try:
        fields = json.loads(text)
        packed = base64.b64decode(fields["tokens"], validate=True)
        tokens = struct.unpack(f"<{len(packed) // 4}i", packed)
        header = BlobHeader(
            stamp=fields["stamp"],
            name=BlobName(fields["adapter"], fields["start"], tokens),
            payload_bytes=fields["payload_bytes"],
            payload_sha256=fields["payload_sha256"],
        )
    except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise _broken(path, f"a header without sense ({error})", "stamp, name, length and SHA-256") from error
    kinds = (header.stamp, str), (header.name.adapter, str), (header.name.start, int), (header.payload_bytes, int)
    if not all(type(value) is kind for value, kind in kinds):
        raise _broken(path, "a header with fields of a wrong type", "two texts and two whole numbers")
    return header


def _broken(path: Path, found: str, expected: str) -> BlobFileError:
    return BlobFileError(f"{path}: {found}; expected {expected}; delete it, the state is computed anew")
