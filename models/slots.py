"""Slots: what stands for a customer's numbers and a shop's particulars, in training text and at run time alike.

A model of this size cannot copy a number reliably, so it never sees one: ``order 12345`` reaches it as
``order {{Order Number}}``, it answers about ``{{Order Number}}``, and the runtime puts the number back. An answer can
therefore name no order number, amount or telephone number that the customer or the shop did not give.
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
#: ASCII classes: a Chinese character beside a number is no part of it.
_LONG_NUMBER = re.compile(r"(?<![A-Za-z0-9_{.,])#?([0-9]{4,})(?![A-Za-z0-9_}]|[.,][0-9])")


def slots_in(text: str) -> set[str]:
    """Names of the ``{{slots}}`` in a text."""
    return set(SLOT.findall(text))


def delexicalise(text: str, number_slot: str = "Order Number") -> tuple[str, Mapping[str, str]]:
    """Put slots where a text holds an amount of money or a number of four digits or more.

    Args:
        text: what the customer wrote.
        number_slot: what long numbers are: ``Order Number`` or ``Invoice Number``.

    Returns:
        The text with slots, and the value of each. Of several values for one slot the last counts.
    """
    values: dict[str, str] = {}

    def amount(match: re.Match[str]) -> str:
        values["Currency Symbol"], values["Refund Amount"] = match.group(1), match.group(2)
        return "{{Currency Symbol}}{{Refund Amount}}"

    def number(match: re.Match[str]) -> str:
        values[number_slot] = match.group(1)
        return "{{" + number_slot + "}}"

    return _LONG_NUMBER.sub(number, _AMOUNT.sub(amount, text)), values
