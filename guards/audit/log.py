"""The audit log as the service uses it: one line a turn, on the disk before ``append`` returns; a full disk is counted.

A killed process loses nothing that ``append`` returned from. With ``sync_s`` 0 neither does a power cut: each line is
forced to the disk (fdatasync) before the head file is told of it. The head itself is not forced: an older head is
recognised as such, because lines cannot be forged without the key.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from guards.audit.chain import pseudonym
from guards.audit.errors import AuditBusyError, AuditWriteError
from guards.audit.files import ChainFiles
from guards.audit.folder import HEAD, LOCK, numbers_in
from guards.audit.key import read_key, read_or_make_key
from guards.audit.record import AuditRecord, written

_FILES_MIN = 3


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How the log is kept.

    Attributes:
        file_bytes: a file that would grow beyond this is followed by a new one.
        total_bytes: the oldest files are deleted so that all together stay below this.
        text_chars: characters that are kept of each question and answer, redacted; 0 keeps no texts.
        sync_s: 0 forces each line to the disk; else lines are forced together, at most once in so many seconds, and a
            power cut may cost those since then.
    """

    file_bytes: int = 8 << 20
    total_bytes: int = 128 << 20
    text_chars: int = 0
    sync_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the chain at some moment. Noted elsewhere, it shows if the whole log was replaced by an older state.

    Attributes:
        seq: number of the last line.
        mac: its mac.
    """

    seq: int
    mac: str


class AuditLog:
    """Writes the lines. Safe from any thread; one process at a time has a folder."""

    def __init__(self, folder: Path, key_file: Path, options: AuditOptions | None = None) -> None:
        """Open a folder, or begin one; a key is only made for a folder that holds no log yet.

        Raises:
            AuditKeyError: there is no key for the log that is there, or it cannot be trusted.
            AuditBusyError: another process writes to the folder.
            AuditWriteError: the folder cannot be written.
            ValueError: ``total_bytes`` has no room for three files.
        """
        self._options = options or AuditOptions()
        if self._options.file_bytes < 1 or self._options.total_bytes < _FILES_MIN * self._options.file_bytes:
            raise ValueError(
                f"total_bytes is {self._options.total_bytes}; expected at least {_FILES_MIN} times file_bytes "
                f"({self._options.file_bytes})"
            )
        self._folder = folder
        self._thread = threading.Lock()
        self._failures = self._missed = 0
        self._problem: str | None = None
        self._synced_s = float("-inf")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            known = bool(numbers_in(folder)) or (folder / HEAD).exists()
            self._lock = _locked(folder)
            try:
                self._key = read_key(key_file) if known else read_or_make_key(key_file)
                self._files = ChainFiles(folder, self._key, self._options.file_bytes, self._options.total_bytes)
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise AuditWriteError(f"{folder}: no audit log can be kept here ({error}); give another folder") from error

    @property
    def problem(self) -> str | None:
        """Why the last line could not be written; None if all is well."""
        return self._problem

    @property
    def failures(self) -> int:
        """How often a line could not be written, or not be forced to the disk, since the start."""
        return self._failures

    @property
    def anchor(self) -> Anchor:
        """The end of the chain now."""
        with self._thread:
            return Anchor(self._files.seq, self._files.mac)

    def append(self, record: AuditRecord) -> None:
        """Write a turn's line. The next line that can be written says how many could not (``missed``).

        Raises:
            AuditWriteError: it is not on the disk; the log counts that and can be used on.
        """
        data = written(record, lambda name: pseudonym(self._key, name), self._options.text_chars)
        with self._thread:
            if self._lock < 0:
                raise AuditWriteError(f"{self._folder}: the audit log is closed; open it again")
            try:
                self._files.append(record.at, {**data, "missed": self._missed} if self._missed else data)
            except (OSError, ValueError, TypeError) as error:
                self._missed += 1
                raise self._failed(f"the line of a turn could not be written ({error})") from error
            self._missed = 0
            try:
                self._keep()
            except OSError as error:
                raise self._failed(f"the line of a turn may not outlast a power cut ({error})") from error
            self._problem = None

    def close(self) -> None:
        """Force everything to the disk and give the folder back."""
        with self._thread:
            if self._lock >= 0:
                self._files.close()
                os.close(self._lock)
                self._lock = -1

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self) -> None:
        now_s = time.monotonic()
        due = now_s - self._synced_s >= self._options.sync_s
        self._files.keep(sync=due)
        if due:
            self._synced_s = now_s

    def _failed(self, what: str) -> AuditWriteError:
        self._failures += 1
        self._problem = f"{self._folder}: {what}; make room, or correct the folder"
        return AuditWriteError(self._problem)


def _locked(folder: Path) -> int:
    """The folder's lock, held until it is closed or the process ends. Raises OSError."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise AuditBusyError(
            f"{folder}: another process writes this audit log; give each server a folder of its own"
        ) from error
    return lock
