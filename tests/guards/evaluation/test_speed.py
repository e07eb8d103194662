"""The measurement of speed and memory, on a small real classifier."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tokenizers import Tokenizer

from guards.evaluation.speed import RSS_LIMIT_BYTES, measure_speed
from guards.evaluation.speed_latency import Latency
from guards.evaluation.speed_memory import peak_rss_bytes
from guards.evaluation.speed_texts import CHINESE, ENGLISH, texts
from guards.guard import Guard
from guards.policy import DEFAULT_POLICY
from models.bundle import GUARD_TOKENIZER, Bundle


def test_texts_are_as_long_as_asked_for_and_differ() -> None:
    for sentences, separator in ((ENGLISH, " "), (CHINESE, "")):
        made = texts(sentences, separator, 100, lambda text: len(text) <= 1000)
        assert {len(text) for text in made} == {1000}
        assert len(set(made)) > 30
        (short,) = texts(sentences, separator, 1, lambda text: len(text) <= 7)
        assert len(short) == 7


def test_every_case_is_measured(guard: Guard, bundle: Bundle) -> None:
    tokenizer = Tokenizer.from_file(str(bundle.path(GUARD_TOKENIZER)))
    told = []
    figures = measure_speed(guard, lambda text: len(tokenizer.encode(text).ids), rounds=6, done=lambda: told.append(1))
    assert [case.limit_ms for case in figures.cases] == [5.0, 5.0, 15.0, 15.0, 40.0, 40.0]
    assert len(told) == 36
    for case in figures.cases:
        assert 0 < case.wall.p50_ms <= case.wall.p95_ms <= case.wall.max_ms
        assert case.wall.count + case.blocked == 6
        assert ("toxicity" in case.stages) == ("toxicity" in case.name)
        assert {"injection", "pii"} <= set(case.stages)
        assert sum(stage.p50_ms for stage in case.stages.values()) <= case.wall.max_ms * 1.5
    assert (figures.cases[0].chars, figures.cases[1].chars) == (1000, 1000)
    for case in figures.cases[4:]:
        assert case.chars > 100
    text = figures.report()
    assert "rules, 1,000 characters, Chinese" in text
    assert "toxicity" in text
    assert json.loads(json.dumps(figures.to_dict()))["cases"][0]["wall"]["count"] == 6


def test_without_a_tokenizer_only_the_rules_are_measured(guard: Guard) -> None:
    assert len(measure_speed(guard, rounds=2).cases) == 2


def test_a_missed_limit_is_said(guard: Guard) -> None:
    figures = measure_speed(guard, rounds=3, peak_rss_bytes=RSS_LIMIT_BYTES)
    slow = replace(figures.cases[0], wall=Latency.of([1.0] * 90 + [5.01] * 10))
    for case, rss, mode in (
        (slow, RSS_LIMIT_BYTES, "on"),
        (figures.cases[0], RSS_LIMIT_BYTES + 1, "on"),
        (figures.cases[0], 1, "degraded"),
    ):
        fast = replace(case, wall=Latency.of([1.0])) if case is not slow else case
        bad = replace(figures, cases=(fast,), peak_rss_bytes=rss, mode=mode)
        assert not bad.good
        assert ("MISSED" in bad.report()) == (mode == "on")
    assert replace(figures, cases=(replace(slow, limit_ms=5.1),), peak_rss_bytes=1).good


def test_a_policy_that_blocks_everything_cannot_be_measured(guard: Guard) -> None:
    narrow = guard.under(replace(guard.policy, size=replace(guard.policy.size, max_input_chars=5)))
    with pytest.raises(ValueError, match="all 3 harmless texts are blocked"):
        measure_speed(narrow, rounds=3)


def test_the_memory_of_the_guards_alone(bundle: Bundle) -> None:
    """Python, numpy, onnxruntime and phonenumbers take something; a language model would take more."""
    ballast = bytearray(300_000_000)  # what this process holds is not counted
    peak = peak_rss_bytes(bundle.folder, DEFAULT_POLICY)
    assert 30_000_000 < peak <= RSS_LIMIT_BYTES
    assert len(ballast) == 300_000_000


def test_a_process_that_fails_is_an_error_with_its_words(bundle: Bundle) -> None:
    with pytest.raises(RuntimeError, match=r"nowhere\.toml"):
        peak_rss_bytes(bundle.folder, DEFAULT_POLICY.with_name("nowhere.toml"))


def test_percentiles_of_nothing_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Latency.of([])
