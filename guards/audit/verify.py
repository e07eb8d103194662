"""Verification of an audit log: every line is genuine and in its place, and none is missing anywhere.

What it cannot see: an older state of the whole folder put back, head included. Against that, note the anchor (number
and mac of the last line) elsewhere from time to time and give it to ``verify``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from guards.audit.chain import FILE, GENESIS, TURN, Link
from guards.audit.errors import AuditReadError
from guards.audit.folder import HEAD, Row, name_of, numbers_in, read_head, rows_of
from guards.audit.log import Anchor
from guards.audit.recovery import Begin, begin_in
from guards.audit.report import AuditFinding, AuditReport

_ATTEMPTS = 3


def verify(folder: Path, key: bytes, anchor: Anchor | None = None) -> AuditReport:
    """Verify the log in a folder; also while it is being written.

    Raises:
        AuditReadError: the folder cannot be read, or there is no log in it.
    """
    try:
        for attempt in range(_ATTEMPTS):
            try:
                return _verify(folder, key, anchor)
            except FileNotFoundError:  # a writer has just deleted the oldest file, and said so in its newest
                if attempt + 1 == _ATTEMPTS or not folder.exists():
                    raise
    except OSError as error:
        raise AuditReadError(f"{folder}: the audit log cannot be read ({error})") from error
    raise AssertionError("unreachable")


def _verify(folder: Path, key: bytes, anchor: Anchor | None) -> AuditReport:
    head, has_head = read_head(key, folder)  # before the lines: it must never know of more than is read
    numbers = numbers_in(folder)
    if not numbers and not has_head:
        raise AuditReadError(f"{folder}: holds no audit log; give the folder that the server writes to")
    check = _Check()
    if head is None:
        check.find(HEAD, 0, "is not genuine" if has_head else "is missing, so lines may be missing at the end")
    for number in numbers:
        check.begin_file(number)
        for row in rows_of(key, folder / name_of(number)):
            check.row(row)
    check.beginning()
    if head is not None:
        check.end(Anchor(head.seq, head.mac), "the head file")
    if anchor is not None:
        check.end(anchor, "the anchor")
    check.open_end()
    return check.report(len(numbers))


class _Check:
    """What is known of the chain after the lines so far."""

    def __init__(self) -> None:
        self._findings: list[AuditFinding] = []
        self._notices: list[AuditFinding] = []
        self._macs: dict[int, str] = {}
        self._file = self._line = 0
        self._first: tuple[int, Link] | None = None
        self._last: Link | None = None
        self._begin = Begin()
        self._bad = 0  # lines that are not genuine since the last one that is
        self._rest = b""  # what stands after the last line end of the file
        self._lines = self._turns = self._missed = 0

    def find(self, file: str, line: int, problem: str) -> None:
        self._findings.append(AuditFinding(file, line, problem))

    def begin_file(self, number: int) -> None:
        if self._file and number != self._file + 1:
            missing = ", ".join(map(name_of, range(self._file + 1, min(number, self._file + 9))))
            self.find(name_of(number), 0, f"{number - self._file - 1} files before it are missing ({missing})")
        self._file, self._line = number, 0

    def row(self, row: Row) -> None:
        self._lines += 1
        self._line = row.number
        if row.link is None:
            if row.whole:
                self._bad += 1
                self._here("is changed or forged")
            else:
                self._rest = row.raw
            return
        self._place(row.link)
        if (row.link.kind == FILE) != (row.number == 1):
            self._here(
                "is the first line of a file, in another place"
                if row.link.kind == FILE
                else "is not a file's first line"
            )
        elif row.link.kind == FILE:
            self._first_line(row.link)
        self._macs.setdefault(row.link.seq, row.link.mac)
        self._last = row.link if self._last is None or row.link.seq > self._last.seq else self._last
        self._bad, self._rest = 0, b""
        if row.link.kind == TURN:
            self._turns += 1
            missed = row.link.data.get("missed", 0)
            self._missed += missed if isinstance(missed, int) else 0

    def _place(self, link: Link) -> None:
        """Whether the line follows the last one."""
        last = self._last
        if last is None:
            self._first = (self._file, link)
            if self._bad == 0 and self._line == 1:
                return
            return
        lost = _whole(link.data.get("after"), "lost") if link.kind == FILE else 0
        gap = link.seq - last.seq - 1 - lost
        if link.seq in self._macs:
            again = self._macs[link.seq] == link.mac
            self._here(f"is line number {link.seq} again" if again else f"is another line number {link.seq}")
        elif gap < 0:
            self._here(f"has number {link.seq} after {last.seq}; it stood before that")
        elif gap > self._bad:
            self._here(f"has number {link.seq} after {last.seq}; {gap - self._bad} lines before it are missing")
        elif gap == 0 and link.prev != last.mac:
            self._here(f"does not follow line number {last.seq}: that one was replaced")

    def _first_line(self, link: Link) -> None:
        """What the first line of a file says of itself, of the file before it and of the chain's beginning."""
        if link.data.get("file") != self._file:
            self._here(f"belongs to {name_of(_whole(link.data, 'file'))}")
        self._begin = begin_in(link) or self._begin
        after = link.data.get("after")
        if _whole(after, "lost"):
            self._here(f"{_whole(after, 'lost')} lines before it were missing when the server was started again")
        if isinstance(after, dict) and after.get("head_damaged"):
            self._here("the head file was missing or damaged when the server was started again")
        torn = _whole(after, "torn_bytes")
        if self._rest:
            digest = hashlib.sha256(self._rest).hexdigest()
            if isinstance(after, dict) and (torn, after.get("torn_sha256")) == (len(self._rest), digest):
                self._notice(name_of(self._file - 1), f"ends with {torn} bytes of a line that a crash cut off")
            else:
                self._here(f"the file before it ends with {len(self._rest)} bytes that are no line")
        elif torn and not self._bad:
            self._here(f"{torn} bytes at the end of the file before it are missing")

    def beginning(self) -> None:
        """Whether older files are gone that the log does not say were deleted."""
        if self._first is None:
            return
        file, link = self._first
        begin = self._begin
        if file > begin.file:
            self.find(name_of(file), 1, f"the log begins here; {name_of(begin.file)} and what follows it are missing")
        elif file == begin.file and (link.seq, link.prev) != (begin.seq, begin.prev) and not self._findings:
            self.find(name_of(file), 1, f"the log begins with line number {link.seq}; expected {begin.seq}")

    def end(self, known: Anchor, where: str) -> None:
        """Whether the line that somebody knows of is there."""
        last = self._last.seq if self._last else 0
        at = name_of(self._file) if self._file else HEAD
        if known.seq > last:
            self.find(at, self._line, f"the log ends with line number {last}; {where} knows of {known.seq}")
        elif known.seq in self._macs and self._macs[known.seq] != known.mac:
            self.find(at, self._line, f"line number {known.seq} is not the one that {where} knows of")

    def open_end(self) -> None:
        """What stands after the last line end, of which the head knows nothing: left by a crash, or on its way."""
        if self._rest:
            self._notice(name_of(self._file), f"ends with {len(self._rest)} bytes of an unfinished line")

    def report(self, files: int) -> AuditReport:
        first, last = self._first, self._last
        return AuditReport(
            files=files,
            lines=self._lines,
            turns=self._turns,
            missed=self._missed,
            first_seq=first[1].seq if first else 0,
            last_seq=last.seq if last else 0,
            last_mac=last.mac if last else GENESIS,
            dropped_files=first[0] - 1 if first else 0,
            findings=tuple(self._findings),
            notices=tuple(self._notices),
        )

    def _here(self, problem: str) -> None:
        self.find(name_of(self._file), self._line, problem)

    def _notice(self, file: str, problem: str) -> None:
        self._notices.append(AuditFinding(file, self._line, problem))


def _whole(row: object, key: str) -> int:
    """A whole number in a row; 0 if it is none."""
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, int) else 0
