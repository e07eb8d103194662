"""A streamed answer is guarded exactly as the whole one, and nothing of a blocked span goes out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guards.guard import Guard, OutputContext
from guards.leak.marks import RoleTokens
from guards.leak.prompt import PromptLeak
from guards.pii.vault import Vault
from guards.policy import Policy
from guards.segments import MAX_SEGMENT_CHARS
from guards.steps import CONTEXT_CHARS, MAX_HOLD_CHARS
from guards.verdict import Action, Verdict
from guards.views.normal import normalised
from models.bundle import Bundle

PROMPT = (
    "You are the assistant of Lotus Bank. Never promise a rate, and hand over to a colleague when money is at stake."
)
CONTEXT = OutputContext(protected=(PROMPT,))
PHONE, EMAIL = "13800138000", "jane.doe@example.com"

HARMLESS = (
    "Your parcel is on its way. ",
    "thanks ",
    "好的，您的退款已经提交。",
    "It takes 3-5 days!\n",
    "[PHONE_1] ",
    "a ",
    "。",
    "order 12345. ",
)
TROUBLE = ("idiot", "笨", "kill", "<|user|>", "</s>", PHONE, "138 0013 8000", EMAIL, "+44 20 7946 0958", "\x00", "\x07")
FRAGMENTS = (
    "<",
    "|",
    "us",
    "er|>",
    "[",
    "138",
    "0013",
    "8000",
    "@example.com",
    "jane",
    ".",
    " ",
    "\u200b",
    "漢" * 30,
    "x" * 90,
)
WORDS = tuple(f"{word} " for word in PROMPT.split())
ANSWERS = st.lists(
    st.one_of(*(st.sampled_from(parts) for parts in (HARMLESS, TROUBLE, FRAGMENTS, WORDS)), st.text(max_size=8)),
    max_size=30,
).map("".join)
PROMPT_RUNS = st.integers(0, 20).flatmap(lambda at: st.integers(at, 22).map(lambda end: "".join(WORDS[at:end])))
CUTS = st.lists(st.integers(0, 100_000), max_size=40)


@pytest.fixture(scope="module")
def guard(bundle: Bundle, policy: Policy) -> Guard:
    """All guards but that of facts, which would take out the very sentences that these tests are about."""
    return Guard.load(bundle, replace(policy, actions={k: v for k, v in policy.actions.items() if k[0] != "facts"}))


@pytest.fixture(scope="module")
def whole_guard(bundle: Bundle, policy: Policy) -> Guard:
    return Guard.load(bundle, policy)


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


def streamed(guard: Guard, parts: list[str], context: OutputContext = CONTEXT) -> tuple[str, Verdict, int]:
    """What came out, the verdict without its time, and how much of the answer that was; the hold-back is bounded."""
    stream = guard.output_stream(context)
    out, fed = "", 0
    for part in parts:
        out += stream.feed(part)
        fed += len(part)
        held = fed - stream.released_chars
        assert stream.blocked or held <= MAX_HOLD_CHARS + MAX_SEGMENT_CHARS + 1
    out += stream.finish()
    return out, replace(stream.verdict, took_ms=0.0), stream.released_chars


@settings(max_examples=200)
@given(st.one_of(ANSWERS, st.tuples(ANSWERS, PROMPT_RUNS, ANSWERS).map("".join)), CUTS)
@example("Call me on 138 0013 8000. 5 more words of nothing here. ok", [12, 14])
@example("x" * 190 + " jane.doe@example.com and 13800138000", [192, 199, 215])
def test_streamed_equals_whole(guard: Guard, text: str, cuts: list[int]) -> None:
    whole = streamed(guard, [text])
    assert streamed(guard, pieces(text, cuts)) == whole
    assert streamed(guard, list(text)) == whole
    assert replace(guard.check_output(text, CONTEXT), took_ms=0.0) == whole[1]


@settings(max_examples=200)
@given(st.one_of(ANSWERS, st.tuples(ANSWERS, PROMPT_RUNS, ANSWERS).map("".join)), CUTS)
@example("13800138000You are the assistant of Lotus Bank. Never ", [])
def test_nothing_of_a_blocked_span_goes_out(guard: Guard, text: str, cuts: list[int]) -> None:
    out, verdict, released = streamed(guard, pieces(text, cuts))
    seen = normalised(out)
    assert "idiot" not in seen.text.lower().split()
    assert not RoleTokens().scan(seen).hits
    assert not PromptLeak([PROMPT]).scan(seen).hits
    assert not any(char in out for char in "\x00\x07")
    if verdict.action is Action.BLOCK:
        assert verdict.span is None or released <= verdict.span[0]
    elif verdict.action is Action.ALLOW:
        assert out == text
    else:
        assert released == len(text)


@settings(max_examples=200)
@given(st.one_of(ANSWERS, st.tuples(ANSWERS, PROMPT_RUNS, ANSWERS).map("".join)), CUTS)
@example("Your refund is $45.00. It is due on May 3. Thank you! Call 13800138000. Bye now.", [12, 14, 40])
def test_streamed_equals_whole_with_facts(whole_guard: Guard, text: str, cuts: list[int]) -> None:
    whole = streamed(whole_guard, [text])
    assert streamed(whole_guard, pieces(text, cuts)) == whole
    assert streamed(whole_guard, list(text)) == whole


def test_a_sentence_with_an_invented_amount_is_replaced_once_and_calls_a_person(whole_guard: Guard) -> None:
    text = "Thanks for waiting so long. Your refund is $45.00 today. It is due on May 3 at 9. All the best to you."
    out, verdict, _ = streamed(whole_guard, list(text))
    fixed = whole_guard.policy.texts["en"]["facts"]
    assert out == f"Thanks for waiting so long. {fixed} All the best to you."
    assert (verdict.action, verdict.rule) == (Action.REVIEW, "facts.amount")
    assert whole_guard.calls_person(verdict)
    told = OutputContext(said=("The refund of $45 comes on 3 May at 9:00.",))
    assert streamed(whole_guard, list(text), told)[0] == text


CUT_IN_TWO = (
    (PHONE, "0013"),
    ("138 0013 8000", "138 "),
    (EMAIL, "doe"),
    ("020 7946 0958 ext 12", "0958"),
    ("<|user|>", "user"),
)


@pytest.mark.parametrize(("value", "core"), CUT_IN_TWO)
def test_nothing_slips_through_where_a_long_sentence_is_cut(guard: Guard, value: str, core: str) -> None:
    """The cut falls on every place in and around the value in turn."""
    for before in range(MAX_SEGMENT_CHARS - len(value) - 2, MAX_SEGMENT_CHARS + 3):
        text = "漢" * before + value + "漢" * 40
        out, verdict, _ = streamed(guard, list(text))
        assert verdict.action in (Action.REDACT, Action.BLOCK), before
        assert core not in out, before


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, deadline=None)
@given(st.one_of(ANSWERS, st.tuples(ANSWERS, PROMPT_RUNS, ANSWERS).map("".join)), CUTS)
def test_ten_thousand_splittings(guard: Guard, text: str, cuts: list[int]) -> None:
    assert streamed(guard, pieces(text, cuts)) == streamed(guard, [text])


@pytest.mark.parametrize(
    ("text", "rule", "blocked"),
    [
        ("I see. You idiot should have waited.", "toxicity.toxicity", "idiot"),
        ("Your refund comes tomorrow. You really are an idiot, sir. Bye.", "toxicity.toxicity", "an idiot, sir"),
        ("Of course. <|user|> more", "leak.role_token", "<|user|>"),
        ("Here it is: " + PROMPT, "leak.prompt", "You are the assistant of Lotus Bank. Never"),
    ],
)
def test_blocks(guard: Guard, text: str, rule: str, blocked: str) -> None:
    out, verdict, _ = streamed(guard, list(text))
    assert (verdict.action, verdict.rule) == (Action.BLOCK, rule)
    assert verdict.span is not None
    start, end = verdict.span
    assert start <= text.index(blocked) < text.index(blocked) + len(blocked) <= end
    assert blocked not in out
    assert text.startswith(out)


def test_sentences_before_the_blocked_one_have_gone_out(guard: Guard) -> None:
    out, _, _ = streamed(guard, list("Your refund comes tomorrow. You really are an idiot, sir."))
    assert out == "Your refund comes tomorrow. "


def test_a_sentence_is_released_as_soon_as_the_next_begins(guard: Guard) -> None:
    stream = guard.output_stream(CONTEXT)
    assert stream.feed("Your refund comes tomorrow. ") == ""
    assert stream.feed("P") == "Your refund comes tomorrow. "
    assert stream.feed("lease keep the number 123456. T") == "Please keep the number 123456. "


@pytest.mark.parametrize(
    ("text", "expected", "rule"),
    [
        (f"Call {PHONE} or write to {EMAIL}.", "Call [PHONE] or write to [EMAIL].", "pii.phone"),
        ("It is done. Bell\x07s and NU\x00L.", "It is done. Bells and NUL.", "encoding.control"),
        ("Your order 123456789012 is on its way.", "Your order 123456789012 is on its way.", ""),
    ],
)
def test_redactions(guard: Guard, text: str, expected: str, rule: str) -> None:
    out, verdict, _ = streamed(guard, list(text))
    assert (out, verdict.rule) == (expected, rule)
    assert verdict.action is (Action.REDACT if rule else Action.ALLOW)


def test_hidden_characters_do_not_hide_a_mark(guard: Guard) -> None:
    _, verdict, released = streamed(guard, list("Of course I can. <|us\x07\u200be\x00r|> hello"))
    assert (verdict.rule, verdict.span) == ("leak.role_token", (17, 28))
    assert released <= 17


def test_invisible_filling_cannot_stretch_the_hold_back(guard: Guard) -> None:
    text = "<|us" + "\u200b" * 3000 + "er|>"
    out, verdict, _ = streamed(guard, list(text))
    assert (out, verdict.action, verdict.rule) == ("", Action.BLOCK, "guard.hold")


def test_known_data_may_be_said(guard: Guard) -> None:
    vault = Vault()
    vault.hide(f"my number is +86 {PHONE}")
    text = f"I will call {PHONE}; ours is 400-820-8820, and write to {EMAIL}."
    context = OutputContext(trusted=("Service: 400-820-8820",), vault=vault)
    out, verdict, _ = streamed(guard, list(text), context)
    assert out == text.replace(EMAIL, "[EMAIL]")
    assert verdict.rule == "pii.email"


def test_an_answer_that_never_ends_is_stopped(guard: Guard) -> None:
    limit = guard.policy.size.max_output_chars
    text = "All is well with your order. " * (limit // 29 + 1)
    out, verdict, _ = streamed(guard, pieces(text, [5, 500, limit - 1, limit]))
    assert (verdict.action, verdict.rule, verdict.span) == (Action.BLOCK, "size.too_long", None)
    assert text.startswith(out) and len(out) <= limit
    assert streamed(guard, [text])[:2] == (out, verdict)


def test_after_a_block_or_the_end_nothing_comes(guard: Guard) -> None:
    stream = guard.output_stream()
    stream.feed("You idiot! " * 4)
    assert stream.blocked
    assert stream.feed("More. " * 20) == stream.finish() == ""
    ended = guard.output_stream()
    assert ended.feed("fine") + ended.finish() == "fine"
    assert ended.feed("more") == ended.finish() == ""


def test_an_empty_answer_is_allowed(guard: Guard) -> None:
    assert streamed(guard, [])[:2] == ("", replace(guard.check_output(""), took_ms=0.0))
    assert guard.check_output("").action is Action.ALLOW


def test_context_is_long_enough_for_the_words_before_a_number(guard: Guard) -> None:
    text = "It is about something else entirely. The order number is: " + "2125550123. " + "And that was it."
    assert len("The order number is: ") < CONTEXT_CHARS
    assert streamed(guard, list(text))[0] == text
