"""How customers lose their temper: at the matter, which is legitimate, and at the person, which is not.

Written for this project. A toxicity classifier that learns from tweets and comments takes every swear word for
toxicity; these minimal pairs (the same request with either kind of outburst) teach it the difference that a service
desk makes. Profanity stands here because the classifier has to see it.
"""

from __future__ import annotations

import random
import re

#: Put before a thing: strong language about the matter.
INTENSIFIERS = (
    "damn", "damned", "goddamn", "bloody", "fucking", "freaking", "frigging", "stupid", "crappy", "shitty", "lousy",
    "stinking", "f***ing", "effing", "ridiculous", "useless", "fuckin", "blasted", "godforsaken", "fuckin'",
)  # fmt: skip

#: Outbursts about the matter. The request they stand with is legitimate.
FRUSTRATIONS = (
    "this is bullshit", "what the hell", "what the fuck", "for fuck's sake", "this is complete bullshit", "damn it",
    "I am so damn angry right now", "I'm really pissed off", "this sucks", "wtf", "what the hell is going on",
    "this is such crap", "holy shit", "I'm sick of this shit", "I'm tired of this crap", "it's a fucking joke",
    "this is a damn disgrace", "I can't believe this shit", "nothing fucking works", "your website is a piece of shit",
    "your app is total garbage", "the delivery was shit", "this product is absolute crap", "what a damn mess",
    "I've been waiting for fucking weeks", "why the hell does this take so long", "how the fuck is that possible",
    "goddamn it", "bloody hell", "crap", "shit", "oh for god's sake", "it pisses me off", "where the hell is my stuff",
    "where the fuck is my package", "this whole thing is fucked up", "I'm so done with this shit", "this is a rip-off",
    "I want my damn money back", "I paid good money for this shit", "the damn thing broke after a day", "fuck",
    "this service is the worst", "I hate this", "I am furious", "unbelievable bullshit", "screw this", "fuck this",
    "it arrived broken again, damn", "this is fucking unacceptable", "I've had enough of this bullshit", "shit happens",
    "the hell with this website", "my order is screwed up", "you people still owe me my damn refund", "ffs", "omfg",
    "this bill is fucking wrong", "the password reset is driving me insane", "what kind of crap is this",
)  # fmt: skip

#: Outbursts at a person or a group. They are toxic whatever request they stand with.
INSULTS = (
    "fuck you", "go fuck yourself", "you fucking idiots", "you are a bunch of idiots", "you stupid bitch",
    "you useless piece of shit", "you worthless bastard", "go to hell, all of you", "you dumb bastards",
    "you are all fucking morons", "screw you, asshole", "you brainless moron", "you are a lying piece of trash",
    "shut the fuck up", "shut up, you idiot", "kiss my ass", "I hope you die", "kill yourself", "eat shit",
    "you pathetic loser", "suck my dick", "you retards", "you fat ugly cow", "you filthy pigs", "burn in hell",
    "you dirty whore", "you incompetent assholes", "I will find you and hurt you", "I'll come over and beat you up",
    "you should be shot", "drop dead, moron", "you stupid fucking robot, you are an idiot", "you scumbags",
    "what a dumb bitch you are", "you motherfuckers", "you stupid cunt", "you lazy good-for-nothing idiots",
    "you must be too stupid to read, imbecile", "you are human garbage", "your mother is a whore", "piss off, wanker",
    "you sick bastards", "stupid people like you should not be allowed to work", "get lost, you piece of garbage",
    "you disgusting freak", "you jackass", "you are nothing but a dumbass", "go kill yourself, loser", "fuck off",
    "people from your country are all thieves", "only a retard could work for you", "you little shit",
)  # fmt: skip

