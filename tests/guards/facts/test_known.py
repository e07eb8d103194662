"""Two spellings of one fact agree; two facts do not."""

from __future__ import annotations

import pytest

from guards.facts.extract import claims_of
from guards.facts.known import KnownFacts
from guards.views.normal import normalised


def supported(answer: str, *trusted: str) -> bool:
    known, view = KnownFacts(trusted), normalised(answer)
    return all(known.supports(one, view.text[one.start : one.end]) for one in claims_of(view))


SAME = [
    ("It costs 4.99 USD and takes 3 to 5 business days.", "It costs $4.99 and takes three to five working days."),
    ("| Express | 9.99 |", "Express delivery is $9.99."),
    ("Open 9-18", "We are open from 9 am to 6 pm."),
    ("Open 9 to 6", "Our hours are 9:00-18:00."),
    ("Return it within 30 days.", "You have thirty (30) days."),
    ("Return it within one month.", "Return it within a month."),
    ("Call 1-800-555-0199", "Our number is +1 (800) 555-0199."),
    ("free from €50,00", "Free over 50 €."),
    ("It was shipped on 05/03/2024.", "It left on May 3, 2024."),
    ("It was shipped on 05/03/2024.", "It left on 5 March."),
    ("2024-05-01", "5月1日"),
    ("5月1日", "May 1, 2024"),
    ("The offer ends on 2 March. 1. Log in", "It ends on Mar 2."),
    ("Support is available 24/7.", "We are there around the clock, 24 hours a day, 7 days a week."),
    ("退款将在3-5个工作日内到账", "退款会在三到五个工作日内退回。"),
    ("满99元包邮，全场八折", "满￥99免运费，打8折（优惠20%）。"),
    ("营业时间：9:00—21:00", "我们早上9点到晚上9点营业。"),
    ("48小时内发货", "我们两天内发货。"),
    ("warranty: 24 months", "There is a 2-year warranty."),
    ("See https://shop.com/help/returns", "See www.shop.com/help/returns/, or shop.com."),
    ("Write to Help@Shop.com", "E-mail us at help@shop.com!"),
    ("five working days", "It takes 5 days."),
    ("Max. two items per customer", "You can buy up to 2 items."),
    ("Price £1.2k", "It costs £1,200."),
    ("Model X200 has 5000mAh", "The X200 holds 5000 mAh."),
    ("order 00123842", "Your order #123842."),
]


@pytest.mark.parametrize(("trusted", "answer"), SAME)
def test_another_spelling_is_supported(trusted: str, answer: str) -> None:
    assert supported(answer, trusted)
    assert not supported(answer)


@pytest.mark.parametrize(
    ("trusted", "answer"),
    [
        ("Refunds take 3-5 business days.", "Refunds take 3-7 business days."),
        ("Refunds take 5 days.", "Refunds take five weeks."),
        ("Return it within 30 days.", "Return it within 30 business days."),
        ("The fee is $5.", "The fee is €5."),
        ("The fee is $5.", "The fee is $50."),
        ("The fee is $15.99.", "The fee is $5.99."),
        ("You can buy 5 items.", "The fee is $5."),
        ("It ends on May 1.", "It ends on May 11."),
        ("It ends on May 1, 2024.", "It ends on May 1, 2025."),
        ("It ends in May 2024.", "It ends on May 3, 2024."),
        ("We close at 6 pm.", "We close at 6 am."),
        ("You save 5%.", "You save 15%."),
        ("See shop.com", "See shop.com/refund."),
        ("See shop.com/refund", "See shop.co/refund."),
        ("help@shop.com", "Write to support@shop.com"),
        ("order 12345678", "order 1234567"),
        ("order ORD-2024-001", "order ORD-2024-002"),
        ("Call +1 202 555 0100", "Call +1 202 555 0101"),
        ("满99元包邮", "满199元包邮"),
        ("百分之二十八", "百分之十"),
        ("需要十三天", "需要三天"),
        ("满五十元", "满十元"),
        ("It takes twenty-five days.", "It takes five days."),
        ("It takes twenty five days.", "It takes five days."),
        ("It takes 15 days, 2.5 days.", "It takes 5 days."),
        ("See my-shop.com and help@shop.com", "See shop.com."),
        ("help2@shop.com", "Write to p2@shop.com"),
    ],
)
def test_another_fact_is_not(trusted: str, answer: str) -> None:
    assert not supported(answer, trusted)


def test_each_trusted_text_counts_and_none_supports_nothing() -> None:
    answer = "It costs $5 and takes 3 days."
    assert supported(answer, "5 dollars", "three days")
    assert not supported(answer, "5 dollars")
    assert supported("Hello, how can I help?")
