"""``/api/query`` and the life of a session."""

from __future__ import annotations

import httpx

from guards.verdict import Action, Verdict
from runtime.errors import EngineError
from tests.service.conftest import Stage
from tests.service.reading import events
from tests.service.scripted import Script

ASK = "I want to cancel order 12345 and get my money back"
FIELDS = {"answer", "session_id", "intent", "sources", "handoff", "cached", "adapter", "guard", "timing_ms"}


def test_a_cancellation_is_answered(http: httpx.Client) -> None:
    reply = http.post("/api/query", json={"question": ASK}).json()
    assert set(reply) >= FIELDS
    assert "cancel" in reply["answer"].lower()
    assert "refund" in reply["answer"].lower() or "money" in reply["answer"].lower()
    assert reply["session_id"]
    assert reply["guard"]["action"] in ("allow", "redact")
    assert reply["cut_short"] is None
    assert reply["timing_ms"]["total"] > 0


def test_the_streamed_answer_is_the_same(http: httpx.Client) -> None:
    whole = http.post("/api/query", json={"question": ASK}).json()
    with http.stream("POST", "/api/query", json={"question": ASK, "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        got = list(events(response))
        assert response.headers["tellerbox-session"] == got[-1][1]["session_id"]
    assert [name for name, _ in got] == ["delta"] * (len(got) - 1) + ["done"]
    done = got[-1][1]
    assert set(done) == set(whole)
    assert "".join(data["text"] for _, data in got[:-1]) == done["answer"] == whole["answer"]


def test_a_session_goes_on_until_it_is_ended(http: httpx.Client) -> None:
    first = http.post("/api/query", json={"question": ASK}).json()["session_id"]
    again = http.post("/api/query", json={"question": "How long will that take?", "session_id": first})
    assert again.json()["session_id"] == first
    assert http.post("/api/session/end", json={"session_id": first}).status_code == 204
    assert http.post("/api/session/end", json={"session_id": "never-heard-of"}).status_code == 204


def test_a_failure_in_mid_stream_is_an_error_event(stage: Stage) -> None:
    _, url = stage(Script(("Certainly, ",), fails=EngineError("decode returned -3")))
    with httpx.stream("POST", url + "/api/query", json={"question": "Hi", "stream": True}, trust_env=False) as response:
        got = list(events(response))
    assert [name for name, _ in got] == ["delta", "error"]
    assert got[1][1]["error"]["code"] == "engine_error"
    assert "decode" not in got[1][1]["error"]["message"]


def test_a_block_and_a_hand_over_are_said(stage: Stage) -> None:
    verdict = Verdict(Action.BLOCK, rule="toxicity.threat", scores={"threat": 0.98765})
    _, url = stage(Script(("No.",), verdict=verdict, handoff=True))
    reply = httpx.post(url + "/api/query", json={"question": "Hi"}, trust_env=False).json()
    assert reply["finish_reason"] == "content_filter"
    assert reply["guard"]["rule"] == "toxicity.threat"
    assert reply["guard"]["scores"] == {"threat": 0.9877}
    assert reply["handoff"] is True


def test_chinese_is_written_as_chinese(stage: Stage) -> None:
    _, url = stage(Script(("您好", "！")))
    raw = httpx.post(url + "/api/query", json={"question": "你好", "stream": True}, trust_env=False).content
    assert "您好".encode() in raw
    assert "您好！".encode() in httpx.post(url + "/api/query", json={"question": "你好"}, trust_env=False).content


def test_the_end_of_a_session_names_its_client(stage: Stage) -> None:
    assistant, url = stage()
    httpx.post(url + "/api/session/end", json={"session_id": "abc"}, trust_env=False)
    assert assistant.ended == [("abc", "addr:127.0.0.1")]
