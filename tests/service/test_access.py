"""Who may ask, and how often: keys and roles, origins, proxies, rates; over a real socket."""

from __future__ import annotations

import httpx

from runtime.assistant.turn import AnswerOptions
from runtime.service.keys import Access, ApiKey
from runtime.service.options import ServiceOptions
from tests.service.conftest import Stage
from tests.service.problem import assert_problem

QUERY = "/api/query"
USER_KEY = "user-secret-0123456789"
ADMIN_KEY = "admin-secret-0123456789"


def test_keys_open_what_their_role_allows(stage: Stage) -> None:
    keys = (ApiKey.of("kiosk", Access.USER, USER_KEY), ApiKey.of("ops", Access.ADMIN, ADMIN_KEY))
    assistant, url = stage(options=ServiceOptions(api_keys=keys))

    def get(path: str, key: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.get(url + path, headers=headers, trust_env=False)

    missing = get("/v1/models", None)
    assert assert_problem(missing, 401)["code"] == "missing_api_key"
    assert missing.headers["www-authenticate"].startswith("Bearer")
    assert assert_problem(get("/v1/models", "wrong-secret-0123456"), 401)["code"] == "invalid_api_key"
    assert get("/v1/models", USER_KEY).status_code == 200
    assert assert_problem(get("/metrics", USER_KEY), 403)["code"] == "insufficient_role"
    assert get("/metrics", ADMIN_KEY).status_code == 200
    assert get("/readyz", None).status_code == 200
    asked = httpx.post(
        url + QUERY, json={"question": "Hello"}, headers={"Authorization": f"Bearer {USER_KEY}"}, trust_env=False
    )
    assert asked.status_code == 200
    assert assistant.asked == [("Hello", AnswerOptions(), "key:kiosk")]


def test_the_body_of_a_caller_without_a_key_is_not_even_read(stage: Stage) -> None:
    _, url = stage(options=ServiceOptions(api_keys=(ApiKey.of("kiosk", Access.USER, USER_KEY),)))
    assert_problem(httpx.post(url + QUERY, content=b"{", trust_env=False), 401)


def test_pages_of_other_sites_may_not_ask(stage: Stage) -> None:
    _, url = stage(options=ServiceOptions(allowed_origins=("https://shop.example",)))

    def post(origin: str) -> httpx.Response:
        return httpx.post(url + QUERY, json={"question": "Hello"}, headers={"Origin": origin}, trust_env=False)

    assert assert_problem(post("https://evil.example"), 403)["code"] == "foreign_origin"
    assert_problem(post("null"), 403)
    assert post(url).status_code == 200
    assert post("https://shop.example").status_code == 200


def test_only_a_trusted_proxy_may_name_the_client(stage: Stage) -> None:
    def client_seen(options: ServiceOptions) -> str:
        assistant, url = stage(options=options)
        headers = {"X-Forwarded-For": "203.0.113.9"}
        httpx.post(url + QUERY, json={"question": "Hello"}, headers=headers, trust_env=False)
        return assistant.asked[0][2]

    assert client_seen(ServiceOptions()) == "addr:127.0.0.1"
    assert client_seen(ServiceOptions(trusted_proxy="127.0.0.1")) == "addr:203.0.113.9"


def test_asking_too_often_gets_429(stage: Stage) -> None:
    _, url = stage(options=ServiceOptions(rate_per_minute=6, rate_burst=2))
    answers = [httpx.post(url + QUERY, json={"question": "Hello"}, trust_env=False) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert assert_problem(answers[2], 429)["code"] == "rate_limited"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 10
