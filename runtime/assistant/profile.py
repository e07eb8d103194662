"""The shop's own particulars, and the words that stand where one is not given."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.slots import SHOP_SLOTS
from runtime.errors import StartError

#: Key in the profile file -> slot it fills.
KEYS: Mapping[str, str] = {
    "name": "Company Name",
    "phone": "Customer Support Phone Number",
    "email": "Customer Support Email",
    "hours": "Customer Support Hours",
    "website": "Website URL",
}

#: What an answer says, by language, where neither the shop nor the customer gave a value: true, if vague.
UNKNOWN: Mapping[str, Mapping[str, str]] = {
    "en": {
        "Company Name": "our shop",
        "Customer Support Phone Number": "the phone number on your receipt",
        "Customer Support Email": "our e-mail address",
        "Customer Support Hours": "our opening hours",
        "Website URL": "our website",
        "Order Number": "your order number",
        "Invoice Number": "your invoice number",
        "Refund Amount": "the amount",
        "Currency Symbol": "",
        "Account Type": "account",
        "Account Category": "account",
        "Person Name": "the account holder",
        "Delivery City": "your city",
        "Delivery Country": "your country",
    },
    "zh": {"Order Number": "", "Invoice Number": ""},
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A shop. ``slots`` maps slot names to the shop's values; what is not there stays vague."""

    slots: Mapping[str, str] = field(default_factory=dict)


def read_profile(path: Path) -> Profile:
    """Read a TOML file with any of the keys ``name``, ``phone``, ``email``, ``hours``, ``website``, all texts.

    Raises:
        StartError: no such file, not TOML, an unknown key or a value that is no text.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"{path}: cannot be read ({error.strerror}); name an existing file with --profile") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"{path}: is not TOML ({error}); expected lines such as name = 'Corner Shop'") from error
    slots = {}
    for key, value in raw.items():
        if key not in KEYS:
            raise StartError(f"{path}: unknown key {key!r}; expected one of {', '.join(KEYS)}")
        if not isinstance(value, str) or not value.strip():
            raise StartError(f"{path}: {key} is {value!r}; expected a text, or leave the line out")
        slots[KEYS[key]] = value.strip()
    assert set(slots) <= SHOP_SLOTS
    return Profile(slots)
