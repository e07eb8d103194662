"""Several customers at once: everyone gets an answer, and nobody another's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.questions import EIGHT

TOKENS = 32


def chat(http: httpx.Client, question: str) -> str:
    body = {"messages": [{"role": "user", "content": question}], "max_tokens": TOKENS, "temperature": 0}
    reply = http.post("/v1/chat/completions", json=body, timeout=120)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_eight_at_once_are_all_answered_and_get_no_foreign_number(http: httpx.Client, rounds: int) -> None:
    """That answers stay the model's own beside others is tested on the engine, with the tolerance of its rounding."""
    numbers = [str(10_000_019 * (i + 1)) for i in range(len(EIGHT))]

    def ask(i: int) -> str:
        return chat(http, f"{EIGHT[i]}, my order is {numbers[i]}")

    with ThreadPoolExecutor(len(EIGHT)) as pool:
        for _ in range(rounds):
            answers = list(pool.map(ask, range(len(EIGHT))))
            assert all(answers)
            for i, answer in enumerate(answers):
                assert not [number for number in numbers if number != numbers[i] and number in answer]


def test_sampling_with_a_seed_repeats_itself(http: httpx.Client) -> None:
    def sample(seed: int) -> str:
        body = {
            "messages": [{"role": "user", "content": EIGHT[0]}],
            "max_tokens": TOKENS,
            "temperature": 1.2,
            "seed": seed,
        }
        return str(http.post("/v1/chat/completions", json=body, timeout=60).json()["choices"][0]["message"]["content"])

    assert sample(7) == sample(7)
    assert len({sample(seed) for seed in range(4)}) > 1


def test_stop_texts_and_token_limits_hold(http: httpx.Client) -> None:
    def ask(**options: object) -> dict[str, object]:
        body = {"messages": [{"role": "user", "content": EIGHT[0]}], "temperature": 0, "max_tokens": TOKENS, **options}
        reply: dict[str, object] = http.post("/v1/chat/completions", json=body, timeout=60).json()
        return reply

    def text(reply: dict[str, object]) -> str:
        return str(reply["choices"][0]["message"]["content"])  # type: ignore[index]

    whole = text(ask())
    third_word = whole.split()[2]
    cut = ask(stop=[third_word])
    assert text(cut) == whole[: whole.index(third_word)]
    assert cut["choices"][0]["finish_reason"] == "stop"  # type: ignore[index]
    short = ask(max_tokens=3, ignore_eos=True)
    assert short["usage"]["completion_tokens"] == 3  # type: ignore[index]
    assert short["choices"][0]["finish_reason"] == "length"  # type: ignore[index]


def test_a_schema_is_kept_to(http: httpx.Client) -> None:
    schema = {"type": "object", "properties": {"wanted": {"enum": ["refund", "delivery"]}}, "required": ["wanted"]}
    body = {
        "messages": [{"role": "user", "content": EIGHT[1]}],
        "temperature": 0,
        "max_tokens": TOKENS,
        "response_format": {"type": "json_schema", "json_schema": {"name": "wish", "schema": schema}},
    }
    reply = http.post("/v1/chat/completions", json=body, timeout=60).json()
    assert json.loads(reply["choices"][0]["message"]["content"])["wanted"] in ("refund", "delivery")
