"""Attempts on a shop that no training has seen: the kept half of the project's own suite, in both languages.

The halves differ by idea, not only by wording: ``convert/demo/shop_attacks.jsonl`` is the other. Some 20 templates of
the training (``attack.shop_near``) share an idea with the kept half, in other words; without them the recall is 0.05 to
0.10 lower.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from guards.injection.classifier import InjectionClassifier, load_injection
from guards.injection.rules import InjectionRules
from guards.views.several import views_of
from tests.paths import DEMO, ROOT

KEPT = Path(__file__).parents[1] / "suites" / "shop_attacks.jsonl"
TRAINED = ROOT / "convert" / "demo" / "shop_attacks.jsonl"

#: What the shipped classifier reaches, less a few points for the processor it was trained on.
RECALL_FLOOR = {"en": 0.60, "zh": 0.50}
FALSE_ALARMS = 0.10


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_suite_is_large_and_bilingual() -> None:
    both = rows(KEPT) + rows(TRAINED)
    counts = Counter((row["lang"], row["label"]) for row in both)
    assert counts["en", 1] >= 150 and counts["zh", 1] >= 150
    assert sum(1 for row in both if not row["label"]) >= 100
    assert len({row["text"] for row in both}) == len(both)


def test_the_halves_share_no_idea_and_no_text() -> None:
    kept, trained = ({(row["kind"], row["idea"]) for row in rows(path) if row["label"]} for path in (KEPT, TRAINED))
    assert not kept & trained
    assert {kind for kind, _ in kept} == {kind for kind, _ in trained}
    assert not {row["text"] for row in rows(KEPT)} & {row["text"] for row in rows(TRAINED)}


@pytest.mark.skipif(not (DEMO / "injection.npz").is_file(), reason="models/demo has no injection classifier")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_rules_and_classifier_on_the_kept_half(language: str) -> None:
    detectors = (InjectionRules(), InjectionClassifier(load_injection(DEMO / "injection.npz")))

    def caught(text: str) -> bool:
        return any(detector.scan(view).hits for view in views_of(text) for detector in detectors)

    suite = [row for row in rows(KEPT) if row["lang"] == language]
    attacks = [caught(row["text"]) for row in suite if row["label"]]
    calm = [caught(row["text"]) for row in suite if not row["label"]]
    assert sum(attacks) / len(attacks) >= RECALL_FLOOR[language]
    assert sum(calm) / len(calm) <= FALSE_ALARMS
