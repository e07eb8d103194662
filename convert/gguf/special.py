"""Special tokens and chat template as GGUF keys; which special tokens llama.cpp adds by itself.

The published gguf package reads ids, merges and template like llama.cpp's own copy, but not what a ``ByteLevel`` step
says; so those flags are worked out here, by the rules of gguf-py/gguf/vocab.py of the pinned release.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf

from convert.checkpoint.jsonfile import read_json
from convert.gguf.pretokenizers import steps_of
from convert.gguf.vocab import TOKENIZER_JSON, Vocabulary

_KINDS = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


def special_vocab(folder: Path, vocabulary: Vocabulary) -> gguf.SpecialVocab:
    """What ``gguf`` adds to the file: merges, special ids, flags, template."""
    merges = vocabulary.model == "gpt2"
    special = gguf.SpecialVocab(folder, load_merges=merges, n_vocab=None if merges else len(vocabulary.tokens))
    tokenizer = _read(folder / TOKENIZER_JSON)
    special.add_special_token = added_by_itself(tokenizer, _read(folder / "tokenizer_config.json"))
    return special


def added_by_itself(tokenizer: Mapping[str, object], config: Mapping[str, object]) -> dict[str, bool]:
    """Whether a special token is put before or after a text: kind -> yes or no, in the reference's order.

    Args:
        tokenizer: ``tokenizer.json``, whose post-processor decides; empty if there is none.
        config: ``tokenizer_config.json``, which fills in what that leaves open.
    """
    flags: dict[str, bool] = {}
    for step in steps_of(tokenizer.get("post_processor")):
        if step.get("type") == "ByteLevel":
            flags.setdefault("bos", False)
            flags.setdefault("eos", False)
        elif step.get("type") == "TemplateProcessing":
            _template(step, flags, config)
    for kind in _KINDS:
        said = config.get(f"add_{kind}_token")
        if isinstance(said, bool):
            flags.setdefault(kind, said)
    return flags


def _template(step: Mapping[str, object], flags: dict[str, bool], config: Mapping[str, object]) -> None:
    """First and last token of a single text; then, for a pair, whether anything of its own stands between the two."""
    single, pair = step.get("single"), step.get("pair")
    cls, sep = _content(config, "cls"), _content(config, "sep")
    bos, eos = _content(config, "bos") or cls, _content(config, "eos") or sep
    first = last = None
    if isinstance(single, list) and len(single) > 1:
        first, last = _special(single[0]), _special(single[-1])
        if first is not None:
            flags["bos"] = not bos or not cls or first in (bos, cls)
        if last is not None:
            flags["eos"] = True
    if not isinstance(pair, list) or not pair:
        return
    begin = 1 if first is not None and _special(pair[0]) == first else 0
    end = len(pair) - 1 if last is not None and _special(pair[-1]) == last else len(pair)
    inner = pair[begin:end]
    if len(inner) > 2 and _sequence(inner[0]) == "A" and _sequence(inner[-1]) == "B":
        ends = [_special(item) in {sep, last or eos} - {None} for item in inner[1:-1]]
        flags["sep"] = (ends[0] and last is None) or (len(ends) == 2 and ends[1])


def _special(item: Mapping[str, Mapping[str, str]]) -> str | None:
    return item.get("SpecialToken", {}).get("id")


def _sequence(item: Mapping[str, Mapping[str, str]]) -> str | None:
    return item.get("Sequence", {}).get("id")


def _content(config: Mapping[str, object], kind: str) -> str | None:
    entry = config.get(f"{kind}_token")
    value = entry.get("content") if isinstance(entry, Mapping) else entry
    return value if isinstance(value, str) and value else None


def _read(path: Path) -> Mapping[str, object]:
    return read_json(path) if path.is_file() else {}
