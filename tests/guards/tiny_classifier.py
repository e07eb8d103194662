"""A toxicity classifier of a few KB: one embedding per word, whose values are logits, and the maximum over the words.

It is a real ONNX model with a real tokenizer: labels fire on a handful of words, and every step from text to verdict
can be foretold. Built from constants, so always the same.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

#: Label -> its threshold; the order is that of the outputs.
THRESHOLDS = {"toxicity": 0.5, "obscene": 0.5, "threat": 0.7}

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_RESTING_LOGIT = -6.0
#: Word -> label -> logit; 6 is a probability of 0.9975, 0.5 one of 0.62.
_FIRING: dict[str, dict[str, float]] = {
    "idiot": {"toxicity": 6.0},
    "damn": {"obscene": 6.0},
    "kill": {"toxicity": 4.0, "threat": 6.0},
    "hurt": {"threat": 0.5},
    "笨": {"toxicity": 6.0},
}

VOCABULARY = {word: index for index, word in enumerate((*_SPECIAL, *_FIRING))}


def tokenizer_json() -> bytes:
    """The tokenizer, as ``tokenizers`` saves it."""
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(token, VOCABULARY[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer.to_str().encode()


def classifier_onnx(*, labels: int = len(THRESHOLDS), token_types: bool = False, words: int = len(VOCABULARY)) -> bytes:
    """The model, with ``token_type_ids`` as a third input if asked for, and a table of the first ``words`` words.

    ``logits[b, l] = max over t of table[input_ids[b, t], l] where attention_mask[b, t] is 1``.
    """
    table = np.full((len(VOCABULARY), labels), _RESTING_LOGIT, dtype=np.float32)  # (V, L)
    for word, logits in _FIRING.items():
        for column, label in enumerate(tuple(THRESHOLDS)[:labels]):
            table[VOCABULARY[word], column] = logits.get(label, _RESTING_LOGIT)
    names = ["input_ids", "attention_mask"] + (["token_type_ids"] if token_types else [])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),  # (B, T, L)
        helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),  # (B, T)
        helper.make_node("Sub", ["real", "one"], ["absent"]),  # 0 or -1
        helper.make_node("Mul", ["absent", "far"], ["drop"]),
        helper.make_node("Unsqueeze", ["drop", "last_axis"], ["drop_column"]),  # (B, T, 1)
        helper.make_node("Add", ["rows", "drop_column"], ["masked"]),
    ]
    if token_types:
        nodes += [
            helper.make_node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["types", "last_axis"], ["types_column"]),
            helper.make_node("Add", ["masked", "types_column"], ["typed"]),
        ]
    nodes.append(
        helper.make_node("ReduceMax", ["typed" if token_types else "masked"], ["logits"], axes=[1], keepdims=0)
    )
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "T"]) for name in names],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", labels])],
        [
            numpy_helper.from_array(table[:words], "table"),
            numpy_helper.from_array(np.float32(1.0), "one"),
            numpy_helper.from_array(np.float32(1000.0), "far"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last_axis"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    return bytes(model.SerializeToString())
