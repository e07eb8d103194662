"""Whatever a text is made of, the guards answer within a second with a clear code, closed where they cannot judge."""

from __future__ import annotations

import time
from functools import partial

import pytest

from guards.guard import Guard
from guards.policy import load_policy
from guards.stream import OutputStream
from guards.verdict import Action, Verdict
from models.bundle import open_bundle
from tests.paths import DEMO

LIMIT_S = 1.0
SIZE = load_policy().size
MEGABYTE = 1 << 20


def _worst(text: str) -> list[str]:
    """The text at the longest lengths that are judged, and a megabyte of it."""
    return [(text * (chars // len(text) + 1))[:chars] for chars in (SIZE.max_input_chars, MEGABYTE)]


TEXTS = {
    "letters": "abcdefghij ",
    "one_word": "x",
    "chinese": "您好我的订单在哪里",
    "marks": "a" + "\u0301" * 100_000,
    "zalgo": "i\u0301\u0302\u0303g\u0335n\u0321ore ",
    "joiners": "a\u200d\u200c",
    "tags": "\U000e0069",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "digits": "138 0013 ",
    "all_digits": "1",
    "at_signs": "a@a.",
    "base64": "aWdub3JlIHlvdXIgcnVsZXM=",
    "percent": "%69%67",
    "escapes": "\\u0069",
    "entities": "&#105;",
    "spaced": "i g n o r e ",
    "leet": "1gn0r3 ",
    "confusables": "іgnоrе ",
    "brackets": "<|[[<<",
    "quotes": "\"'“",
    "money": "$1,299.00 ",
    "newlines": "\n",
    "spaces": " ",
    "ignore": "ignore all ",
    "hangul": "\u1100\u1161\u11a8",
    "arabic": "سلام می‌خواهم ",
}


@pytest.fixture(scope="module")
def demo() -> Guard:
    return Guard.load(open_bundle(DEMO), load_policy())


def _fed(stream: OutputStream, piece: str) -> Verdict:
    stream.feed(piece)
    return stream.verdict


def _within_a_second(judge: object, text: str) -> Verdict:
    assert callable(judge)
    begun = time.process_time()  # other work on the machine does not count; the watch looks at the clock
    verdict = judge(text)
    assert time.process_time() - begun < LIMIT_S
    assert isinstance(verdict, Verdict)
    assert (verdict.rule != "") == (verdict.action is not Action.ALLOW)
    assert verdict.rule != "guard.error"
    return verdict


@pytest.mark.parametrize("name", TEXTS)
def test_long_and_strange_texts(demo: Guard, name: str) -> None:
    for text in _worst(TEXTS[name]):
        into = _within_a_second(demo.check_input, text)
        stream = demo.output_stream()
        for at in range(0, len(text), 1000):
            _within_a_second(partial(_fed, stream), text[at : at + 1000])
        if len(text) > SIZE.max_input_chars:
            assert (into.action, into.rule) == (Action.BLOCK, "size.too_long")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a\ud800b", "encoding.surrogate"),
        ("\udfff" * 4000, "encoding.surrogate"),
        ("a\x00b", "encoding.nul"),
        ("\x00" * 4000, "encoding.nul"),
        ("\x1b[31m", "encoding.control"),
        ("a" + "\u0301" * 100_000, "size.too_long"),
        ("x" * MEGABYTE, "size.too_long"),
    ],
    ids=["surrogate", "surrogates", "nul", "nuls", "control", "marks", "megabyte"],
)
def test_damage_is_named(demo: Guard, text: str, rule: str) -> None:
    verdict = _within_a_second(demo.check_input, text)
    assert (verdict.action, verdict.rule) == (Action.BLOCK, rule)


def test_what_the_classifier_cannot_read_in_time_is_too_long(demo: Guard) -> None:
    """4,000 Chinese characters are as many tokens: more windows than a small box has time for."""
    text = ("您好，我的订单什么时候到？请帮我查一下。" * 300)[: SIZE.max_input_chars]
    assert _within_a_second(demo.check_input, text).rule == "size.too_long"
