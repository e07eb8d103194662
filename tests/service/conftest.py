"""The service under test: the real assistant on the demonstration bundle, and a scripted one for faults on demand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from runtime.assistant.opening import OpeningOptions, open_desk
from runtime.engine.settings import LocalOptions
from runtime.service.options import ServiceOptions
from tests.paths import DEMO
from tests.service.page import DESK, Visit
from tests.service.scripted import Script, ScriptedAssistant
from tests.service.serving import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Stage = Callable[..., tuple[ScriptedAssistant, str]]


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Where the demonstration bundle is served with default options."""
    desk = open_desk(
        OpeningOptions(DEMO, engine=LocalOptions(threads=1))
    )  # two threads that spin crawl beside a busy browser
    try:
        with serving(desk) as url:
            yield url
    finally:
        desk.close()


@pytest.fixture
def http(server_url: str) -> Iterator[httpx.Client]:
    """A client of the demonstration bundle."""
    with httpx.Client(base_url=server_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Serves a scripted assistant: ``stage(default_script, scripts_by_question, options, adapters)`` -> (it, url)."""
    with ExitStack() as stack:

        def serve(
            default: Script | None = None,
            scripts: dict[str, Script] | None = None,
            options: ServiceOptions | None = None,
            adapters: Sequence[str] = (),
        ) -> tuple[ScriptedAssistant, str]:
            assistant = ScriptedAssistant(default or Script(), scripts, adapters)
            return assistant, stack.enter_context(serving(assistant, options))

        yield serve


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; one for all tests."""
    if CHROMIUM is None:
        pytest.skip("no chromium here; install it with `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a page; at the end no request has left the host, no script has failed, no rule of the policy was broken."""
    foreign: list[str] = []
    failures: list[str] = []

    with ExitStack() as stack:

        def open_page(url: str, path: str = "/", **context: object) -> Page:
            made = browser.new_context(**{"viewport": DESK, "locale": "en-US", **context})  # type: ignore[arg-type]
            stack.callback(made.close)
            page = made.new_page()
            host = urlsplit(url).netloc

            def watch(asked: str) -> None:
                if urlsplit(asked).scheme not in ("data", "blob") and urlsplit(asked).netloc != host:
                    foreign.append(asked)

            def note_violation(message: ConsoleMessage) -> None:
                if "Content Security" in message.text:
                    failures.append(message.text)

            page.on("request", lambda request: watch(request.url))
            page.on("pageerror", lambda error: failures.append(str(error)))
            page.on(
                "console", lambda message: failures.append(message.text) if "Content Security" in message.text else None
            )
            page.goto(url + path)
            return page

        yield open_page
    assert foreign == []
    assert failures == []
