"""Tiny real classifiers in Detoxify's checkpoint layout: random weights, every architecture that the exporter knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import transformers

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
    *("refund", "order", "idiot", "damn", "please", "the", "my", "you", ",", ".", "!"),
]

CLASSES = ("toxicity", "obscene", "identity_attack")
MODEL_NAMES = {
    "bert": "BertForSequenceClassification",
    "albert": "AlbertForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "xlm-roberta": "XLMRobertaForSequenceClassification",
}
_SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}


@dataclass(frozen=True, slots=True)
class Spec:
    """What a checkpoint says; defaults agree with each other."""

    family: str = "bert"
    classes: tuple[str, ...] = CLASSES
    identity_classes: tuple[str, ...] = ()
    outputs: int = 3
    num_classes: int = 3
    model_type: str = "tiny"
    shaped: bool = True

    def but(self, **changes: object) -> Spec:
        """The same with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


def random_model(spec: Spec) -> torch.nn.Module:
    """A classifier with random weights large enough that its outputs differ from text to text."""
    torch.manual_seed(1)
    own: dict[str, object] = {"max_position_embeddings": 160}
    if "roberta" in spec.family:
        own = {"max_position_embeddings": 162, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
    if spec.family == "albert":
        own |= {"embedding_size": 16, "hidden_act": "gelu_new"}
    config = transformers.CONFIG_MAPPING[spec.family](
        vocab_size=len(VOCABULARY), num_labels=spec.outputs, initializer_range=0.3, **_SHAPE, **own
    )
    return getattr(transformers, MODEL_NAMES[spec.family])(config).eval()


def contents(spec: Spec, model: torch.nn.Module) -> dict[str, object]:
    """What Detoxify would save of a model."""
    arch: dict[str, object] = {
        "type": spec.family.upper(),
        "args": {
            "num_classes": spec.num_classes,
            "model_type": spec.model_type,
            "model_name": MODEL_NAMES[spec.family],
            "tokenizer_name": "BertTokenizer",
        },
    }
    if spec.shaped:
        arch["shape"] = {"num_attention_heads": 4} | ({"num_hidden_layers": 2} if spec.family == "albert" else {})
    dataset: dict[str, object] = {"classes": list(spec.classes)}
    if spec.identity_classes:
        dataset["identity_classes"] = list(spec.identity_classes)
    return {"state_dict": dict(model.state_dict()), "config": {"arch": arch, "dataset": {"args": dataset}}}


def write_checkpoint(path: Path, spec: Spec = Spec()) -> torch.nn.Module:
    """Write a checkpoint and give the model that it was made of."""
    model = random_model(spec)
    torch.save(contents(spec, model), path)
    return model


def write_vocab(path: Path) -> Path:
    """A BERT ``vocab.txt``."""
    path.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return path
