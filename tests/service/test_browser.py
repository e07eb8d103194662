"""The chat page in a real browser: asked, answered, stopped, cleared; and not one request leaves the box."""

from __future__ import annotations

import time

import httpx
import pytest
from playwright.sync_api import expect

from runtime.service.options import ServiceOptions
from tests.service.conftest import Stage
from tests.service.page import ASK, DESK, ENDLESS, KIOSK, Visit, ask, last_answer, plain
from tests.service.scripted import Script


@pytest.mark.parametrize("viewport", [KIOSK, DESK], ids=["kiosk", "desk"])
def test_a_customer_asks_and_reads_the_streamed_answer(server_url: str, visit: Visit, viewport: dict[str, int]) -> None:
    page = visit(server_url, viewport=viewport)
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()
    ask(page, ASK)
    expect(page.locator(".turn.mine")).to_have_text(f"You:{ASK}")
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    reply = httpx.post(f"{server_url}/api/query", json={"question": ASK}, timeout=60, trust_env=False).json()
    assert plain(last_answer(page)) == plain(reply["answer"])
    assert plain(page.locator("#say").text_content() or "")[:20] == plain(reply["answer"])[:20]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_answer_grows_while_it_streams(stage: Stage, visit: Visit) -> None:
    _, url = stage(Script(tuple(f"word{n} " for n in range(40)), delay_s=0.05))
    page = visit(url)
    ask(page, "Hello")
    expect(page.locator(".turn.theirs")).to_contain_text("word1")
    early = last_answer(page)
    expect(page.locator(".turn.theirs")).to_contain_text("word39")
    assert last_answer(page).startswith(early.rstrip())
    assert len(early) < len(last_answer(page))


def test_a_frequent_request_is_one_touch(stage: Stage, visit: Visit) -> None:
    assistant, url = stage()
    page = visit(url, has_touch=True, viewport=KIOSK)
    page.get_by_role("button", name="Get a refund").tap()
    expect(page.locator(".turn.theirs")).to_contain_text("Certainly.")
    assert assistant.asked[0][0] == "How do I get a refund?"
    for box in (page.locator(target).first.bounding_box() for target in (".chip", "#fresh", "#send", ".language")):
        assert box is not None
        assert min(box["width"], box["height"]) >= 48


def test_the_keyboard_is_enough(stage: Stage, visit: Visit) -> None:
    assistant, url = stage(scripts={"Hello": ENDLESS})
    page = visit(url)
    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate("[document.activeElement.textContent.trim() || document.activeElement.id].join()")
        assert page.evaluate(
            "getComputedStyle(document.activeElement).boxShadow !== 'none' || document.activeElement.id === 'question'"
            " || document.activeElement === document.body"
        ), f"no visible focus on {focused}"
        seen.add(focused)
    assert {"English", "中文", "New customer", "question"} <= seen
    page.get_by_label("Your question").focus()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.theirs")).to_contain_text("word")
    page.keyboard.press("Escape")
    expect(page.locator(".turn.theirs")).to_contain_text("You stopped this answer.")
    end_s = time.monotonic() + 2
    while not assistant.turns[0].cancelled.is_set() and time.monotonic() < end_s:
        page.wait_for_timeout(20)
    assert assistant.turns[0].cancelled.is_set()
    assert page.evaluate("document.activeElement.id") == "question"


def test_the_next_customer_sees_nothing_of_this_one(stage: Stage, visit: Visit) -> None:
    assistant, url = stage()
    page = visit(url)
    ask(page, "My name is Alex")
    expect(page.locator(".turn.theirs")).to_contain_text("Certainly.")
    page.get_by_label("Your question").fill("half a thought")
    page.get_by_role("button", name="New customer").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_have_value("")
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()
    ask(page, "Hello")
    expect(page.locator(".turn.theirs")).to_contain_text("Certainly.")
    assert assistant.ended == [("session-0", "addr:127.0.0.1")]
    assert assistant.turns[1].result.session_id == "session-1"
    assert "Alex" not in page.content()


def test_a_stopped_answer_leaves_its_conversation_open(stage: Stage, visit: Visit) -> None:
    assistant, url = stage(scripts={"Hello": ENDLESS})
    page = visit(url)
    ask(page, "Hello")
    expect(page.locator(".turn.theirs")).to_contain_text("word")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".turn.theirs")).to_contain_text("You stopped this answer.")
    ask(page, "And now?")
    expect(page.locator(".turn.theirs").last).to_contain_text("Certainly.")
    assert {turn.session_id for turn in assistant.turns} == {"session-0"}
    page.get_by_role("button", name="New customer").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.wait_for_function("performance.getEntriesByName(location.origin + '/api/session/end').length === 1")
    assert [session for session, _ in assistant.ended] == ["session-0"]


def test_a_customer_who_left_is_forgotten(stage: Stage, visit: Visit) -> None:
    assistant, url = stage(options=ServiceOptions(page_idle_s=1))
    page = visit(url)
    page.clock.install()
    page.reload()
    ask(page, "Hello")
    expect(page.locator(".turn.theirs")).to_contain_text("Certainly.")
    page.clock.run_for(3000)
    expect(page.get_by_role("dialog")).to_contain_text("Are you still there?")
    page.get_by_role("button", name="Yes, continue").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".turn")).to_have_count(2)
    page.clock.run_for(25_000)
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert [session for session, _ in assistant.ended] == ["session-0"]


def test_a_forgotten_session_is_begun_anew(server_url: str, visit: Visit) -> None:
    """It may have expired, or the service may have been started anew: the customer need not know."""
    page = visit(server_url)
    with page.expect_response("**/api/query") as answered:
        ask(page, ASK)
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    session = answered.value.headers["tellerbox-session"]
    page.request.post(f"{server_url}/api/session/end", data={"session_id": session})
    ask(page, ASK)
    expect(page.locator(".turn.theirs")).to_have_count(2)
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    first, again = page.locator(".turn.theirs .body").all_inner_texts()
    assert plain(first)
    assert plain(first) == plain(again)
