"""What counts as a claim, what it means, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.facts.claim import BLANK, FactKind, blanked
from guards.facts.extract import claims_in, claims_of
from guards.views.normal import normalised


def said(text: str) -> list[tuple[str, str]]:
    """Kind and words of the claims that need support."""
    view = normalised(text)
    return [(one.kind.value, view.text[one.start : one.end]) for one in claims_of(view) if one.asks]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The fee is $1,299.00.", "amount"),
        ("It costs 1.299,00 €.", "amount"),
        ("It costs a hundred dollars.", "amount"),
        ("fifty cents", "amount"),
        ("五百块", "amount"),
        ("两百多元", "amount"),
        ("It arrives on 2024-05-01.", "date"),
        ("It arrives on May 1st.", "date"),
        ("It arrives on the 15th.", "date"),
        ("明年５月１日开始", "date"),
        ("We open at 9 am.", "time"),
        ("下午六点半关门", "time"),
        ("We are here 24/7.", "time"),
        ("全天候服务", "time"),
        ("It takes five business days.", "duration"),
        ("It takes up to an hour.", "duration"),
        ("两到三个工作日", "duration"),
        ("You keep fifty percent.", "percentage"),
        ("百分之五十", "percentage"),
        ("全场九折", "percentage"),
        ("a third of the price", "percentage"),
        ("Your order number is 4711.", "number"),
        ("Take order #25.", "number"),
        ("Use the code SAVE20.", "number"),
        ("reference ORD-2024-001", "number"),
        ("See shop.com/refund.", "url"),
        ("[here](/returns)", "url"),
        ("Call +1 (202) 555-0100.", "phone"),
        ("请拨打10086", "phone"),
        ("Write to help@shop.com.", "email"),
    ],
)
def test_a_fact_is_a_claim_of_its_kind(text: str, kind: str) -> None:
    assert [found for found, _ in said(text)][:1] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "1. Log in to your account.\n2. Open the page.\n3) Done.",
        "Follow these steps: 1. Log in.",
        "**2. Open the page**",
        "- 3. Choose the order",
        "(4) Send the form.",
        "① 打开页面；② 提交申请。",
        "1️⃣ Log in",
        "步骤如下：1、打开页面",
        "As said in step 2 and steps 3-5.",
        "There are 2 easy ways and 3 options.",
        "One of our agents will help you with one of these two options.",
        "This is the 1st time.",
        "We use 2FA, two-factor sign-in and MP3 files.",
        "请参考第3步，您有以下2种方式。",
        "祝您有美好的一天，请稍等一下。",
        "Just one moment, one second please.",
        "You may ask again in a day or so.",
        "Please log in.It is safe and/or simple.",
        "Call [PHONE_1] about {{Order Number}}.",
        "",
        "!!! \n ...",
    ],
)
def test_what_states_no_fact_is_no_claim(text: str) -> None:
    assert said(text) == []


def test_the_two_readings_of_a_separator_are_both_looked_for() -> None:
    (one,) = (one for one in claims_in("1.299 EUR") if one.asks)
    assert {(FactKind.AMOUNT, "1299 EUR"), (FactKind.AMOUNT, "1.299 EUR")} <= one.asks


def test_a_chinese_comma_separates_numbers_and_does_not_group_them() -> None:
    assert said("满99，100元起") == [("number", "99"), ("amount", "100元")]


def test_the_ends_of_a_range_share_their_unit() -> None:
    assert [kind for kind, _ in said("three to five business days")] == ["duration", "duration"]
    assert [kind for kind, _ in said("$5-10")] == ["amount", "amount"]


def test_blanking_refuses_spans_out_of_order() -> None:
    assert blanked("abcdef", [(1, 2), (4, 6)]) == f"a{BLANK}cd{BLANK}{BLANK}"
    with pytest.raises(ValueError, match="begins before"):
        blanked("abcdef", [(3, 5), (4, 6)])


PIECES = st.one_of(
    st.sampled_from(["1", "12", "2024", "一", "两", "十", "万", "①", "１", "²", "\u0660", "five", " hundred", "May"]),
    st.sampled_from(
        [*".,  -/:@()[]\n，", "$", "€", "%", "元", "月", "日", "点", "天", " days", "am", "to", "www.", ".com"]
    ),
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join)))
def test_spans_lie_in_the_text_and_any_text_supports_itself(text: str) -> None:
    view = normalised(text)
    claims = claims_of(view)
    assert all(0 <= one.start < one.end <= len(view.text) for one in claims)
    assert claims_in(text) == claims
    given_here = frozenset(fact for one in claims for fact in one.gives)
    assert all(one.asks & given_here for one in claims if one.asks)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "1.", "1-", "9:00 ", "a1-", "five ", "一", "May ", "www.", "a.", "$1 ", "1 to ", "12 34 ", "]("],
)
def test_the_time_grows_with_the_length_only(piece: str) -> None:
    def took_s(chars: int) -> float:
        """The quickest of three: a collection of other tests' garbage may fall into one of them."""
        text, taken = (piece * chars)[:chars], []
        for _ in range(3):
            begun = time.process_time()
            claims_in(text)
            taken.append(time.process_time() - begun)
        return min(taken)

    assert took_s(16_000) < 12 * took_s(4_000) + 0.2