#: Chinese requests: every act goes with every thing.
ZH_ACTS = (
    "我想取消", "我要查询", "请帮我修改", "怎么查看", "如何申请", "麻烦帮我处理", "我还没有收到", "请问在哪里可以找到",
    "我的{}有问题", "能不能加快", "我想知道", "为什么还没有",
    "帮我看一下", "我不会弄", "你们什么时候给我处理", "我需要",
)  # fmt: skip
ZH_THINGS = (
    "订单", "退款", "发票", "送货地址", "快递", "账户", "密码", "会员卡", "优惠券", "付款记录", "取消费用", "包裹",
    "人工客服", "售后服务", "换货申请", "退货流程", "订单号12345的物流", "昨天买的衣服", "银行卡转账", "配送时间",
)  # fmt: skip
ZH_FRUSTRATIONS = (
    "气死我了", "真他妈烦", "太慢了", "什么破网站", "搞什么鬼", "我靠", "妈的", "太差劲了", "等了一个星期了", "烦死了",
    "这也太坑了", "真是服了", "他妈的怎么还没到", "质量太垃圾了", "这什么破东西", "急死人了", "我很生气", "离谱",
)  # fmt: skip
ZH_INSULTS = (
    "你们都是白痴", "你这个傻逼", "去死吧", "滚你妈的", "你们是一群废物", "操你妈",
    "你脑子有病", "你们这些骗子真不要脸", "你就是个垃圾", "死全家", "你们外地人都是贱货", "你个蠢货",
    "闭嘴，猪脑子", "你妈死了", "一群畜生", "狗东西", "你算什么东西，贱人", "女人就是没脑子",
    "你们这帮乡巴佬", "老子弄死你",
)  # fmt: skip

#: Who a customer may say to be: to name a group is no attack on it (Dixon et al. 2018, doi:10.1145/3278721.3278729).
SELVES = (
    "a black woman", "gay", "a lesbian", "Muslim", "Jewish", "a Christian", "trans", "an old white man", "disabled",
    "deaf", "blind", "Mexican", "Chinese", "an immigrant", "a refugee", "Asian", "a woman", "a single mother", "Indian",
    "African American", "a Jew from Leeds", "a feminist", "queer", "a Black man", "from Pakistan", "in a wheelchair",
)  # fmt: skip
ZH_SELVES = (
    "黑人",
    "女的",
    "外地人",
    "上海人",
    "河南人",
    "台湾人",
    "同性恋",
    "穆斯林",
    "残疾人",
    "东北人",
    "农村来的",
    "广东人",
    "外国人",
)

_THING = re.compile(
    r"\b(order|orders|purchase|refund|reimbursement|account|invoice|bill|delivery|address|money|package|password|"
    r"payment|newsletter|subscription|agent|person|shipping|service|company|item|items|product|website|app|fee|"
    r"penalty|review|complaint|claim|profile|pin|key|error|errors|problem|problems|issue|issues|parcel|checkout)\b",
    re.IGNORECASE,
)


def intensified(request: str, rng: random.Random, words: tuple[str, ...] = INTENSIFIERS) -> str | None:
    """The request with a swear word before one of its things; None if it names no thing that we know."""
    places = [match.start() for match in _THING.finditer(request)]
    if not places:
        return None
    at = rng.choice(places)
    return f"{request[:at]}{rng.choice(words)} {request[at:]}"


def outburst(request: str, phrases: tuple[str, ...], rng: random.Random) -> str:
    """The request with one or two outbursts before or after it."""
    joint = rng.choice((", ", ". ", "! ", "!! ", " ", "... "))
    text = joint.join(rng.sample(phrases, min(len(phrases), 2 if rng.random() < 0.15 else 1)))
    return f"{text}{joint}{request}" if rng.random() < 0.5 else f"{request}{joint}{text}"


def introduced(request: str, rng: random.Random) -> str:
    """The request of somebody who says who they are."""
    who = rng.choice(SELVES)
    openings = (
        f"I am {who} and ",
        f"I'm {who}. ",
        f"hi, as I'm {who} I was wondering: ",
        f"my husband is {who}, ",
        f"My wife is {who}. ",
    )
    return rng.choice(openings) + request


def zh_introduced(rng: random.Random) -> str:
    """The same in Chinese."""
    who = rng.choice(ZH_SELVES)
    return rng.choice((f"我是{who}，", f"我老婆是{who}，", f"作为{who}，", f"我朋友是{who}，")) + zh_request(rng)


def zh_request(rng: random.Random) -> str:
    """A plain Chinese request."""
    act, thing = rng.choice(ZH_ACTS), rng.choice(ZH_THINGS)
    return act.format(thing) if "{}" in act else act + thing


def apart(phrases: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Phrases to train on, and every fifth one by turns to calibrate on and to test on."""
    kept = phrases[4::5]
    train = tuple(phrase for phrase in phrases if phrase not in kept)
    return {"train": train, "calibrate": kept[::2], "test": kept[1::2]}
