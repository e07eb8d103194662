"""The pages in a real browser in all their states: languages, refusals, failures, keys, the documentation."""

from __future__ import annotations

from playwright.sync_api import expect

from guards.verdict import Action, Verdict
from runtime.errors import EngineError, QueueFullError
from runtime.service.keys import Access, ApiKey
from runtime.service.options import ServiceOptions
from tests.service.conftest import Stage
from tests.service.page import Visit, ask
from tests.service.scripted import Script


def test_both_languages_have_all_the_words(stage: Stage, visit: Visit) -> None:
    _, url = stage()
    page = visit(url, locale="zh-CN")
    expect(page.get_by_role("heading", name="有什么可以帮您？")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()
    shapes = page.evaluate(
        """async () => {
          const { STRINGS } = await import("/static/strings.js");
          const shape = (value) => typeof value === "string" ? value.length > 0
            : Array.isArray(value) ? value.map(shape)
            : Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])]));
          return Object.values(STRINGS).map((words) => JSON.stringify(shape(words)));
        }"""
    )
    assert len(set(shapes)) == 1
    assert "false" not in shapes[0]


def test_an_answer_never_becomes_markup(stage: Stage, visit: Visit) -> None:
    attack = '<img src=x onerror="document.title=1"> **bold** <script>1</script>\n1. one\n\n2. two\n- a'
    _, url = stage(Script((attack,)))
    page = visit(url)
    ask(page, "<b>Hello</b>")
    body = page.locator(".turn.theirs .body")
    expect(body.locator("strong")).to_have_text("bold")
    expect(body.locator("ol > li")).to_have_text(["one", "two"])
    expect(body.locator("ul > li")).to_have_text(["a"])
    expect(page.locator(".talk img, .talk script, .talk b")).to_have_count(0)
    assert "<script>1</script>" in body.inner_text()


def test_refusals_and_failures_are_told_apart(stage: Stage, visit: Visit) -> None:
    scripts = {
        "rude": Script(("Not like that.",), verdict=Verdict(Action.BLOCK, rule="toxicity.insult")),
        "human": Script(("I call somebody.",), handoff=True),
        "broken": Script(("Well, ",), fails=EngineError("boom")),
        "busy": Script(refuses=QueueFullError(9, 12)),
    }
    assistant, url = stage(scripts=scripts)
    page = visit(url)
    said = page.locator(".turn.theirs").last
    ask(page, "rude")
    expect(said).to_contain_text("I can’t answer that")
    ask(page, "human")
    expect(said).to_contain_text("A colleague can help you with this")
    ask(page, "busy")
    expect(said).to_contain_text("Please try again in 12 seconds.")
    ask(page, "broken")
    expect(said).to_contain_text("That did not work")
    expect(said).to_contain_text("Well,")
    said.get_by_role("button", name="Try again").click()
    expect(page.locator(".turn.mine")).to_have_count(4)
    expect(said).to_contain_text("That did not work")
    assert [question for question, _, _ in assistant.asked].count("broken") == 2


def test_a_box_that_is_down_is_said_and_found_again(stage: Stage, visit: Visit) -> None:
    _, url = stage()
    page = visit(url)
    page.route("**/*", lambda route: route.abort())
    ask(page, "Hello")
    expect(page.locator(".turn.theirs")).to_contain_text("That did not work")
    expect(page.get_by_text("cannot be reached")).to_be_visible()
    page.unroute("**/*")
    expect(page.get_by_text("cannot be reached")).to_be_hidden(timeout=8000)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".turn.theirs")).to_contain_text("Certainly.")


def test_a_screen_asks_for_its_key_once(stage: Stage, visit: Visit) -> None:
    keys = (ApiKey.of("kiosk", Access.USER, "kiosk-secret-0123456"),)
    _, url = stage(options=ServiceOptions(api_keys=keys))
    page = visit(url)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("needs an access key")
    dialog.locator("input").fill("kiosk-secret-0123456")
    dialog.get_by_role("button", name="Save").click()
    ask(page, "Hello")
    expect(page.locator(".turn.theirs")).to_contain_text("Certainly.")
    page.reload()
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()
    expect(dialog).to_be_hidden()


def test_the_documentation_works_from_the_box(server_url: str, visit: Visit) -> None:
    page = visit(server_url, "/docs")
    expect(page.get_by_text("/v1/chat/completions")).to_be_visible()
    expect(page.get_by_text("Answer a customer's question")).to_be_visible()
