"""The literals that are looked for first never keep a pattern from matching."""

from __future__ import annotations

import json

import pytest

from guards.injection.required import required
from guards.injection.rules import lowered
from guards.injection.table import RULES
from tests.paths import ROOT


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"ignore\s+rules", {"ignore"}),
        (r"\b(?:ignore|forget)\s+\w+", {"ignore", "forget"}),
        (r"(?:ignore|\w+)\s+me", set()),
        (r"(?:ignore)?\s*x", set()),
        (r"(?:prompt){2,3}", {"prompt"}),
        (r"ab|cd", set()),
        (r"忽略(?:规则|指令)", {"忽略"}),
    ],
)
def test_what_a_match_must_hold(pattern: str, literals: set[str]) -> None:
    assert required(pattern) == literals


def test_nearly_all_patterns_are_looked_for_by_a_literal() -> None:
    without = [pattern.pattern for rule in RULES for literals, pattern in rule.patterns if not literals]
    assert len(without) <= 8, without


def test_looking_first_changes_nothing() -> None:
    for name in ("shop_attacks", "angry", "unsafe"):
        for line in (ROOT / "tests" / "guards" / "suites" / f"{name}.jsonl").read_text("utf-8").split("\n"):
            text = lowered(json.loads(line)["text"]) if line else ""
            for rule in RULES:
                starts = [match.start() for _, pattern in rule.patterns if (match := pattern.search(text))]
                found = rule.search(text)
                assert (found.start() if found else None) == min(starts, default=None), (rule.name, text)
