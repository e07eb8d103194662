"""What the browser tests do with the chat page."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from tests.service.scripted import Script

KIOSK = {"width": 1080, "height": 1920}
DESK = {"width": 1280, "height": 800}
ASK = "I want to cancel order 12345 and get my money back"
ENDLESS = Script(("word ",) * 2000, delay_s=0.02)

Visit = Callable[..., Page]


def ask(page: Page, question: str) -> None:
    """Type a question and send it."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def last_answer(page: Page) -> str:
    """The newest answer as it is shown."""
    return page.locator(".turn.theirs .body").last.inner_text()


def plain(answer: str) -> list[str]:
    """The words of an answer without the marks that the page shows as lists and emphasis."""
    return re.sub(r"^\s*(\d+[.)]|[-*•])\s|\*+", " ", answer, flags=re.MULTILINE).split()
