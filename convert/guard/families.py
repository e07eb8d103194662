"""The architectures of Detoxify's checkpoints, and what their tensors do not tell. A further one is a further row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import transformers


@dataclass(frozen=True, slots=True)
class Family:
    """A transformers architecture.

    Attributes:
        config: its configuration class.
        prefix: of its tensors' names.
        wide: name of the tensor whose rows are the feed-forward width.
        head: name of the tensor whose rows are the outputs.
        fixed: configuration in which the published models differ from the class's defaults.
        segments: whether the model takes ``token_type_ids``.
        unused: beginnings of tensors' names that earlier transformers saved and nothing reads.
    """

    config: type[transformers.PretrainedConfig]
    prefix: str
    wide: str = "encoder.layer.0.intermediate.dense.weight"
    head: str = "classifier.weight"
    fixed: Mapping[str, object] = field(default_factory=dict)
    segments: bool = True
    unused: tuple[str, ...] = ()


_ROBERTA = {"layer_norm_eps": 1e-5, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
_ROBERTA_HEAD = "classifier.out_proj.weight"

#: The head reads the first token itself; earlier transformers saved a pooler that it does not pass through.
_ROBERTA_UNUSED = ("roberta.pooler.",)

#: ``model_name`` -> what it is.
FAMILIES: Mapping[str, Family] = {
    "BertForSequenceClassification": Family(transformers.BertConfig, "bert"),
    "RobertaForSequenceClassification": Family(
        transformers.RobertaConfig,
        "roberta",
        head=_ROBERTA_HEAD,
        fixed=_ROBERTA,
        segments=False,
        unused=_ROBERTA_UNUSED,
    ),
    "XLMRobertaForSequenceClassification": Family(
        transformers.XLMRobertaConfig,
        "roberta",
        head=_ROBERTA_HEAD,
        fixed=_ROBERTA,
        segments=False,
        unused=_ROBERTA_UNUSED,
    ),
    "AlbertForSequenceClassification": Family(
        transformers.AlbertConfig,
        "albert",
        wide="encoder.albert_layer_groups.0.albert_layers.0.ffn.weight",
        fixed={"hidden_act": "gelu_new"},
    ),
}

#: ``model_type`` -> what its tensors do not tell, from the published ``config.json``.
SHAPES: Mapping[str, Mapping[str, int]] = {
    "bert-base-uncased": {"num_attention_heads": 12},
    "roberta-base": {"num_attention_heads": 12},
    "xlm-roberta-base": {"num_attention_heads": 12},
    "albert-base-v2": {"num_attention_heads": 12, "num_hidden_layers": 12},
    "nreimers/MiniLM-L6-H384-uncased": {"num_attention_heads": 12},
}
