"""TinyLlama's chat template (Zephyr's) and the token rows that training makes of it.

Source: ``tokenizer_config.json`` of TinyLlama/TinyLlama-1.1B-Chat-v1.0. A customer's turn that is rendered here
becomes the same token ids in llama.cpp as in training (the conversion check asserts it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

ZEPHYR_TEMPLATE = (
    "{% for message in messages %}\n"
    "{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n"
    "{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n"
    "{{ '<|assistant|>' }}\n"
    "{% endif %}\n"
    "{% endfor %}"
)

#: What the demonstration model is told in training and, from the bundle's manifest, at run time.
SYSTEM_PROMPT = "You are the customer service assistant of a shop. Answer politely and say so when you do not know."

#: Token ids of a text, special tokens in it recognised, none added.
Encode = Callable[[str], list[int]]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


def render(messages: Sequence[Message], eos: str = "</s>", *, generate: bool = False) -> str:
    """Render turns as ZEPHYR_TEMPLATE does; with ``generate`` the text ends where the assistant begins."""
    text = "".join(f"<|{message.role}|>\n{message.content}{eos}\n" for message in messages)
    return text + "<|assistant|>\n" if generate else text


def example_ids(messages: Sequence[Message], encode: Encode, bos: int) -> tuple[list[int], list[int]]:
    """Token ids of a conversation and the labels for assistant-only loss.

    The prompt is encoded exactly as at run time (up to and with ``<|assistant|>`` and its line break), so the
    answer's first token is the one that the model is asked for there.

    Args:
        messages: turns, the last one the assistant's.
        encode: the tokenizer.
        bos: id of the beginning-of-sequence token.

    Returns:
        ids and labels, both of length T; labels are -100 everywhere but on the last assistant turn and its end token.
    """
    prompt = [bos, *encode(render(messages[:-1], generate=True))]
    whole = [bos, *encode(render(messages))]
    if whole[: len(prompt)] != prompt:  # the border fell inside a token: the run-time prompt counts
        whole = prompt + encode(messages[-1].content + "</s>\n")
    return whole, [-100] * len(prompt) + whole[len(prompt) :]
