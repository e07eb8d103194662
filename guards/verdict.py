"""What a guard says of a text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What to do with the text, mildest first."""

    ALLOW = "allow"
    REDACT = "redact"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 (allow) to 3 (block)."""
        return list(Action).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision about one text.

    Attributes:
        action: what to do.
        rule: the rule that decided, as ``family.name`` (``injection.override``); empty when allowed.
        span: start and end of what the rule found, in characters of the text as given; None if it is the whole text.
        scores: probability per classifier label, 0 to 1.
        policy_version: version and hash of the policy that was applied.
        took_ms: milliseconds spent.
        stages_ms: milliseconds spent per guard, in the order in which they ran; not part of what is sent.
    """

    action: Action
    rule: str = ""
    span: tuple[int, int] | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    policy_version: str = ""
    took_ms: float = 0.0
    stages_ms: Mapping[str, float] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, object]:
        """For JSON: scores to four decimals, times to two."""
        return {
            "action": self.action.value,
            "rule": self.rule,
            "span": list(self.span) if self.span else None,
            "scores": {label: round(score, 4) for label, score in self.scores.items()},
            "policy_version": self.policy_version,
            "took_ms": round(self.took_ms, 2),
        }

    def to_json(self) -> str:
        """The same as one line."""
        return json.dumps(self.to_dict(), ensure_ascii=False)
