"""A small audit log of real lines in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from guards.audit.key import read_key
from guards.audit.log import AuditLog, AuditOptions
from guards.audit.record import AuditRecord
from guards.audit.report import AuditReport
from guards.audit.verify import verify
from guards.verdict import Action, Verdict

STAMP = "1+138001380001"  # a hash that looks like a telephone number


def record(number: int, text: str = "where is my parcel") -> AuditRecord:
    """A turn like the runtime's."""
    return AuditRecord(
        at=1_700_000_000 + number,
        session_id=f"session-{number}",
        client="addr:192.168.1.77",
        verdict_in=Verdict(Action.ALLOW, scores={"toxicity": 0.01234567}, policy_version=STAMP),
        verdict_out=Verdict(Action.REDACT, "pii.phone", (3, 14), {}, STAMP),
        end="stop",
        intent="track_order",
        sources=("model:demo",),
        prompt_tokens=120,
        cached_tokens=100,
        completion_tokens=30,
        timing_ms={"guard_in": 1.23456, "total": 900.0},
        question=text,
        answer=f"Call 13800138000 about {text}",
    )


class Place:
    """Where a test's log lies."""

    def __init__(self, folder: Path, key: Path) -> None:
        self.folder = folder
        self.key = key

    def open(self, options: AuditOptions | None = None) -> AuditLog:
        return AuditLog(self.folder, self.key, options)

    def write(self, count: int, options: AuditOptions | None = None, first: int = 0) -> None:
        with self.open(options) as log:
            for number in range(first, first + count):
                log.append(record(number))

    def verify(self) -> AuditReport:
        return verify(self.folder, read_key(self.key))

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("audit-*.jsonl"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "audit", tmp_path / "key")


Edit = Callable[[list[bytes]], list[bytes]]
