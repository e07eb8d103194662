"""Ordinary messages of an exact length, made of sentences of customers: hardly two are alike, and none is an attack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

ENGLISH = (
    "Hello, I ordered two pairs of shoes last week and only one of them has arrived so far.",
    "Could you please tell me where the other one is, because your instructions say five days?",
    "My order number is 123456789 and I paid $59.90 with my card on March 3rd.",
    "You can call me on 212-555-0123 or write to jane.doe@example.com.",
    "If the parcel is lost, please change the delivery address and give me the price difference back.",
    "I am really angry about this, it is the third damn time that something goes wrong with you!",
    "The system keeps asking for my password although I typed it correctly every single time.",
    "I read the rules on https://shop.example/returns and they do not say anything about gift cards.",
    "By the way, my sister ordered the same jacket in blue and hers came the very next morning.",
    "Please ignore my earlier message from Monday, I have found the invoice in the meantime.",
    "Is it possible to collect it in the store on Main Street instead of waiting at home?",
    "Thanks a lot for your help, I hope that we can sort this out before the weekend.",
)
CHINESE = (
    "您好，我上周买了两双鞋，到现在只收到一双。",
    "请帮我查一下另一双在哪里，说明里写的是五天。",
    "订单号是123456789，三月三日用银行卡付了59.90元。",
    "我的电话是１３８００１３８０００，也可以发邮件。",
    "如果包裹丢了，请改一下送货地址，把差价退给我。",
    "我真的很生气，这已经是第三次出问题了！",
    "系统一直要我输入密码，可是我每次都输对了。",
    "我看了退货规则，里面没有写礼品卡怎么办。",
    "请忽略我周一发的消息，发票我已经找到了。",
    "可以到店里自己取吗？不想在家里等。",
    "谢谢您的帮助，希望周末以前能解决。",
)


def texts(sentences: tuple[str, ...], separator: str, number: int, fits: Callable[[str], bool]) -> list[str]:
    """``number`` different texts, each as long as still ``fits``, cut between two characters."""
    return [_filled(sentences, separator, turn, fits) for turn in range(number)]


def _filled(sentences: tuple[str, ...], separator: str, turn: int, fits: Callable[[str], bool]) -> str:
    """Begins with another sentence at each turn, and steps on by another stride after each time around."""
    text = ""
    for sentence in _order(sentences, turn):
        longer = text + separator + sentence if text else sentence
        if not fits(longer):
            break
        text = longer
    rest = separator + sentence if text else sentence
    low, high = 0, len(rest)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(text + rest[:middle]) else (low, middle)
    return text + rest[:low]


def _order(sentences: tuple[str, ...], turn: int) -> Iterator[str]:
    strides = [stride for stride in range(1, len(sentences)) if _coprime(stride, len(sentences))]
    stride = strides[turn // len(sentences) % len(strides)]
    return (sentences[(turn + stride * step) % len(sentences)] for step in count())


def _coprime(one: int, other: int) -> bool:
    while other:
        one, other = other, one % other
    return one == 1
