"""In a stream no character of personal data goes out before it is known to be some."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.pii.find import DEFAULT, PiiDetector
from guards.steps import MAX_HOLD_CHARS, OutputGuards
from guards.stream import OutputStream
from guards.verdict import Action
from guards.views.normal import normalised
from guards.watch import Watch

DATA = (
    "12 High Street, London SW1A 1AA",
    "Hauptstraße 5, 10115 Berlin",
    "26 rue des Lilas",
    "P.O. Box 1234, Austin, TX 78701",
    "25 St. James Street, Apt. 6, Boston, MA 02108",
    "13800138000",
    "138 0013 8000",
    "一三八零零一三八零零零",
    "+44 20 7946 0958 ext. 12",
    "jane.doe@example.com",
    "my email is jane at example dot com",
    "bob [at] example [dot] org",
    "110105 19491231 002X",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "My name is John Smith",
    "I am Mr. de la Cruz",
    "Kind regards,\nJohn Smith\n",
    "我叫张三",
    "收件人：欧阳娜娜",
    "广东省深圳市南山区科技路12号3栋502室",
    "阳光花园3栋2单元501",
)
PLAIN = (
    "Your parcel is on its way",
    "好的，您的退款已经提交",
    "It takes 3-5 days",
    "order 12345",
    "in 20 working days",
    "and then we will send it to you as soon as it is there",
    "x" * 90,
    "漢" * 30,
    "St",
    "name",
    "to",
    "是",
)
BORDERS = (" ", ". ", "! ", "。", "，", ", ", "\n", "\n\n", ": ")
ANSWERS = st.lists(
    st.tuples(st.sampled_from((*DATA, *PLAIN)), st.sampled_from(BORDERS)).map("".join), min_size=1, max_size=10
).map("".join)
DETECTOR = PiiDetector(DEFAULT)


def streamed(text: str, cuts: list[int]) -> tuple[str, bool]:
    guards = OutputGuards(((DETECTOR, Action.REDACT),), (), max_chars=16000, stamp="test")
    stream = OutputStream(guards, Watch(30.0))
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    out = [stream.feed(text[start:end]) for start, end in pairwise(places)]
    return "".join([*out, stream.finish()]), stream.blocked


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.lists(st.integers(0, 10_000), max_size=20))
def test_a_stream_says_what_the_whole_says(text: str, cuts: list[int]) -> None:
    out, blocked = streamed(text, cuts)
    assert (out, blocked) == streamed(text, [])
    assert not blocked


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(PLAIN), max_size=4),
    st.sampled_from(DATA),
    st.sampled_from(BORDERS),
    st.sampled_from(PLAIN),
)
def test_what_the_whole_text_redacts_no_stream_lets_out(before: list[str], data: str, border: str, after: str) -> None:
    text = f"{'. '.join([*before, ''])}{data}{border}{after}"
    hits = DETECTOR.scan(normalised(text)).hits
    expected, at = "", 0
    for hit in hits:
        expected += text[at : hit.start] + hit.replacement
        at = hit.end
    assert hits
    assert streamed(text, list(range(0, len(text), 7)))[0] == expected + text[at:]


@pytest.mark.parametrize("data", DATA)
def test_every_prefix_of_data_is_held_back_to_its_beginning(data: str) -> None:
    """Whatever has been said of it: where the whole begins, the open part began as well."""
    text = f"Well then. {data}"
    start = DETECTOR.scan(normalised(text)).hits[0].start
    for end in range(start + 1, len(text)):
        assert DETECTOR.pending(normalised(text[:end])) <= start, text[:end]


@pytest.mark.parametrize(
    "text",
    [
        "Your refund comes tomorrow. P",
        "好的，已经提交。您",
        "It takes 3 days! Y",
        "Keep the number 123456. T",
        "a line\nN",
    ],
)
def test_a_finished_sentence_holds_nothing(text: str) -> None:
    assert DETECTOR.pending(normalised(text)) >= len(text) - 1


@given(st.text(st.sampled_from("0123 abN@.-(一路号名王, \n"), max_size=900))
@settings(max_examples=60, deadline=None)
def test_what_is_held_back_is_bounded(text: str) -> None:
    assert len(text) - DETECTOR.pending(normalised(text)) <= MAX_HOLD_CHARS // 2
