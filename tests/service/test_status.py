"""Health, metrics, documentation, and what stands on every answer."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from guards.verdict import Action, Verdict
from tests.service.conftest import Stage
from tests.service.scripted import Script


def metric(text: str, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_health(http: httpx.Client) -> None:
    assert http.get("/livez").json() == {"state": "alive"}
    assert http.get("/readyz").json() == {"state": "ready"}
    health = http.get("/health").json()
    assert health["state"] in ("ready", "degraded")
    assert (health["state"] == "degraded") == bool(health["degraded"])
    assert health["model"] == http.get("/v1/models").json()["data"][0]["id"]
    assert {"guard", "engine", "load"} <= set(health)


def test_metrics_count_what_happened(stage: Stage) -> None:
    block = Script(("No.",), verdict=Verdict(Action.BLOCK, rule="toxicity.threat"))
    _, url = stage(Script(("a ", "b "), handoff=True), {"bad": block})
    with httpx.Client(base_url=url, trust_env=False) as client:
        for question in ("one", "two", "bad"):
            client.post("/api/query", json={"question": question})
        client.post("/api/query", json={})
        client.get("/no/such/path")
        text = client.get("/metrics").text
    requests = "tellerbox_http_requests_total"
    assert metric(text, requests, route="/api/query", method="POST", status="200") == 3
    assert metric(text, requests, route="/api/query", status="400") == 1
    assert metric(text, requests, route="unmatched", status="404") == 1
    assert metric(text, "tellerbox_ttft_seconds_count") == 3
    assert metric(text, "tellerbox_answers_total", end="stop") == 2
    assert metric(text, "tellerbox_answers_total", end="content_filter") == 1
    assert metric(text, "tellerbox_guard_actions_total", action="block", rule="toxicity.threat") == 1
    assert metric(text, "tellerbox_handoffs_total") == 2
    assert metric(text, "tellerbox_tokens_total", kind="cached") == 36
    assert metric(text, "tellerbox_tokens_total", kind="completion") == 5
    assert metric(text, "tellerbox_queue_depth") == 0


def test_metrics_compare_adapters(stage: Stage) -> None:
    _, url = stage(adapters=("default", "refunds-v2"))
    with httpx.Client(base_url=url, trust_env=False) as client:
        for adapter in ("refunds-v2", "refunds-v2", "none", "default"):
            client.post("/api/query", json={"question": "Hello", "adapter": adapter})
        client.put("/api/adapters", json={"shares": {}})
        text = client.get("/metrics").text
    answers = "tellerbox_adapter_answers_total"
    assert metric(text, answers, adapter="refunds-v2", end="stop", handoff="false") == 2
    assert metric(text, answers, adapter="none") == metric(text, answers, adapter="default") == 1
    assert metric(text, "tellerbox_http_requests_total", method="PUT") == 1


def test_raw_paths_do_not_become_labels(stage: Stage) -> None:
    _, url = stage()
    httpx.get(url + "/secret-in-a-path", trust_env=False)
    assert "secret" not in httpx.get(url + "/metrics", trust_env=False).text


def test_the_description_covers_every_route_and_error(http: httpx.Client) -> None:
    description = http.get("/openapi.json").json()
    assert description["openapi"] == "3.1.1"
    assert {
        ("/v1/chat/completions", "post"),
        ("/v1/models", "get"),
        ("/v1/models/{model_id}", "get"),
        ("/api/query", "post"),
        ("/api/session/end", "post"),
        ("/api/adapters", "get"),
        ("/api/adapters", "put"),
        ("/api/adapters/rollback", "post"),
        ("/livez", "get"),
        ("/readyz", "get"),
        ("/health", "get"),
        ("/metrics", "get"),
    } == {(path, method) for path, methods in description["paths"].items() for method in methods}
    query = description["paths"]["/api/query"]["post"]
    assert {"200", "400", "401", "413", "429", "503"} <= set(query["responses"])
    assert "422" not in str(description["paths"])
    assert {"200", "400", "401", "403", "503"} <= set(description["paths"]["/api/adapters"]["put"]["responses"])
    schemas = description["components"]["schemas"]
    assert {"QueryRequest", "QueryReply", "ChatRequest", "CompletionReply", "ErrorReply"} <= set(schemas)
    assert set(schemas["QueryRequest"]["properties"]) == {"question", "session_id", "stream", "adapter"}
    for reference in _references(description):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


@pytest.mark.parametrize("path", ["/", "/docs", "/static/app.js", "/health", "/nothing"])
def test_every_answer_is_safe_to_show(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.replace("style-src 'self' 'unsafe-inline'", "") or path != "/docs"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers
    assert headers["cache-control"] == ("no-store" if path in ("/health", "/nothing") else "no-cache")


def test_answers_are_never_stored(http: httpx.Client) -> None:
    assert http.post("/api/query", json={"question": "Where is my order?"}).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/static/style.css", "/docs/js/swagger-ui-bundle.js", "/docs/css/swagger-ui.css"]
)
def test_pages_come_from_the_box(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert len(answer.content) > 300
