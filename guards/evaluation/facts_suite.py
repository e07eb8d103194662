"""A seeded suite for the fact guard: answers that restate a passage in other spellings, and ones that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from guards.evaluation.facts import FactRow
from guards.evaluation.facts_spellings import MAKERS, Spellings
from guards.language import LANGUAGES, Language

#: What a passage says of a fact, and an answer after it; per kind and language.
_STATED: dict[str, dict[Language, tuple[str, ...]]] = {
    "amount": {
        "en": (
            "The cancellation fee is {}.",
            "Express delivery costs {}.",
            "Orders from {} are delivered free of charge.",
        ),
        "zh": ("取消订单的手续费为{}。", "快递费用是{}。", "订单满{}免运费。"),
    },
    "date": {
        "en": ("The offer ends on {}.", "Returns are accepted until {}.", "Your parcel left our warehouse on {}."),
        "zh": ("活动将于{}结束。", "退货最晚到{}。", "包裹已于{}发出。"),
    },
    "duration": {
        "en": ("Refunds take {}.", "You can return an item within {}.", "The warranty lasts {}."),
        "zh": ("退款需要{}。", "您可以在{}之内退货。", "保修期为{}。"),
    },
    "percentage": {
        "en": ("Members save {} on every order.", "We keep {} of the price.", "A deposit of {} is due."),
        "zh": ("会员可享受{}的优惠。", "我们会扣除价格的{}。", "需要支付{}的定金。"),
    },
    "time": {
        "en": ("Our shop is open {}.", "You can reach our team {} on weekdays."),
        "zh": ("营业时间为{}。", "客服在线时间：周一至周五{}。"),
    },
    "number": {
        "en": ("This concerns {}.", "The details of {} are in your account."),
        "zh": ("这涉及{}。", "详情请看{}。"),
    },
    "url": {
        "en": ("You find the form at {} online.", "Please visit {} for details."),
        "zh": ("请访问 {} 查看详情。", "表格在 {} 下载。"),
    },
    "phone": {"en": ("Please call {} for help.", "Our hotline is {}."), "zh": ("请拨打{}咨询。", "客服电话：{}。")},
    "email": {
        "en": ("Write to {} at any time.", "Send the form to {} please."),
        "zh": ("请发邮件至 {} 联系我们。", "表格请发到 {} 即可。"),
    },
}
#: Around it; no facts, but numbers that claim nothing.
_AROUND: dict[Language, tuple[str, ...]] = {
    "en": (
        "I understand that this matters to you.",
        "There are 2 options for that.",
        "One of our agents will gladly help, step by step.",
        '1. Log in to your account.\n2. Open "My orders".\n3. Choose the order.\n',
        "Is there anything else I can do for you?",
        "Please have a look at step 3 above.",
        "We use two-factor sign-in (2FA) for your safety.",
        "This may take a moment.",
    ),
    "zh": (
        "我理解您的心情。",
        "您有以下2种方式：",
        "1. 登录账户。\n2. 打开“我的订单”。\n3. 选择订单。\n",
        "① 打开页面；② 提交申请。",
        "我们的同事会一步一步帮您处理。",
        "请参考第3步。",
        "还有什么可以帮您的吗？祝您生活愉快，有美好的一天！",
    ),
}
_FACTS_OF_A_PASSAGE = 4


def generated(seed: int, pairs: int) -> Iterator[FactRow]:
    """``pairs`` times an answer that restates one to three facts of its passage, and the same with one fact changed."""
    random = Random(seed)
    for number in range(pairs):
        language = LANGUAGES[number % len(LANGUAGES)]
        maker = MAKERS[(number // len(LANGUAGES)) % len(MAKERS)]
        told = [maker(random), *(random.choice(MAKERS)(random) for _ in range(random.randint(0, 2)))]
        other = [random.choice(MAKERS)(random) for _ in range(_FACTS_OF_A_PASSAGE - len(told))]
        passage = _text(random, language, [*told, *other])
        yield FactRow(_text(random, language, told), (passage,), invented=False, kind=told[0].kind)
        changed = _changed(random, maker, passage, [*told, *other])
        yield FactRow(_text(random, language, [changed, *told[1:]]), (passage,), invented=True, kind=told[0].kind)


def _text(random: Random, language: Language, facts: list[Spellings]) -> str:
    """Sentences that state the facts, each in one of its spellings, among sentences that state none."""
    sentences = [
        random.choice(_STATED[fact.kind][language]).format(random.choice(fact.ways[language])) for fact in facts
    ]
    sentences += random.sample(_AROUND[language], 2)
    random.shuffle(sentences)
    return ("" if language == "zh" else " ").join(sentences)


def _changed(random: Random, maker: Callable[[Random], Spellings], passage: str, facts: list[Spellings]) -> Spellings:
    """Another fact of the same kind; none of its spellings, nor all of its numbers, are the passage's."""
    said = {way for fact in facts for ways in fact.ways.values() for way in ways}
    parts = {part for fact in facts for part in fact.parts}
    while True:
        other = maker(random)
        ways = {way for ways in other.ways.values() for way in ways}
        new = not other.parts or bool(other.parts - parts)
        if new and said.isdisjoint(ways) and not any(way in passage for way in ways):
            return other
