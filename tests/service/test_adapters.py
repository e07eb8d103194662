"""Adapters over HTTP: named in a request, spread by shares, changed and rolled back by an operator."""

from __future__ import annotations

import httpx
import openai

from runtime.service.keys import Access, ApiKey
from runtime.service.options import ServiceOptions
from tests.service.conftest import Stage
from tests.service.problem import assert_problem
from tests.service.reading import events

ADAPTERS = ("default", "refunds-v2")
HELLO = [{"role": "user", "content": "Hello"}]
USER_KEY = "user-secret-0123456789"
ADMIN_KEY = "admin-secret-0123456789"


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=30)


def test_the_model_of_a_chat_names_an_adapter_or_leaves_it_to_the_shares(stage: Stage) -> None:
    assistant, url = stage(adapters=ADAPTERS)
    answered = {
        "default": "default",
        "refunds-v2": "refunds-v2",
        "scripted:refunds-v2": "refunds-v2",
        "none": "",
        "scripted:none": "",
        "scripted": "default",
        "scripted:refunds-v9": "default",
        "gpt-4o": "default",
        "other:refunds-v2": "default",
        "": "default",
        None: "default",
    }
    with client_of(url) as http:
        for model, adapter in answered.items():
            reply = http.post("/v1/chat/completions", json={"model": model, "messages": HELLO}).json()
            assert reply["tellerbox"]["adapter"] == adapter, model
            assert reply["model"] == "scripted"
    named = [options.adapter for _, options, _ in assistant.asked]
    assert named == ["default", "refunds-v2", "refunds-v2", "", "", *[None] * 6]


def test_a_stream_says_which_adapter_answered(stage: Stage) -> None:
    _, url = stage(adapters=ADAPTERS)
    with client_of(url) as http:
        body = {"messages": HELLO, "model": "refunds-v2", "stream": True}
        with http.stream("POST", "/v1/chat/completions", json=body) as response:
            chunks = [data for _, data in events(response) if data]
        assert chunks[-1]["tellerbox"]["adapter"] == "refunds-v2"
        asked = {"question": "Hello", "adapter": "none", "stream": True}
        with http.stream("POST", "/api/query", json=asked) as response:
            assert list(events(response))[-1][1]["adapter"] == ""


def test_every_adapter_is_listed_as_a_model(stage: Stage) -> None:
    _, url = stage(adapters=ADAPTERS)
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30)
    models = client.models.list().data
    assert [model.id for model in models] == ["scripted", "scripted:default", "scripted:refunds-v2"]
    assert client.models.retrieve("scripted:refunds-v2") == models[2]


def test_a_query_names_an_adapter(stage: Stage) -> None:
    assistant, url = stage(adapters=ADAPTERS)
    with client_of(url) as http:
        for asked, adapter in {"refunds-v2": "refunds-v2", "none": "", None: "default"}.items():
            reply = http.post("/api/query", json={"question": "Hello", "adapter": asked}).json()
            assert reply["adapter"] == adapter
        error = assert_problem(http.post("/api/query", json={"question": "Hello", "adapter": "v9"}), 400, "adapter")
        assert "expected one of default, refunds-v2, none" in error["message"]
    assert len(assistant.asked) == 3


def test_shares_are_set_shown_and_rolled_back(stage: Stage) -> None:
    _, url = stage(adapters=ADAPTERS)
    with client_of(url) as http:
        start = http.get("/api/adapters").json()
        assert start["adapters"] == ["default", "refunds-v2"]
        assert start["shares"] == {"default": 1.0, "refunds-v2": 0.0, "none": 0.0}
        assert (start["history"], start["saved"]) == ([], False)

        changed = http.put("/api/adapters", json={"shares": {"refunds-v2": 1}})
        assert changed.json()["shares"] == {"default": 0.0, "refunds-v2": 1.0, "none": 0.0}
        assert [entry["shares"] for entry in changed.json()["history"]] == [start["shares"]]
        assert http.get("/api/adapters").json() == changed.json()
        assert http.post("/api/query", json={"question": "Hello"}).json()["adapter"] == "refunds-v2"

        back = http.post("/api/adapters/rollback").json()
        assert (back["shares"], back["history"]) == (start["shares"], [])
        assert http.post("/api/query", json={"question": "Hello"}).json()["adapter"] == "default"
        assert_problem(http.post("/api/adapters/rollback"), 400, "history")


def test_wrong_shares_are_refused_by_name(stage: Stage) -> None:
    _, url = stage(adapters=ADAPTERS)
    with client_of(url) as http:
        for body, field in (
            ({}, "shares"),
            ({"shares": [1]}, "shares"),
            ({"shares": {"default": "1"}}, "shares.default"),
            ({"shares": {"default": True}}, "shares.default"),
            ({"shares": {"default": 1.5}}, "shares.default"),
            ({"shares": {"v9": 0.5}}, "shares"),
            ({"shares": {"default": 0.9, "refunds-v2": 0.2}}, "shares"),
        ):
            assert_problem(http.put("/api/adapters", json=body), 400, field)
        assert_problem(http.put("/api/adapters", content=b"{"), 400, "body")
        assert http.get("/api/adapters").json()["history"] == []


def test_only_an_admin_sees_and_changes_shares(stage: Stage) -> None:
    keys = (ApiKey.of("kiosk", Access.USER, USER_KEY), ApiKey.of("ops", Access.ADMIN, ADMIN_KEY))
    _, url = stage(options=ServiceOptions(api_keys=keys), adapters=ADAPTERS)
    with client_of(url) as http:
        for method, path in (("GET", "/api/adapters"), ("PUT", "/api/adapters"), ("POST", "/api/adapters/rollback")):
            body = {"shares": {"refunds-v2": 1}} if method == "PUT" else None
            assert_problem(http.request(method, path, json=body), 401)
            refused = http.request(method, path, json=body, headers={"Authorization": f"Bearer {USER_KEY}"})
            assert assert_problem(refused, 403)["code"] == "insufficient_role"
        admin = {"Authorization": f"Bearer {ADMIN_KEY}"}
        assert http.get("/api/adapters", headers=admin).json()["shares"]["default"] == 1.0
        body = {"shares": {"refunds-v2": 1}}
        assert http.put("/api/adapters", headers=admin, json=body).status_code == 200
        assert http.post("/api/adapters/rollback", headers=admin).status_code == 200


def test_pages_of_other_sites_may_not_change_shares(stage: Stage) -> None:
    _, url = stage(adapters=ADAPTERS)
    with client_of(url) as http:
        evil = {"Origin": "https://evil.example"}
        assert_problem(http.put("/api/adapters", json={"shares": {}}, headers=evil), 403)
        assert_problem(http.post("/api/adapters/rollback", headers=evil), 403)
        assert http.put("/api/adapters", json={"shares": {}}, headers={"Origin": url}).status_code == 200
