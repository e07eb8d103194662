"""Who may call what, and how often. Runs before every route; a refusal here costs the engine nothing."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request, request

from runtime.service.context import CLIENT
from runtime.service.keys import Access, ApiKey, find_key
from runtime.service.options import ServiceOptions
from runtime.service.problems import Problem, Refusal
from runtime.service.rates import RateLimiter

NEEDED: dict[str, Access] = {
    "/v1/chat/completions": Access.USER,
    "/v1/models": Access.USER,
    "/v1/models/<path:model_id>": Access.USER,
    "/api/query": Access.USER,
    "/api/session/end": Access.USER,
    "/api/adapters": Access.ADMIN,
    "/api/adapters/rollback": Access.ADMIN,
    "/metrics": Access.ADMIN,
}
"""What each rule asks for once keys are configured; rules that are not here (health, pages, documentation) are open."""

OPTIONAL_KEY: list[dict[str, list[str]]] = [{"key": []}, {}]
"""For the description: a key where keys are configured, none otherwise."""

RATED = frozenset({"/v1/chat/completions", "/api/query"})


class Gate:
    """Checks a request's origin, key and rate."""

    def __init__(self, options: ServiceOptions) -> None:
        self._keys = options.api_keys
        self._origins = frozenset(origin.rstrip("/") for origin in options.allowed_origins)
        self._rates = RateLimiter(options.rate_per_minute, options.rate_burst)

    def check(self) -> None:
        """Let the request through or refuse it.

        Raises:
            Refusal: 401, 403 or 429.
        """
        if request.url_rule is None:  # 404 and 405 follow anyway
            return
        rule = request.url_rule.rule
        self._check_origin(request)
        key = self._check_key(request, NEEDED.get(rule))
        name = f"key:{key.name}" if key else f"addr:{request.remote_addr or ''}"
        request.environ[CLIENT] = name
        if rule in RATED and request.method == "POST":
            self._check_rate(name)

    def _check_origin(self, asked: Request) -> None:
        """Browsers name the page behind a POST or PUT; another site's must not use a box that trusts its network."""
        origin = asked.headers.get("Origin")
        if asked.method not in ("POST", "PUT") or origin is None or origin in self._origins:
            return
        if urlsplit(origin).netloc != asked.host:
            problem = Problem(
                403, "foreign_origin", f"pages of {origin!r} may not call this service; allow the origin in the options"
            )
            raise Refusal(problem)

    def _check_key(self, asked: Request, needed: Access | None) -> ApiKey | None:
        if not self._keys or needed is None:
            return None
        scheme, _, secret = asked.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Refusal(Problem(401, "missing_api_key", "no API key; send `Authorization: Bearer KEY`"))
        key = find_key(self._keys, secret.strip())
        if key is None:
            raise Refusal(Problem(401, "invalid_api_key", "the API key is not known here; ask the operator for one"))
        if not key.access.includes(needed):
            message = f"the API key {key.name!r} has role {key.access}; expected {needed}"
            raise Refusal(Problem(403, "insufficient_role", message))
        return key

    def _check_rate(self, name: str) -> None:
        wait_s = self._rates.wait_s(name)
        if wait_s > 0:
            message = f"too many questions at once; try again in {wait_s:.0f} s"
            raise Refusal(Problem(429, "rate_limited", message, retry_after_s=wait_s))
