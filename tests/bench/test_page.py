"""The page: complete, closed to the network, safe against what a server says of itself, readable without eyes."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from bench.metrics import Timeline
from bench.page import html_page
from bench.page.burst import MOST, burst_loop
from bench.page.canvas import look
from bench.page.resources import cores_used
from bench.page.sweep import sweeps
from bench.records import LoopResult, Outcome
from bench.result import Result, Sample
from bench.summary import summarise
from bench.tables import report_tables
from bench.verdict import judge
from tests.bench.samples import MACHINE, TARGET, loop, record, result, simulated

VOID = frozenset({"meta", "link", "br", "img", "input", "hr", "base", "source", "embed", "area", "col", "track", "wbr"})
LOADING = frozenset({"script", "link", "img", "iframe", "object", "embed", "image", "video", "audio", "source", "base"})


class Page(HTMLParser):
    """A page as its tags: what it would load, its ids, its headings, and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


def page(measured: Result) -> str:
    summary = summarise(measured)
    return html_page(measured, summary, judge(measured, summary))


def sample(at_s: float, rss_mib: int, cpu_s: float) -> Sample:
    return Sample(1000.0 * at_s, rss_mib << 20, (rss_mib - 9) << 20, 100, 2, cpu_s, 61.5, None, None)


def arriving(kind: str, count: int, rate_per_s: float | None, began_ms: float) -> LoopResult:
    """Requests that wait longer and longer; the second is refused."""
    records = [replace(record(n, 90.0 + 40.0 * n), scheduled_ms=100.0 * n - 2.0 * (n > 0)) for n in range(count)]
    records[1] = replace(records[1], outcome=Outcome.REFUSED, timeline=Timeline((), 4.0, 0), error="HTTP 429")
    plain = loop(count, records, began_ms=began_ms)
    named = f"{kind}-{rate_per_s or count:g}"
    return replace(plain, plan=replace(plain.plan, name=named, kind=kind, rate_per_s=rate_per_s))


@cache
def full() -> Result:
    """Closed loops, two rates, a burst and a time line."""
    closed = simulated(1).loops
    others = [arriving("open", 20, 2.0, 16e3), arriving("open", 20, 4.0, 24e3), arriving("burst", 16, None, 32e3)]
    samples = tuple(sample(float(at), 100 + at, 1.5 * at) for at in range(41))
    return result((closed[0], replace(closed[1], began_ms=8e3), *others), samples=samples)


@cache
def full_page() -> str:
    return page(full())


def test_the_page_of_a_full_run_has_every_part() -> None:
    text = full_page()
    parsed = Page(text)
    assert parsed.open == []
    assert len(text) < 1_000_000
    words = "".join(parsed.words)
    summary = summarise(full())
    verdict = judge(full(), summary)
    for part in (verdict.sentence, *verdict.caveats, *(table.title for table in report_tables(full(), summary))):
        assert part in words, part
    figures = [attributes["id"] for tag, attributes in parsed.tags if tag == "figure"]
    assert figures == [f"figure-{key}" for key in ("waiting", "sweep", "kinds", "burst", "resources")]
    for label in ("closed-1", "open-2", "goodput", "offered", "waiting", "RSS", "PSS", "temperature (°C)"):
        assert label in words, label


def test_every_cell_of_every_table_is_on_the_page() -> None:
    words = set(Page(full_page()).words)
    for table in report_tables(full(), summarise(full())):
        for row in table.rows:
            assert words.issuperset(cell for cell in row if cell), row


def test_nothing_on_the_page_leaves_the_file() -> None:
    text = full_page()
    parsed = Page(text)
    assert not LOADING.intersection(tag for tag, _ in parsed.tags)
    for attribute in ("src", "srcset", "href", "xlink:href", "data", "action", "poster", "background"):
        assert all(value.startswith("#") for value in parsed.values(attribute)), attribute
    assert all(inside.startswith("#") for inside in re.findall(r"url\(\s*['\"]?([^)]*)", text))
    assert "@import" not in text
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)
    (policy,) = (attributes["content"] for tag, attributes in parsed.tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")


def test_every_reference_within_the_page_is_met_and_no_id_is_given_twice() -> None:
    text = full_page()
    parsed = Page(text)
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for name in ("href", "xlink:href") for value in parsed.values(name)}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", text))
    wanted |= {one for value in parsed.values("aria-labelledby") for one in value.split()}
    assert wanted
    assert wanted <= set(ids)


def test_drawings_have_a_title_and_a_description_with_figures() -> None:
    parsed = Page(full_page())
    drawings = [attributes for tag, attributes in parsed.tags if tag == "svg"]
    assert len(drawings) == 5
    assert all(drawing["role"] == "img" and "viewbox" in drawing for drawing in drawings)
    words = "".join(parsed.words)
    assert "closed-1: TTFT median" in words
    assert "16 requests of burst-16" in words
    assert "140 MiB at most" in words


def test_what_a_server_says_of_itself_stays_text() -> None:
    nasty = "<script>alert(1)</script>\"'&$x_1$"
    measured = result(
        [replace(one, plan=replace(one.plan, name=nasty)) for one in simulated(1).loops],
        target=replace(TARGET, model=nasty, health={"model": nasty}),
        machine=replace(MACHINE, cpu=nasty, board="</style>"),
        aborted=nasty,
    )
    parsed = Page(page(measured))
    assert not any(tag == "script" for tag, _ in parsed.tags)
    assert "".join(parsed.words).count(nasty) > 5


def test_the_same_run_gives_the_same_page() -> None:
    assert page(full()) == full_page()


@pytest.mark.parametrize(
    "measured",
    [
        result([], attacks=None, usage=None, aborted="gone"),
        result([loop(1, [])]),
        result([loop(1, [record(0, 100.0)])]),
        result([loop(1, [record(0, 1.0, tokens=1, outcome=Outcome.FAILED, error="x")])]),
    ],
)
def test_a_run_that_measured_little_still_has_its_page(measured: Result) -> None:
    parsed = Page(page(measured))
    assert parsed.open == []
    summary = summarise(measured)
    assert judge(measured, summary).sentence in "".join(parsed.words)


def test_sweeps_keep_kinds_apart_and_rise() -> None:
    closed, opened = sweeps(full(), summarise(full()))
    assert closed.loads == (1, 4)
    assert opened.loads == opened.offered_per_s == (2.0, 4.0)
    assert [one.name for one in opened.loops] == ["open-2", "open-4"]


def test_the_burst_is_drawn_or_else_the_fullest_loop() -> None:
    burst = burst_loop(full())
    assert burst is not None
    assert burst.plan.kind == "burst"
    fullest = burst_loop(simulated(1))
    assert fullest is not None
    assert fullest.plan.chats == 4
    assert f"The first {MOST} of 60 requests" in page(simulated(1))
    assert burst_loop(result([])) is None


def test_busy_processors_follow_from_seconds_used() -> None:
    found = cores_used([sample(0.0, 100, 1.0), sample(2.0, 100, 4.0), sample(2.0, 100, 4.0), sample(3.0, 100, 4.0)])
    assert found == ((2.0, 1.5), (3.0, 0.0))


def test_no_two_lines_look_alike() -> None:
    assert len({look(place) for place in range(16)}) == 16
