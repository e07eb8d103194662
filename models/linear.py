"""A linear text classifier in one small file: hashed words and character n-grams, int8 weights, softmax.

``intents.npz`` holds (read with ``allow_pickle=False``):

- ``format``: int, FORMAT
- ``labels``: (C,) str
- ``weights``: (BUCKETS, C) int8, times ``scales`` (C,) float32 is the weight; ``bias``: (C,) float32
- ``fallback``: str, the label for a text that no class claims; ``min_confidence``: float32, below it none does

Training and run time share ``features``, so they cannot disagree about a text.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BundleNotFoundError, IntegrityError
from models.fields import REMEDY

FORMAT = 1
BUCKETS = 1 << 15

#: Characters that are read. A customer's point comes earlier, and a page of text must not cost more than a line.
MAX_CHARS = 1000

_ARRAYS = {
    "format": np.int64, "labels": np.str_, "weights": np.int8, "scales": np.float32,
    "bias": np.float32, "fallback": np.str_, "min_confidence": np.float32,
}  # fmt: skip
_SLOTS_AND_NUMBERS = re.compile(r"(?:\s*(?:\{\{[^{}]*\}\}|\d[\d.,\-]*))+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def normalise(text: str) -> str:
    """Lower-case words with single spaces; a run of numbers and ``{{slots}}`` becomes one ``0``."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower().replace("’", "'")
    return " ".join(_WORD.findall(_SLOTS_AND_NUMBERS.sub(" 0 ", text)))


def features(text: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Buckets (N,) int32 and values (N,) float32 of a text: words, word pairs, 3- to 5-grams; each kind of length 1.

    Counts are damped to ``1 + ln(count)``. A text without a word has no feature (N = 0).
    """
    plain = normalise(text)
    words = plain.split()
    padded = f" {plain} "
    pairs = [f"{a}_{b}" for a, b in pairwise(words)]
    grams = [padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1)] if words else []
    buckets: list[NDArray[np.int32]] = []
    values: list[NDArray[np.float32]] = []
    for kind, items in enumerate((words + pairs, grams)):
        counts = Counter(zlib.crc32(item.encode(), kind) % BUCKETS for item in items)
        damped = 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
        buckets.append(np.fromiter(counts.keys(), np.int32, len(counts)))
        values.append((damped / np.sqrt(max(1e-12, float(damped @ damped)))).astype(np.float32))
    return np.concatenate(buckets), np.concatenate(values)


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """Text in, probabilities out.

    Attributes:
        labels: the C classes.
        weights: (BUCKETS, C) int8.
        scales: (C,) float32; ``weights * scales`` are the real weights.
        bias: (C,) float32.
        fallback: label of a text that no class claims.
        min_confidence: a best class below this probability does not claim the text.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]
    fallback: str
    min_confidence: float

    def logits(self, text: str) -> NDArray[np.float32]:
        """Scores before the softmax, (C,) float32."""
        buckets, values = features(text)
        return (values @ self.weights[buckets].astype(np.float32)) * self.scales + self.bias

    def scores(self, text: str) -> Mapping[str, float]:
        """Probability of every label; they sum to 1."""
        logits = self.logits(text).astype(np.float64)
        odds = np.exp(logits - logits.max())
        return dict(zip(self.labels, (odds / odds.sum()).tolist(), strict=True))

    def best(self, text: str) -> str:
        """The likeliest label; ``fallback`` where even that is too unsure, or the text has no words."""
        scores = self.scores(text)
        label = max(scores, key=lambda name: scores[name])
        return label if scores[label] >= self.min_confidence and normalise(text) else self.fallback

    def save(self, path: Path) -> None:
        """Write the file; the same classifier always gives the same bytes.

        Raises:
            IntegrityError: the arrays' shapes, labels or threshold disagree.
        """
        _check(self, path)
        arrays: dict[str, Any] = {
            "format": np.int64(FORMAT), "labels": np.array(self.labels), "weights": self.weights, "scales": self.scales,
            "bias": self.bias, "fallback": np.array(self.fallback), "min_confidence": np.float32(self.min_confidence),
        }  # fmt: skip
        with path.open("wb") as file:  # a name instead would have ".npz" put after it
            np.savez_compressed(file, allow_pickle=False, **arrays)


def load_linear(path: Path) -> LinearClassifier:
    """Read a classifier.

    Raises:
        BundleNotFoundError: no such file.
        IntegrityError: not such a file, of another format, or its arrays disagree.
    """
    if not path.is_file():
        raise BundleNotFoundError(str(path), "is missing", REMEDY)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _ARRAYS}
    except (
        ValueError,
        KeyError,
        EOFError,
        OSError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise IntegrityError(str(path), f"is no linear classifier ({error})", REMEDY) from error
    for name, kind in _ARRAYS.items():
        if not np.issubdtype(arrays[name].dtype, kind):
            raise IntegrityError(str(path), f"{name} is {arrays[name].dtype}; expected {kind.__name__}", REMEDY)
    for name in ("format", "fallback", "min_confidence"):
        if arrays[name].ndim:
            raise IntegrityError(
                str(path), f"{name} has the shape {arrays[name].shape}; expected a single value", REMEDY
            )
    if int(arrays["format"]) != FORMAT:
        raise IntegrityError(str(path), f"is of format {int(arrays['format'])}; expected {FORMAT}", REMEDY)
    classifier = LinearClassifier(
        labels=tuple(arrays["labels"].ravel().tolist()),
        weights=arrays["weights"],
        scales=arrays["scales"],
        bias=arrays["bias"],
        fallback=str(arrays["fallback"]),
        min_confidence=float(arrays["min_confidence"]),
    )
    _check(classifier, path)
    return classifier


def _check(classifier: LinearClassifier, path: Path) -> None:
    count = len(classifier.labels)
    if count < 2 or len(set(classifier.labels)) != count:
        raise IntegrityError(
            str(path), f"has the labels {list(classifier.labels)}; expected two or more different", REMEDY
        )
    for name, array, shape in (
        ("weights", classifier.weights, (BUCKETS, count)),
        ("scales", classifier.scales, (count,)),
        ("bias", classifier.bias, (count,)),
    ):
        if array.shape != shape:
            raise IntegrityError(str(path), f"{name} has the shape {array.shape}; expected {shape}", REMEDY)
    if not (np.isfinite(classifier.scales).all() and np.isfinite(classifier.bias).all()):
        raise IntegrityError(str(path), "holds a scale or bias that is not finite", REMEDY)
    if not 0.0 <= classifier.min_confidence < 1.0:
        raise IntegrityError(str(path), f"min_confidence is {classifier.min_confidence}; expected 0 to 1", REMEDY)
