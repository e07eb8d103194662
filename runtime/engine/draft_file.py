"""The answers that drafts are made of, kept over a restart in one checksummed file.

Layout, little-endian: magic (8 bytes), SHA-256 of all that follows, SHA-256 of the stamp, then
``DraftIndex.experience`` as doubles and ``DraftIndex.ring`` as int32.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
import tempfile
from pathlib import Path

from runtime.engine.drafts import DraftIndex

log = logging.getLogger(__name__)

_MAGIC = b"TBDRAFT1"
_DIGEST_BYTES = hashlib.sha256().digest_size
_HEAD_BYTES = len(_MAGIC) + _DIGEST_BYTES


class DraftFile:
    """Where an index is kept. Used by the index's thread."""

    def __init__(self, index: DraftIndex, path: Path, stamp: str) -> None:
        """Nothing is read yet.

        Args:
            index: to save, and to load into.
            path: of the file; its folder is made.
            stamp: names the model; only an index with the same stamp takes the file.
        """
        self._index = index
        self._path = path
        self._stamp = hashlib.sha256(stamp.encode()).digest()

    def save(self) -> bool:
        """Write all, whole or not at all, so that only this user may read it; False, logged, if it cannot be."""
        path, ring, experience = self._path, self._index.ring, self._index.experience
        body = self._stamp + struct.pack(f"<{len(experience)}d{len(ring)}i", *experience, *ring)
        partial = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(body).digest() + body)
                file.flush()
                os.fsync(handle)
            os.replace(partial, path)
        except OSError as error:
            log.warning("%s: drafts not saved: %s; free the disk or name another folder", path, error)
            with contextlib.suppress(OSError):
                os.unlink(partial)
            return False
        return True

    def load(self) -> bool:
        """Add what the file holds; False, logged, if it is missing, damaged, too large or another model's."""
        path, most = self._path, self._index.capacity_tokens
        weights = len(self._index.experience)
        fixed_bytes = _DIGEST_BYTES + 8 * weights
        try:
            with path.open("rb") as file:
                data = file.read(_HEAD_BYTES + fixed_bytes + 4 * most + 1)
        except OSError as error:
            log.info("%s: no drafts loaded: %s", path, error)
            return False
        head, body = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
        held, rest = divmod(len(body) - fixed_bytes, 4)
        if rest or not 0 <= held <= most or head != _MAGIC + hashlib.sha256(body).digest():
            log.warning("%s: drafts ignored: damaged, or more than %d tokens", path, most)
            return False
        if body[:_DIGEST_BYTES] != self._stamp:
            log.info("%s: drafts ignored: written for another model", path)
            return False
        numbers = struct.unpack(f"<{weights}d{held}i", body[_DIGEST_BYTES:])
        self._index.restore(numbers[:weights], numbers[weights:])
        return True
