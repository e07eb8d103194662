"""What is kept of a turn, and in which form: names become pseudonyms, every text is redacted by the writer itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from guards.pii.find import find_pii, redact
from guards.verdict import Action, Verdict

#: Longest piece of personal data that redaction has to see whole (an e-mail address has 320 characters).
_LONGEST_CHARS = 400
_NAME_CHARS = 128
_SOURCES = 16
_TIMINGS = 32
_CUT = "…"

#: ``version+hash``: twelve hex digits can look like a telephone number, and are none.
_STAMP = re.compile(r"(.*)(\+[0-9a-f]{12})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One turn, as the runtime knows it at its end. Nothing of it is written as it stands: see ``written``.

    Attributes:
        at: when the turn ended, in Unix seconds.
        session_id: the conversation's id; only a keyed hash of it is written.
        client: who asked (``addr:…``, ``key:…``); only a keyed hash of it is written.
        verdict_in: on the message.
        verdict_out: on the answer; None if no answer was judged.
        end: why the turn ended: ``stop``, ``length``, ``content_filter``, ``cancelled``, ``failed``.
        intent: the recognised intent.
        sources: what the answer rests on.
        handoff: whether a person was called.
        cached: whether the answer came from the answer cache.
        adapter: the LoRA adapter that answered.
        prompt_tokens: tokens read, ``cached_tokens`` of them kept from earlier.
        cached_tokens: see there.
        completion_tokens: tokens written.
        timing_ms: milliseconds by stage.
        question: what the customer wrote; written, redacted, only if the options say so.
        answer: what the customer read; likewise.
    """

    at: float
    session_id: str
    client: str
    verdict_in: Verdict
    verdict_out: Verdict | None = None
    end: str = ""
    intent: str = ""
    sources: tuple[str, ...] = ()
    handoff: bool = False
    cached: bool = False
    adapter: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    timing_ms: Mapping[str, float] = field(default_factory=dict)
    question: str = ""
    answer: str = ""


def written(record: AuditRecord, hidden: Callable[[str], str], text_chars: int) -> dict[str, object]:
    """The record's line as JSON values.

    Args:
        record: the turn.
        hidden: gives the pseudonym of a name.
        text_chars: characters that are kept of question and answer; 0 leaves both out.
    """
    tokens = {"prompt": record.prompt_tokens, "cached": record.cached_tokens, "completion": record.completion_tokens}
    row: dict[str, object] = {
        "session": hidden(record.session_id),
        "client": hidden(record.client),
        "in": _verdict(record.verdict_in),
        "out": None if record.verdict_out is None else _verdict(record.verdict_out),
        "rule": shown(_deciding(record).rule, _NAME_CHARS),
        "policy": _stamp(_deciding(record).policy_version or record.verdict_in.policy_version),
        "end": shown(record.end, _NAME_CHARS),
        "intent": shown(record.intent, _NAME_CHARS),
        "sources": [shown(source, _NAME_CHARS) for source in record.sources[:_SOURCES]],
        "handoff": record.handoff,
        "cached": record.cached,
        "adapter": shown(record.adapter, _NAME_CHARS),
        "tokens": tokens,
        "timing_ms": {
            shown(stage, _NAME_CHARS): round(float(ms), 2) for stage, ms in list(record.timing_ms.items())[:_TIMINGS]
        },
    }
    if text_chars:
        row["question"] = shown(record.question, text_chars)
        row["answer"] = shown(record.answer, text_chars)
    return row


def shown(text: str, chars: int) -> str:
    """The text without personal data, at most about ``chars`` characters of it; nothing in doubt.

    What is cut off is looked at too, as far as it takes to see that no number or address is cut in two: half of one
    would not be recognised, and would stand there.
    """
    if not text:
        return ""
    try:
        if len(text) <= chars:
            return redact(text)
        end = chars
        for finding in find_pii(text[: chars + _LONGEST_CHARS]):
            if finding.start < end < finding.end:
                end = finding.start
        return redact(text[:end]) + _CUT
    except Exception as error:  # whatever goes wrong, the text must not be written
        return f"[WITHHELD: redaction failed with {type(error).__name__}]"


def _deciding(record: AuditRecord) -> Verdict:
    """The severer verdict; the message's if both are alike."""
    out = record.verdict_out
    return out if out is not None and out.action.severity > record.verdict_in.action.severity else record.verdict_in


def _verdict(verdict: Verdict) -> dict[str, object]:
    row: dict[str, object] = {"action": verdict.action.value}
    if verdict.action is not Action.ALLOW:
        row["rule"] = shown(verdict.rule, _NAME_CHARS)
    if verdict.scores:
        row["scores"] = {shown(label, _NAME_CHARS): round(score, 4) for label, score in verdict.scores.items()}
    return row


def _stamp(stamp: str) -> str:
    match = _STAMP.fullmatch(stamp)
    return shown(match[1], _NAME_CHARS) + match[2] if match else shown(stamp, _NAME_CHARS)
