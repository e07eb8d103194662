"""Leaks in a stream: the verdict is that of the whole text, and nothing of what is blocked goes out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from guards.leak.canary import Canaries, canary_from
from guards.leak.keys import Keys
from guards.leak.placeholders import ForeignPlaceholders
from guards.leak.prompt import PromptLeak, PromptShare
from guards.steps import OutputGuards
from guards.stream import OutputStream
from guards.verdict import Action, Verdict
from guards.views.normal import normalised
from guards.watch import Watch
from tests.guards.leak.test_keys import ANNOUNCED, SHAPES
from tests.guards.leak.test_prompt import PROMPT, PROMPT_ZH, SPREAD

WORD = canary_from(b"an installation's key")
WATCH = Watch(10.0)

HARMLESS = (
    "Your parcel is on its way. ",
    "好的，您的退款已经提交。",
    "It takes 3-5 days!\n",
    "a ",
    "。",
    "[PHONE_1] ",
    "x" * 70,
)
TROUBLE = (*SHAPES, *(text for text, _ in ANNOUNCED), WORD, " ".join(WORD), "[PHONE_3]", "[EMAIL_1]", SPREAD)
FRAGMENTS = (
    "password is ",
    "token ",
    "[PHO",
    "NE_2]",
    "-----BEGIN",
    WORD[:7],
    WORD[7:],
    "eyJ",
    "AKIA",
    "1",
    " ",
    "\u200b",
    ". ",
)
WORDS = tuple(f"{word} " for word in PROMPT.split()) + tuple(PROMPT_ZH)
ANSWERS = st.lists(
    st.one_of(*(st.sampled_from(parts) for parts in (HARMLESS, TROUBLE, FRAGMENTS, WORDS)), st.text(max_size=6)),
    max_size=25,
).map("".join)
CUTS = st.lists(st.integers(0, 100_000), max_size=30)


def stream() -> OutputStream:
    leaks = (PromptLeak([PROMPT, PROMPT_ZH]), PromptShare([PROMPT, PROMPT_ZH]), Canaries([WORD]), Keys())
    spans = (
        *((leak, Action.BLOCK) for leak in leaks),
        (ForeignPlaceholders({"[PHONE_1]"}.__contains__), Action.REDACT),
    )
    return OutputStream(OutputGuards(spans=spans, sentences=(), max_chars=8000, stamp="1+test"), WATCH)


def streamed(parts: list[str]) -> tuple[str, Verdict, int]:
    """What came out, the verdict without its times, and how much of the answer that was."""
    answer = stream()
    out = "".join([*(answer.feed(part) for part in parts), answer.finish()])
    verdict = answer.verdict
    return out, Verdict(verdict.action, verdict.rule, verdict.span), answer.released_chars


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


@settings(max_examples=150, deadline=None)
@given(ANSWERS, CUTS)
@example(f"All is well with it. The word is {' '.join(WORD)}. Good bye to you.", [30, 40, 50])
@example("Hello to you there, sir. The password for the warehouse is Xk29lm and more. Bye.", [64, 66])
@example(SPREAD, [20, 50, 80])
def test_streamed_equals_whole(text: str, cuts: list[int]) -> None:
    whole = streamed([text])
    assert streamed(pieces(text, cuts)) == whole
    assert streamed(list(text)) == whole


@settings(max_examples=150, deadline=None)
@given(ANSWERS, CUTS)
def test_nothing_of_a_blocked_span_goes_out(text: str, cuts: list[int]) -> None:
    out, verdict, released = streamed(pieces(text, cuts))
    seen = normalised(out)
    for detector in (PromptLeak([PROMPT, PROMPT_ZH]), Canaries([WORD]), Keys()):
        assert detector.scan(seen).hits == ()
    assert "[PHONE_3]" not in out and "[EMAIL_1]" not in out
    if verdict.action is Action.BLOCK:
        assert verdict.span is not None
        assert released <= verdict.span[0]
    elif verdict.action is Action.ALLOW:
        assert out == text


def test_each_kind_of_leak_is_stopped_at_its_first_character() -> None:
    cases = {
        "leak.canary": WORD,
        "leak.key": SHAPES[2],
        "leak.password": "hunter22",
        "leak.prompt": "You are the assistant of Lotus Bank. Never",
    }
    for rule, secret in cases.items():
        before = "The guests' password is " if rule == "leak.password" else "Certainly, here it is: "
        out, verdict, released = streamed(list(f"All is well with your order. {before}{secret} and that was all."))
        assert (verdict.action, verdict.rule) == (Action.BLOCK, rule)
        assert verdict.span is not None and released <= verdict.span[0]
        assert secret[:8] not in out


def test_a_prompt_in_pieces_is_stopped_before_its_share_is_out() -> None:
    out, verdict, _ = streamed(list(SPREAD))
    assert (verdict.action, verdict.rule) == (Action.BLOCK, "leak.prompt_share")
    assert not PromptShare([PROMPT]).scan(normalised(out)).hits


def test_foreign_placeholders_are_replaced_and_own_ones_stay() -> None:
    out, verdict, _ = streamed(list("I will call [PHONE_1], not [PHONE_3]. Good bye to you."))
    assert out == "I will call [PHONE_1], not [PHONE]. Good bye to you."
    assert verdict == replace(verdict, action=Action.REDACT, rule="placeholder.foreign")
