"""Which of llama.cpp's pre-tokenizers splits text as a ``tokenizer.json`` does, found by what that file says.

The reference recognises a pre-tokenizer by the hash of a sample's token ids, which stands for one vocabulary; here the
rule itself is compared, so that a vocabulary of one's own with a known rule converts too, and any other is refused.
Names: llama.cpp's src/llama-vocab.cpp of the pinned release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.errors import UnsupportedError

_HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

THREE_DIGITS = _HEAD + r"\p{N}{1,3}" + _TAIL
ONE_DIGIT = _HEAD + r"\p{N}" + _TAIL


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """One rule that llama.cpp has.

    Attributes:
        name: the GGUF's ``tokenizer.ggml.pre``.
        regex: what text is split by before bytes are merged.
        whole_words: whether a piece that is a token is taken without merging (``ignore_merges``).
        first: the token that the tokenizer puts first, where the reference tells models apart by it.
    """

    name: str
    regex: str
    whole_words: bool
    first: str | None = None


#: The first that fits is taken.
PRE_TOKENIZERS = (
    PreTokenizer("llama-bpe", THREE_DIGITS, whole_words=True),
    PreTokenizer("smaug-bpe", THREE_DIGITS, whole_words=False),
    PreTokenizer("deepseek-r1-qwen", ONE_DIGIT, whole_words=False, first="<\uff5cbegin\u2581of\u2581sentence\uff5c>"),
    PreTokenizer("qwen2", ONE_DIGIT, whole_words=False),
)


def pre_tokenizer(tokenizer: Mapping[str, object], path: Path) -> PreTokenizer:
    """The rule of a ``tokenizer.json``.

    Args:
        tokenizer: the file's object.
        path: of the file, for messages.

    Raises:
        UnsupportedError: llama.cpp has none that splits alike; names what the file says.
    """
    model = tokenizer.get("model")
    assert isinstance(model, Mapping)  # the caller has found it to be a BPE
    regex = _regex(tokenizer.get("pre_tokenizer"))
    first = first_token(tokenizer.get("post_processor"))
    for known in PRE_TOKENIZERS:
        fits = known.regex == regex and known.whole_words == bool(model.get("ignore_merges"))
        if fits and known.first in (None, first):
            return known
    raise UnsupportedError(
        f"{path}: pre-tokenizer {regex or tokenizer.get('pre_tokenizer')!r} with ignore_merges "
        f"{bool(model.get('ignore_merges'))}; expected that of one of {', '.join(k.name for k in PRE_TOKENIZERS)}; "
        "llama.cpp would split text otherwise than this tokenizer"
    )


def _regex(rule: object) -> str | None:
    """The pattern of ``Split`` followed by plain ``ByteLevel``; None if the rule is anything else."""
    steps = rule.get("pretokenizers") if isinstance(rule, Mapping) and rule.get("type") == "Sequence" else None
    if not isinstance(steps, list) or [step.get("type") for step in steps] != ["Split", "ByteLevel"]:
        return None
    split, level = steps
    plain = split.get("behavior") == "Isolated" and not split.get("invert")
    if not plain or level.get("add_prefix_space") or level.get("use_regex", True):
        return None
    pattern = split.get("pattern")
    regex = pattern.get("Regex") if isinstance(pattern, Mapping) else None
    return regex if isinstance(regex, str) else None


def first_token(post_processor: object) -> str | None:
    """The special token that a ``TemplateProcessing`` puts before a text."""
    for step in steps_of(post_processor):
        single = step.get("single")
        if step.get("type") == "TemplateProcessing" and isinstance(single, list) and len(single) > 1:
            token = single[0].get("SpecialToken", {}).get("id")
            return token if isinstance(token, str) else None
    return None


def steps_of(processor: object) -> list[Mapping[str, object]]:
    """The steps of a ``Sequence``, or the one step that it is; empty for null."""
    if not isinstance(processor, Mapping):
        return []
    steps = processor.get("processors")
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else [processor]
