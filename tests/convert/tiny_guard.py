"""Small real classifiers in Detoxify's checkpoint layout: random weights, the five variants and their tokenizers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
    *("refund", "order", "idiot", "damn", "please", "the", "my", "you", ",", ".", "!"),
]

CLASSES = ("toxicity", "obscene", "identity_attack")
_SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}

#: What the tokenizers of the SentencePiece and BPE families are trained on.
CORPUS = (
    "please refund my order, the 25, parcel never came",
    "you idiot! damn the café, where is my money?",
    "my order is late; I want the refund now, please.",
    "退款 还没 到 ， 快 一点 your naïve Übergröße costs 100, 200, 3000 dollars",
) * 4


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a published variant's checkpoint says of its model: ``model_name``, ``model_type``, ``tokenizer_name``."""

    model_name: str
    model_type: str
    tokenizer_name: str


ARCHITECTURES = {
    "bert": Architecture("BertForSequenceClassification", "bert-base-uncased", "BertTokenizer"),
    "roberta": Architecture("RobertaForSequenceClassification", "roberta-base", "RobertaTokenizer"),
    "xlm-roberta": Architecture("XLMRobertaForSequenceClassification", "xlm-roberta-base", "XLMRobertaTokenizer"),
    "albert": Architecture("AlbertForSequenceClassification", "albert-base-v2", "AlbertTokenizer"),
}

_ORIGINAL = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
_UNBIASED = ("toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit")
_IDENTITIES = (
    *("male", "female", "homosexual_gay_or_lesbian", "christian", "jewish", "muslim", "black", "white"),
    "psychiatric_or_mental_illness",
)


@dataclass(frozen=True, slots=True)
class Spec:
    """What a checkpoint says; defaults agree with each other. ``shape`` None takes the published size."""

    family: str = "bert"
    classes: tuple[str, ...] = CLASSES
    identity_classes: tuple[str, ...] = ()
    main_classes: int | None = None
    outputs: int = 3
    num_classes: int = 3
    model_type: str = "tiny"
    shaped: bool = True
    full_size: bool = False

    def but(self, **changes: object) -> Spec:
        """The same with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _variant(family: str, *, unbiased: bool) -> Spec:
    kind = ARCHITECTURES[family].model_type
    if not unbiased:
        return Spec(family, _ORIGINAL, outputs=6, num_classes=6, model_type=kind)
    return Spec(family, _UNBIASED, _IDENTITIES, 7, outputs=16, num_classes=16, model_type=kind)


#: The five published variants, at a tiny size.
VARIANTS = {
    "original": _variant("bert", unbiased=False),
    "unbiased": _variant("roberta", unbiased=True),
    "multilingual": _variant("xlm-roberta", unbiased=True),
    "original-small": _variant("albert", unbiased=False),
    "unbiased-small": _variant("albert", unbiased=True),
}

#: Sizes of the published models, from their ``config.json``, where transformers' defaults are others.
_PUBLISHED: dict[str, dict[str, object]] = {
    "bert": {"vocab_size": 30522},
    "roberta": {"vocab_size": 50265, "max_position_embeddings": 514},
    "xlm-roberta": {"vocab_size": 250002, "max_position_embeddings": 514},
    "albert": {
        "vocab_size": 30000,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "embedding_size": 128,
    },
}


def random_model(spec: Spec, vocabulary: int = len(VOCABULARY)) -> torch.nn.Module:
    """A classifier with random weights large enough that its outputs differ from text to text."""
    torch.manual_seed(1)
    own: dict[str, object] = {"max_position_embeddings": 160}
    if "roberta" in spec.family:
        own = {"max_position_embeddings": 162, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
    if spec.family == "albert":
        own |= {"embedding_size": 16, "hidden_act": "gelu_new"}
    size: dict[str, object] = {"vocab_size": vocabulary, "initializer_range": 0.3, **_SHAPE}
    if spec.full_size:
        size, own = {"initializer_range": 0.05}, own | _PUBLISHED[spec.family]
        own.setdefault("max_position_embeddings", 512)
        if spec.family in ("bert", "albert"):
            own["max_position_embeddings"] = 512
    config = transformers.CONFIG_MAPPING[spec.family](num_labels=spec.outputs, **{**size, **own})
    return getattr(transformers, ARCHITECTURES[spec.family].model_name)(config).eval()


def contents(spec: Spec, model: torch.nn.Module) -> dict[str, object]:
    """What Detoxify would save of a model."""
    known = ARCHITECTURES[spec.family]
    arch: dict[str, object] = {
        "type": spec.family.upper(),
        "args": {
            "num_classes": spec.num_classes,
            "model_type": spec.model_type,
            "model_name": known.model_name,
            "tokenizer_name": known.tokenizer_name,
        },
    }
    if spec.shaped and not spec.full_size:
        arch["shape"] = {"num_attention_heads": 4} | ({"num_hidden_layers": 2} if spec.family == "albert" else {})
    dataset: dict[str, object] = {"classes": list(spec.classes)}
    if spec.identity_classes:
        dataset["identity_classes"] = list(spec.identity_classes)
    config: dict[str, object] = {"arch": arch, "dataset": {"args": dataset}}
    if spec.main_classes is not None:
        config["num_main_classes"] = spec.main_classes
    return {"state_dict": dict(model.state_dict()), "config": config}


def write_checkpoint(path: Path, spec: Spec = Spec(), vocabulary: int = len(VOCABULARY)) -> torch.nn.Module:
    """Write a checkpoint and give the model that it was made of."""
    model = random_model(spec, vocabulary)
    torch.save(contents(spec, model), path)
    return model


def write_vocab(path: Path) -> Path:
    """A BERT ``vocab.txt``."""
    path.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return path


def write_tokenizer(folder: Path, family: str) -> Path:
    """The vocabulary files of a family, as its published folder has them; gives the one that names the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    if family == "bert":
        return write_vocab(folder / "vocab.txt")
    if family == "roberta":
        return _write_bpe(folder)
    return _write_sentencepiece(folder, family)


def _write_bpe(folder: Path) -> Path:
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(CORPUS, trainer)
    words.model.save(str(folder))
    file = folder / "vocab.json"
    entries = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**entries, "<mask>": len(entries)}), encoding="utf-8")
    return file


def _write_sentencepiece(folder: Path, family: str) -> Path:
    """XLM-R's model has its three special pieces first; ALBERT's has five, of which brackets are user-defined."""
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(CORPUS) + "\n", encoding="utf-8")
    own = {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}
    if family == "albert":
        own = {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1, "control_symbols": ["[CLS]", "[SEP]", "[MASK]"]}
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "made"),
        vocab_size=90,
        model_type="unigram",
        hard_vocab_limit=False,
        minloglevel=2,
        **own,
    )
    made = folder / "made.model"
    return made.rename(folder / ("spiece.model" if family == "albert" else "sentencepiece.bpe.model"))
