"""E-mail addresses in words, postal addresses and names: as far as rules reach, and no further."""

from __future__ import annotations

import pytest

from guards.pii.find import PiiKind, canonical
from tests.guards.pii.found import found


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("my email is jane at example dot com", "jane at example dot com"),
        ("jane.doe [at] example [dot] org", "jane.doe [at] example [dot] org"),
        ("邮箱abc艾特qq点com", "abc艾特qq点com"),
        ("write to jane @ example.com", "jane @ example.com"),
        ("müller@exämple.de", "müller@exämple.de"),
        ("ab＠ｑｑ．ｃｏｍ", "ab＠ｑｑ．ｃｏｍ"),
        ("邮箱zhang@例子.中国谢谢", "zhang@例子.中国"),
    ],
)
def test_email_addresses(text: str, address: str) -> None:
    assert found(text) == [("EMAIL", address)]


@pytest.mark.parametrize(
    "text", ["look at amazon dot com", "meet me at 5. Com on", "it is at shop.com", "y" * 65 + "@a.com"]
)
def test_what_is_no_email_address(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ship it to 12 High Street, London SW1A 1AA please", "12 High Street, London SW1A 1AA"),
        ("I live at 221b baker street, london", "221b baker street"),
        ("1600 Pennsylvania Avenue NW, Washington, DC 20500.", "1600 Pennsylvania Avenue NW, Washington, DC 20500"),
        ("it is Apt. 6, 25 St. James Street", "Apt. 6, 25 St. James Street"),
        ("9721 Dalmatinova 43 Apt. 678", "9721 Dalmatinova 43 Apt. 678"),
        ("my address is Hauptstraße 5, 10115 Berlin", "Hauptstraße 5, 10115 Berlin"),
        ("she lives on Via Tasso 129 now", "Via Tasso 129"),
        ("26 rue des Lilas", "26 rue des Lilas"),
        ("My address is 83393 Pärna 33 and I moved", "83393 Pärna 33"),
        ("PO Box 1234, Austin, TX 78701", "PO Box 1234, Austin, TX 78701"),
        ("my zip code is 90210", "90210"),
        ("地址：广东省深圳市南山区科技路12号3栋502室，谢谢", "广东省深圳市南山区科技路12号3栋502室"),
        ("寄到北京市朝阳区建国路８８号A座1203", "北京市朝阳区建国路８８号A座1203"),
        ("我住在中山路12号", "中山路12号"),
        ("送到阳光花园3栋2单元501", "阳光花园3栋2单元501"),
        ("地址改成浙江省杭州市西湖区灵隐街道，谢谢", "浙江省杭州市西湖区灵隐街道"),
    ],
)
def test_postal_addresses(text: str, address: str) -> None:
    assert found(text) == [("ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "I have 2 items on the way and 3 orders in place",
        "deliver to 2 different addresses",
        "it takes 12 working days",
        "how do I set my address up?",
        "order 12345 street delivery",
        "一路8号发货吗",
        "快递还在路上，3号能到吗",
        "我要3栋",
        "深圳市的门店有3家",
        "他说下个月5号退款",
        "the 5 way drive",
        "I live in London",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert found(text) == []


def test_an_address_ends_after_its_longest() -> None:
    [(kind, value)] = found("My address is 1 " + "Long " * 50 + "Apt. 5")[:1] or [("", "")]
    assert (kind, len(value) <= 160) == ("ADDRESS", True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is john smith and i want a refund", "john smith"),
        ("My name is Ana de la Cruz.", "Ana de la Cruz"),
        ("my name's Ted", "Ted"),
        ("I am Mr. de la Cruz", "de la Cruz"),
        ("invoices from Ms. Hawkings?", "Hawkings"),
        ("I'm John Smith, I ordered a lamp", "John Smith"),
        ("This is Jane Doe speaking", "Jane Doe"),
        ("Name:    Fredrik L. Sommerseth\nPhone", "Fredrik L. Sommerseth"),
        ("Thank you.\nKind regards,\nJohn Smith", "John Smith"),
        ("我叫张三，想查订单", "张三"),
        ("我叫王小明想退货", "王小明"),
        ("姓名：李小明 ", "李小明"),
        ("收件人欧阳娜娜，", "欧阳娜娜"),
        ("我姓王", "王"),
        ("尊敬的李女士，您好", "李"),
        ("我是赵子龙先生", "赵子龙"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert found(text) == [("NAME", name)]


@pytest.mark.parametrize(
    "text",
    [
        "My name is not on the order",
        "my name is wrong on the invoice",
        "my name is spelled wrong",
        "My name is showing wrong",
        "MY NAME IS NOT RIGHT",
        "user name: bob77",
        "the company name is Acme",
        "I'm sorry to hear that",
        "I am Very Unhappy with this",
        "I am a Premium Member",
        "call me back tomorrow",
        "Mr president",
        "我叫了外卖",
        "我叫车去机场",
        "收货人马上改",
        "对于先生的问题",
        "收件人电话改一下",
        "我姓什么",
        "Kind regards,\nThe whole team of your shop",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert found(text) == []


def test_order_numbers_and_placeholders_survive() -> None:
    text = "my name is [NAME_1], order 12345, ship to [ADDRESS_2], call [PHONE_1]"
    assert found(text) == []


def test_spellings_of_one_name_or_address_agree() -> None:
    assert canonical(PiiKind.NAME, "John  Smith") == canonical(PiiKind.NAME, "john smith")
    assert canonical(PiiKind.ADDRESS, "12 High St., London") == canonical(PiiKind.ADDRESS, "12 high st london")
