"""The words before a number that say what it is: an order, a telephone, a payment card."""

from __future__ import annotations

import re

#: How far such words reach. A stream shows a detector at least twice as much of what is already out.
REACH_CHARS = 32

#: What may stand between two digits of one number besides nothing.
GAP = r" .\-\u2010-\u2015\u00b7_*"

_REFERENCE = re.compile(
    r"(?:\b(?:order|purchase|invoice|bill|tracking|reference|ref|case|ticket|parcel|package|booking|transaction|receipt"
    r"|waybill|shipment|serial|sku|imei|item|product|model)s?"
    r"|订单|单号|发票|运单|快递|流水|工单|案件|交易|编号|序列号|货号|型号)"
    r"(?:\s|number|no\b|num\b|nr\b|id\b|code|is\b|was\b|号码|号|编号|是|为|[#.:=,(\"'-])*$",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"(?:\b(?:call|text|sms|phone|mobile|cell|cellphone|desk|fax|tel|telephone|landline|whatsapp|wechat|dial|ring|reach"
    r"|answering|contact number)\b|电话|手机|致电|拨打|座机|传真|联系方式)"
    r"([^\d.!?。\x00]{0,20})$",
    re.IGNORECASE,
)
_OTHER_MATTER = re.compile(
    r"\b(?:about|regarding|concerning|costs?|price|imei)\b|\bfor\s*$|关于|查询|询问|价", re.IGNORECASE
)
_CONTACT_AFTER = re.compile(r"\s?[-(]?\s?(?:mobile|cell|office|home|work|fax|landline|手机|座机|办公)", re.IGNORECASE)
_CARD = re.compile(
    r"(?:\b(?:cards?|visa|mastercard|amex|maestro|unionpay|debit|credit)\b|卡|账号|账户|帐号)[^\d.!?。\x00]{0,24}$",
    re.IGNORECASE,
)
_IDENTITY = re.compile(
    r"(?:身份证|证件|\b(?:id|identity)(?:\s(?:card|number|no\.?))*\b)[^\d。，,!?\x00]{0,12}$", re.IGNORECASE
)


def is_reference(text: str, at: int) -> bool:
    """Whether what begins at ``at`` is called an order, an invoice or the like, just before it."""
    return _REFERENCE.search(_before(text, at)) is not None


def is_contact(text: str, start: int, end: int) -> bool:
    """Whether the text calls what stands there a telephone number."""
    match = _CONTACT.search(_before(text, start))
    if match is not None:
        return _OTHER_MATTER.search(match.group(1)) is None
    return _CONTACT_AFTER.match(text, end, end + 20) is not None


def is_card(text: str, at: int) -> bool:
    """Whether what begins at ``at`` is called a payment card or an account."""
    return _CARD.search(_before(text, at)) is not None


def is_identity(text: str, at: int) -> bool:
    """Whether what begins at ``at`` is called an identity card."""
    return _IDENTITY.search(_before(text, at)) is not None


def _before(text: str, at: int) -> str:
    return text[max(0, at - REACH_CHARS) : at]
