"""Text out of bytes: characters stay whole, stop texts never show, however the bytes are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.text import TextAssembler


def assemble(pieces: list[bytes], stop: tuple[str, ...] = ()) -> str:
    text = TextAssembler(stop)
    return "".join(text.feed(piece) for piece in pieces) + text.finish()


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    borders = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *borders], [*borders, len(data)], strict=True)]


@given(st.data(), st.text())
def test_any_cut_gives_the_same_text(data: st.DataObject, text: str) -> None:
    assert assemble(data.draw(cut(text.encode("utf-8", "replace")))) == text.encode("utf-8", "replace").decode()


@given(st.data(), st.text(alphabet="abc退", max_size=30), st.text(alphabet="abc退", min_size=1, max_size=4))
def test_nothing_of_a_stop_text_shows(data: st.DataObject, text: str, stop: str) -> None:
    assert assemble(data.draw(cut(text.encode())), (stop,)) == text.split(stop)[0]


def test_a_character_is_never_split() -> None:
    text = TextAssembler()
    released = [text.feed(bytes([byte])) for byte in "退款".encode()]
    assert released == ["", "", "退", "", "", "款"]


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert assemble([b"a\xff", b"b\xe9\x80"]) == "a\ufffdb\ufffd"


def test_the_first_of_several_stop_texts_counts() -> None:
    assert assemble([b"one two three"], ("three", "two")) == "one "


def test_a_cut_answer_shows_neither_half_a_character_nor_half_a_stop_text() -> None:
    for pieces, stop in (([b"Thanks.<|us"], "<|user|>"), (["退".encode(), b"\xe6\xac"], "END")):
        text = TextAssembler((stop,))
        released = "".join(text.feed(piece) for piece in pieces) + text.finish(cut=True)
        assert released in ("Thanks.", "退")


def test_after_a_stop_text_nothing_comes() -> None:
    text = TextAssembler(("END",))
    assert [text.feed(b"a E"), text.feed(b"ND b"), text.feed(b"c"), text.finish()] == ["a ", "", "", ""]
    assert text.stopped
