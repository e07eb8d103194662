"""The shop's profile file: read, or refused by the key that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.slots import CUSTOMER_SLOTS, SHOP_SLOTS
from runtime.assistant.profile import KEYS, UNKNOWN, read_profile
from runtime.errors import StartError


def test_a_profile_fills_slots(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('name = "Corner Shop"\nphone = "555 0100"\n', encoding="utf-8")
    assert read_profile(path).slots == {"Company Name": "Corner Shop", "Customer Support Phone Number": "555 0100"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("fax = '1'", "fax"), ("phone = 5550100", "phone"), ("phone = ' '", "phone"), ("phone", "TOML")],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StartError, match=complaint):
        read_profile(path)


def test_a_missing_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="--profile"):
        read_profile(tmp_path / "none.toml")


def test_every_slot_has_a_value_or_a_vague_phrase() -> None:
    assert set(UNKNOWN["en"]) == CUSTOMER_SLOTS | SHOP_SLOTS
    assert set(KEYS.values()) == SHOP_SLOTS
