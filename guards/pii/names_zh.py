"""Chinese names: a surname of the table and one or two characters, behind words that announce a name or before a title.

Found: 我叫张三, 姓名：李小明, 收件人 欧阳娜娜, 我姓王, 王先生. Not found: a name that nothing announces, surnames
that are not among the common ones, and names whose end nothing shows ("我叫张伟来的" holds none).
"""

from __future__ import annotations

import re

from guards.pii.kinds import Span

#: The most common surnames, about 95 % of the people; 车, 单, 都 and other words of every day are left out.
_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
    "陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文施洪季樊阮童柳"
    "俞祝岑卞齐伍卜傅殷毕屈项祁米贝臧戚纪舒庞梅盛刁骆虞柯管翁荀羊惠甄曲芮靳松段富巫焦牧隗谷甘厉祖符景詹束幸司韶郜黎蓟薄印"
    "怀蒲邰鄂索咸籍卓蔺屠蒙池阴胥能苍闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍却璩桑桂濮牛寿边扈燕冀尚农温庄晏柴瞿阎连茹习宦艾鱼容"
)
_DOUBLE = "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|夏侯|轩辕|长孙|宇文|南宫|端木|百里|独孤"
_SURNAME = f"(?:{_DOUBLE}|[{''.join(sorted(set(_SINGLE) - set('向常能却束幸怀印连容农文易万')))}])"
_SURNAME_HERE = re.compile(_SURNAME)
_HAN = "\u4e00-\u9fff"
_ANNOUNCED = re.compile(
    r"(?:我叫|我名叫|本人叫|名字(?:是|叫)|(?:姓名|收件人|收货人|联系人|户名|持卡人|开户名|开户人|寄件人|申请人|投保人|客户名)(?:姓名|名字)?)"
    r"[是叫为:：\s]{0,3}"
)
#: What may follow a name directly.
_AFTER = re.compile(
    r"(?:，|的|电话|手机|住|在|我|想|要|今年|身份|地址|来自|订|买|下|是|号|邮|和|跟|，|联系|你|您|麻烦|请|前|昨|今|明天|刚|已|有|先生|女士|小姐|收|家|这|那|会员|账)"
)
_BY_SURNAME = re.compile(
    rf"(?:我|本人|免贵|敝)姓({_SURNAME})(?![{_HAN}])|(?:我|本人|免贵|敝)姓({_SURNAME})(?=[，,。\s的想要在是我])"
)
_TITLE = re.compile("先生|女士|小姐(?!姐)|太太")
_LATIN = re.compile(r"[A-Z][a-z]{1,20}(?:\s[A-Z][a-z]{1,20}){1,2}")
_NO_NAME = frozenset(
    (
        "黄金",
        "谢谢",
        "白人",
        "毕竟",
        "黄人",
        "白金",
        "高级",
        "金牌",
        "于是",
        "任何",
        "何时",
        "方便",
        "马上",
        "常见",
        "安全",
        "温馨",
        "江苏",
        "明天",
        "高兴",
        "石头",
        "白色",
        "黄色",
        "龙头",
    )
)


def names_zh(text: str) -> list[Span]:
    """Chinese names in a normalised text."""
    if text.isascii():
        return []
    spans = [span for m in _ANNOUNCED.finditer(text) if (span := _name(text, m.end()))]
    if "姓" in text:
        spans += [m.span(m.lastindex or 0) for m in _BY_SURNAME.finditer(text)]
    for title in _TITLE.finditer(text):
        for length in (4, 3, 2, 1):
            start = title.start() - length
            if start >= 0 and _is_titled(text, start, title.start(), length):
                spans.append((start, title.start()))
                break
    return spans


def _is_titled(text: str, start: int, end: int, length: int) -> bool:
    """Whether a surname by itself, or a full name after a border, stands before a title."""
    word = text[start:end]
    if not re.fullmatch(f"{_SURNAME}[{_HAN}]{{0,2}}", word) or word in _NO_NAME:
        return False
    before = text[start - 1 : start]
    if length > 2 or (length == 2 and not re.fullmatch(_DOUBLE, word)):
        return not re.match(f"[{_HAN}]", before) or before in "是叫为找给的"
    return before not in "对关由至属终等基" or not before


def _name(text: str, at: int) -> Span | None:
    """The name that begins at ``at``: as long as what follows shows that it has ended."""
    latin = _LATIN.match(text, at)
    if latin:
        return latin.span()
    surname = _SURNAME_HERE.match(text, at)
    if surname is None:
        return None
    ends = [surname.end() + more for more in (2, 1) if _is_han(text, surname.end(), more)]
    ends = [end for end in ends if text[at:end] not in _NO_NAME and text[at : at + 2] not in _NO_NAME]
    for end in ends:
        if not _is_han(text, end, 1):
            return at, end
    for end in reversed(ends):
        if _AFTER.match(text, end):
            return at, end
    return None


def _is_han(text: str, at: int, count: int) -> bool:
    return re.fullmatch(f"[{_HAN}·]{{{count}}}", text[at : at + count]) is not None
