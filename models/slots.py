"""Slots: what stands for a customer's numbers and a shop's particulars, in training text and at run time alike.

A model of this size cannot copy a number reliably, so ``order 12345`` reaches it as ``order {{Order Number}}``, it
answers with the slot, and the number is put back into the answer. Only what a pattern finds is replaced: numbers
that come in another form do reach the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Slots that the customer's own words fill.
CUSTOMER_SLOTS = frozenset(
    {
        "Order Number",
        "Invoice Number",
        "Refund Amount",
        "Currency Symbol",
        "Account Type",
        "Account Category",
        "Person Name",
        "Delivery City",
        "Delivery Country",
    }
)

#: Slots that the shop's profile fills.
SHOP_SLOTS = frozenset(
    {
        "Customer Support Phone Number",
        "Customer Support Email",
        "Customer Support Hours",
        "Website URL",
        "Company Name",
    }
)

SLOT = re.compile(r"\{\{([^{}\n]{0,60})\}\}")

_AMOUNT = re.compile(r"([$€£¥])\s?([0-9]+(?:[.,][0-9]+)*)")

#: ASCII classes: a Chinese character beside a number is no part of it. A date or an amount in words is no such number.
_LONG_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_{.,/-])#?([0-9]{4,})(?![A-Za-z0-9_}]|[.,/-][0-9]|\s?(?:yuan|rmb|dollars?|euros?|pounds?|usd|eur|gbp|cny|元|块|年))",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")

#: What a customer calls the thing whose number follows.
_CALLED = re.compile(
    r"(?:order|purchase|invoice|bill|number|no\.?|nr\.?|id|订单号?|单号|发票号?|编号)\s*(?:号码|是|is|:|：|#|nr\.?|no\.?|number)?\s*$",
    re.IGNORECASE,
)


def slots_in(text: str) -> set[str]:
    """Names of the ``{{slots}}`` in a text."""
    return set(SLOT.findall(text))


def delexicalise(text: str, number_slot: str = "Order Number") -> tuple[str, Mapping[str, str]]:
    """Put slots where a text names an amount of money or the number of an order or invoice.

    Of several long numbers the one behind a word such as "order" is meant, else the first; years, dates and amounts are
    left alone. Only numbers with the meant value become slots.

    Args:
        text: what the customer wrote.
        number_slot: what the number is: ``Order Number`` or ``Invoice Number``.

    Returns:
        The text with slots, and the value of each.
    """
    values: dict[str, str] = {}

    def amount(match: re.Match[str]) -> str:
        values["Currency Symbol"], values["Refund Amount"] = match.group(1), match.group(2)
        return "{{Currency Symbol}}{{Refund Amount}}"

    text = _AMOUNT.sub(amount, text)
    called, others = [], []
    for match in _LONG_NUMBER.finditer(text):
        if _CALLED.search(text[: match.start()]):
            called.append(match.group(1))
        elif not _YEAR.fullmatch(match.group(1)):
            others.append(match.group(1))
    meant = next(iter([*called, *others]), "")
    if meant:
        values[number_slot] = meant
        text = _LONG_NUMBER.sub(
            lambda match: "{{" + number_slot + "}}" if match.group(1) == meant else match.group(), text
        )
    return text, values
