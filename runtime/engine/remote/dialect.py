"""What each kind of OpenAI-compatible server calls the fields of a completion request; selection only, no network.

Sources: OpenAI's API reference (completions); llama.cpp tools/server/README.md and server-schema.cpp; vLLM
vllm/entrypoints/openai/completion/protocol.py; llama-cpp-python llama_cpp/server/types.py.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from runtime.engine.face import GenerationRequest, Sampling
from runtime.errors import InvalidRequestError

#: OpenAI's documentation: a bias of -100 bans a token.
_BAN = -100.0


class ServerKind(StrEnum):
    """Which program answers. OTHER gets only the fields that OpenAI's own API has."""

    LLAMA_SERVER = "llama-server"
    VLLM = "vllm"
    LLAMA_CPP_PYTHON = "llama-cpp-python"
    OTHER = "other"


class PromptForm(StrEnum):
    """How a prompt is sent: as token ids, as text, or as ids wherever the server takes them."""

    AUTO = "auto"
    IDS = "ids"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind's names.

    Attributes:
        repeat_penalty: its field; empty if it has none. With one, ``top_k`` and ``min_p`` are known too.
        all_tokens: the ``top_k`` that keeps all.
        grammar: where a GBNF grammar goes, outermost field first; empty if it takes none.
        ignore_eos: whether it has the field; end tokens are banned by bias otherwise.
        takes_ids: whether a prompt may be token ids.
        gives_ids: the field that makes it return token ids; empty if it cannot.
        counts_end: whether its usage counts the end-of-sequence token.
        one_at_a_time: whether another request would break a running answer off.
        tokenize: path of its tokenizer, its text field, and what else to send.
    """

    repeat_penalty: str = ""
    all_tokens: int = 0
    grammar: tuple[str, ...] = ()
    ignore_eos: bool = False
    takes_ids: bool = True
    gives_ids: str = ""
    counts_end: bool = False
    one_at_a_time: bool = False
    tokenize: tuple[str, str, Mapping[str, object]] | None = None


DIALECTS: Mapping[ServerKind, Dialect] = {
    ServerKind.LLAMA_SERVER: Dialect(
        repeat_penalty="repeat_penalty",
        grammar=("grammar",),
        ignore_eos=True,
        counts_end=True,
        tokenize=("/tokenize", "content", {"add_special": False, "parse_special": True}),
    ),
    ServerKind.VLLM: Dialect(
        repeat_penalty="repetition_penalty",
        all_tokens=-1,
        grammar=("structured_outputs", "grammar"),
        ignore_eos=True,
        gives_ids="return_token_ids",
        counts_end=True,
        tokenize=("/tokenize", "prompt", {"add_special_tokens": False}),
    ),
    ServerKind.LLAMA_CPP_PYTHON: Dialect(
        repeat_penalty="repeat_penalty",
        grammar=("grammar",),
        takes_ids=False,
        one_at_a_time=True,
    ),
    ServerKind.OTHER: Dialect(),
}

#: ``owned_by`` in ``/v1/models`` -> who answers.
OWNERS: Mapping[str, ServerKind] = {
    "llamacpp": ServerKind.LLAMA_SERVER,
    "vllm": ServerKind.VLLM,
    "me": ServerKind.LLAMA_CPP_PYTHON,
}


def request_body(
    request: GenerationRequest, kind: ServerKind, model: str, prompt: tuple[int, ...] | str, end_tokens: frozenset[int]
) -> dict[str, object]:
    """The JSON body of a streamed completion. Every sampling field is sent: servers' defaults differ.

    Args:
        request: what is asked, its ``max_tokens`` within the context.
        kind: who answers.
        model: the name it goes by there.
        prompt: token ids with BOS, or text without it.
        end_tokens: of the vocabulary.

    Raises:
        InvalidRequestError: this kind of server cannot do what is asked.
    """
    dialect, sampling = DIALECTS[kind], request.sampling
    greedy = sampling.temperature <= 0
    body: dict[str, object] = {
        "model": model,
        "prompt": prompt if isinstance(prompt, str) else list(prompt),
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": max(0.0, sampling.temperature),
        "top_p": 1.0 if greedy else sampling.top_p,
    }
    if not greedy:
        # A server without a seed may begin every answer with the same one (llama-cpp-python does).
        body["seed"] = random.getrandbits(31) if sampling.seed is None else sampling.seed & 0xFFFFFFFF
    if request.stop:
        body["stop"] = list(request.stop)
    _add_extensions(body, sampling, dialect, kind)
    bias = {str(token): float(value) for token, value in sampling.logit_bias.items()}
    if request.ignore_eos and dialect.ignore_eos:
        body["ignore_eos"] = True
    elif request.ignore_eos:
        bias.update({str(token): _BAN for token in end_tokens})
    if bias:
        body["logit_bias"] = bias
    if dialect.gives_ids:
        body[dialect.gives_ids] = True
    return body


def _add_extensions(body: dict[str, object], sampling: Sampling, dialect: Dialect, kind: ServerKind) -> None:
    greedy = sampling.temperature <= 0
    if dialect.repeat_penalty:
        body[dialect.repeat_penalty] = sampling.repeat_penalty
        body["top_k"] = sampling.top_k if sampling.top_k > 0 and not greedy else dialect.all_tokens
        body["min_p"] = 0.0 if greedy else sampling.min_p
    else:
        unknown = {
            "top_k": sampling.top_k > 0 and not greedy,
            "min_p": sampling.min_p > 0 and not greedy,
            "repeat_penalty": sampling.repeat_penalty != 1.0,
        }
        for field in (name for name, asked in unknown.items() if asked):
            raise InvalidRequestError(field, f"cannot be asked of a server of kind {kind}; leave it out")
    if not sampling.grammar:
        return
    if not dialect.grammar:
        raise InvalidRequestError("response_format", f"cannot be asked of a server of kind {kind}; leave it out")
    inner: object = sampling.grammar
    for name in reversed(dialect.grammar[1:]):
        inner = {name: inner}
    body[dialect.grammar[0]] = inner
