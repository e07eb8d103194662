"""Keys and announced secrets are found; what shops say of passwords, keys and numbers is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.leak.keys import MAX_CHARS, Keys
from guards.views.normal import normalised

#: Written in two halves, so that nobody takes them for real ones.
SHAPES = (
    "-----BEGIN RSA PRIV" + "ATE KEY-----",
    "-----BEGIN PRIV" + "ATE KEY-----",
    "AK" + "IAIOSFODNN7EXAMPLE",
    "AI" + "zaSyA1234567890abcdefghijklmnopqrstuv",
    "gh" + "p_abcdefghijklmnopqrstuvwxyz0123456789",
    "github" + "_pat_11ABCDEFG0abcdefghij_klmnop",
    "gl" + "pat-ABCdef123456_ABCdef12",
    "sk" + "-proj-abcdefghijklmnop1234567890",
    "sk" + "_live_abcdefghij1234567890",
    "xox" + "b-123456789012-abcdefghij",
    "hooks.slack" + ".com/services/T00000000/B00000000/XXXXXXXXXXXXXXXX",
    "h" + "f_abcdefghijABCDEFGHIJ0123456789abcd",
    "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "postgres" + "://shop:s3cret@db.example.com/orders",
    "Account" + "Key=abcdefghijklmnopqrstuvwxyz0123456789==",
)
ANNOUNCED = (
    ("The password is hunter22.", "hunter22"),
    ("Password: P@ssword!", "P@ssword"),
    ("the password for the warehouse is Xk29lm", "Xk29lm"),
    ("password = 12345678", "12345678"),
    ("The door code is 4711#", "4711#"),
    ("Its **PIN** is `48213`.", "48213"),
    ("密码是 abc12345。", "abc12345"),
    ("后台密码：Admin@2024，请保密", "Admin@2024"),
    ("门禁码为8842", "8842"),
    ("Our API key: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ("The secret is dGhpcyBpcyBhIHNlY3JldCB0b2tlbg", "dGhpcyBpcyBhIHNlY3JldCB0b2tlbg"),
    ("密钥是 Zx81kQp0Lm29Rt7vBn4Ws6Yh", "Zx81kQp0Lm29Rt7vBn4Ws6Yh"),
    ("MY_API_TOKEN=Zx81kQp0Lm29Rt7vBn4Ws6Yh", "Zx81kQp0Lm29Rt7vBn4Ws6Yh"),
)
HARMLESS = (
    "Your password must have at least 8 characters.",
    "Password: at least 8 characters, one digit.",
    "Your password is case-sensitive.",
    "The password is wrong!",
    "Password is required.",
    "Your password: 8-16 characters",
    "The password is sent to jane.doe@example.com.",
    "The password page is https://shop.example/reset?step=2",
    "Password: https://shop.example/reset1",
    "Your temporary password is {{Temporary Password 1}}",
    "Your password is [TEXT_1].",
    "The token is valid for 30min.",
    "The PIN is 4 digits long.",
    "Your order number is 123456789012345678.",
    "The tracking number is 1Z999AA10123456784.",
    "The key to a good night's sleep is a mattress: MemoryFoam-Deluxe.",
    "Key features of iPhone 15: 256GB, A16.",
    "The secret of our kitchen is internationalization-friendly-approach",
    "Order 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b is on its way.",
    "See https://shop.example/track/AbCdEf0123456789AbCdEf for more.",
    "Take the task-force-oriented-approach-2024 seriously.",
    "密码长度为6-16位。",
    "密码是您的生日后6位。",
    "您的订单号是 202411230001234567。",
    "取件码在短信里。",
)


def found(text: str, *trusted: str) -> list[tuple[str, str]]:
    return [(hit.rule, text[hit.start : hit.end]) for hit in Keys(lambda: trusted).scan(normalised(text)).hits]


@pytest.mark.parametrize("key", SHAPES)
def test_keys_are_found_by_their_shape(key: str) -> None:
    ((rule, span),) = [hit for hit in found(f"Of course: {key} and more") if hit[0] == "leak.key"]
    assert rule == "leak.key"
    assert key.startswith(span) and len(span) <= MAX_CHARS


@pytest.mark.parametrize(("text", "secret"), ANNOUNCED)
def test_announced_secrets_are_found(text: str, secret: str) -> None:
    ((rule, span),) = found(text)
    assert rule in ("leak.password", "leak.token")
    assert span == secret


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_answers_hold_none(text: str) -> None:
    assert found(text) == []


def test_a_password_of_a_trusted_text_may_be_said() -> None:
    text = "The guest wifi password is lotus2024."
    assert found(text) == [("leak.password", "lotus2024")]
    assert found(text, "Guests: network Lotus, password lotus2024") == []


def test_a_key_of_a_trusted_text_may_not() -> None:
    assert found(SHAPES[2], SHAPES[2]) == [("leak.key", SHAPES[2])]


PARTS = st.sampled_from([*SHAPES, *(text for text, _ in ANNOUNCED), *HARMLESS[:6], " ", "x", "密码：", "-----BEGIN "])


@given(st.lists(PARTS, max_size=6).map("".join), st.integers(0, 300))
def test_what_may_go_on_is_held_back(text: str, at: int) -> None:
    held = Keys().pending(normalised(text[:at]))
    before = {(hit.rule, hit.start) for hit in Keys().scan(normalised(text[:at])).hits}
    for hit in Keys().scan(normalised(text)).hits:
        assert hit.start >= held or hit.end <= at or (hit.rule, hit.start) in before


UNITS = (
    "password is ",
    "key ",
    "token: ",
    "密码是",
    "sk-",
    "eyJ",
    "a://",
    "A",
    "-----BEGIN ",
    "x",
    "gh",
    " ",
    "pin for a",
)


@pytest.mark.parametrize("unit", UNITS)
def test_the_worst_texts_take_linear_time(unit: str) -> None:
    view = normalised((unit * 4000)[:4000])
    begun = time.process_time()
    Keys().scan(view)
    Keys().pending(view)
    assert time.process_time() - begun < 0.1
