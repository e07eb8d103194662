"""A finished turn, written into the audit log; a log that cannot be written does not cost the customer the answer."""

from __future__ import annotations

import logging
import time

from guards.audit.errors import AuditError
from guards.audit.log import AuditLog
from guards.audit.record import AuditRecord
from guards.verdict import Verdict
from runtime.assistant.turn import TurnResult

log = logging.getLogger(__name__)


def write_down(
    audit: AuditLog,
    result: TurnResult,
    *,
    client: str,
    question: str,
    verdicts: tuple[Verdict, Verdict | None],
    end: str,
) -> None:
    """Append the turn's line. ``verdicts`` are those on the message and, if there was one to judge, on the answer.

    The log counts what it could not write, and ``/health`` shows it.
    """
    record = AuditRecord(
        at=time.time(),
        session_id=result.session_id,
        client=client,
        verdict_in=verdicts[0],
        verdict_out=verdicts[1],
        end=end,
        intent=result.intent,
        sources=result.sources,
        handoff=result.handoff,
        cached=result.cached,
        adapter=result.adapter,
        prompt_tokens=result.usage.prompt_tokens,
        cached_tokens=result.usage.cached_tokens,
        completion_tokens=result.usage.completion_tokens,
        timing_ms=result.timing_ms,
        question=question,
        answer=result.answer,
    )
    try:
        audit.append(record)
    except AuditError as error:
        log.error("%s", error)
