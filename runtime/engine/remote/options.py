"""How the remote engine reaches a server: its options, each with its unit, and what is no usable address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from runtime.engine.remote.dialect import PromptForm, ServerKind
from runtime.errors import StartError


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How the remote engine works.

    Attributes:
        context_tokens: prompt and answer together, at most; the bundle's.
        api_key: sent as a bearer token; empty sends none. Never shown.
        ca_file: certificates that an https server is believed by; None takes the public ones.
        model: the model's name there; empty takes the first that the server lists.
        adapters: names that a request may give as its adapter, beside those that the server lists; each is sent as
            the model's name, which is vLLM's convention.
        kind: which program answers; None finds out.
        prompt_form: how prompts are sent.
        connect_timeout_s: for a connection, TLS included.
        first_token_timeout_s: from the connection's beginning to the first token.
        token_timeout_s: longest silence between tokens.
        total_timeout_s: for an answer, tries and waits included.
        retries: further tries where a connection failed, or 429, 502, 503 or 504 came, before anything was given out.
        backoff_s: longest wait before the first of them; it doubles with each, and the wait is a random share of it.
        retry_after_limit_s: a server that asks for a longer wait is not tried again.
        max_running: answers computed at once; further requests wait.
        queue_capacity: requests that may wait; one more is refused.
        breaker_failures: failures in a row after which the server is left alone,
        breaker_cooldown_s: for so long.
    """

    context_tokens: int = 2048
    api_key: str = field(default="", repr=False)
    ca_file: Path | None = None
    model: str = ""
    adapters: tuple[str, ...] = ()
    kind: ServerKind | None = None
    prompt_form: PromptForm = PromptForm.AUTO
    connect_timeout_s: float = 3.0
    first_token_timeout_s: float = 60.0
    token_timeout_s: float = 20.0
    total_timeout_s: float = 300.0
    retries: int = 2
    backoff_s: float = 0.25
    retry_after_limit_s: float = 5.0
    max_running: int = 8
    queue_capacity: int = 64
    breaker_failures: int = 5
    breaker_cooldown_s: float = 10.0


def clean_url(url: str) -> str:
    """The server's address without a trailing slash or ``/v1``, which every path begins with anyway.

    Raises:
        StartError: it is no address, or holds a password, which logs would show.
    """
    expected = "expected one like http://127.0.0.1:8000"
    try:
        parts = urlsplit(url)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        raise StartError(f"upstream {url!r} is no address; {expected}") from None
    if "@" in parts.netloc:
        raise StartError("the upstream's address holds a password; give it without one, and the key as a file")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_good:
        raise StartError(f"upstream {url!r} is no address of an HTTP server; {expected}")
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise StartError(f"upstream {url!r} holds more than an address; {expected}")
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def check_key(api_key: str) -> None:
    """Refuse a key that cannot stand in a header.

    Raises:
        StartError: it holds a blank, a line end or another sign that no key has.
    """
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise StartError("the upstream's key holds a blank, a line end or a sign outside ASCII; check its file")
