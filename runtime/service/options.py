"""What an operator can set about the HTTP service, every limit with its unit."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.service.keys import ApiKey


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Limits and choices of the service; the defaults suit one kiosk on the loopback address.

    Attributes:
        max_body_bytes: larger request bodies are refused with 413.
        max_answers: answers under way at once, computed or waiting; one more is refused with 429. Each holds a thread.
        answer_timeout_s: an answer that takes longer is cut short.
        request_timeout_s: a request has to arrive whole within this time, or gets 408.
        idle_timeout_s: a connection on which nothing happens is closed after this time.
        stop_grace_s: at a stop, running answers may go on for this long; then they are cut short.
        max_connections: open connections; more wait in the operating system's queue.
        rate_per_minute: questions a client may ask per minute; 0 sets no limit.
        rate_burst: questions a client may ask at once before the rate counts.
        api_keys: who may call; empty lets everybody who reaches the port.
        allowed_origins: web origins besides our own (``https://shop.example``) whose pages may call the API.
        trusted_proxy: address of a reverse proxy whose X-Forwarded headers are believed; empty believes none.
        page_idle_s: the chat page forgets its customer after this time without a touch.
        page_title: the heading of the chat page; empty takes the page's own words.
    """

    max_body_bytes: int = 256 * 1024
    max_answers: int = 32
    answer_timeout_s: float = 120.0
    request_timeout_s: float = 10.0
    idle_timeout_s: float = 60.0
    stop_grace_s: float = 3.0
    max_connections: int = 256
    rate_per_minute: int = 0
    rate_burst: int = 10
    api_keys: tuple[ApiKey, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    trusted_proxy: str = ""
    page_idle_s: int = 180
    page_title: str = ""
