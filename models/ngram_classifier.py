"""A yes-or-no text classifier in one small file: int8 weights over hashed n-grams, read in overlapping windows.

``injection.npz`` holds (read with ``allow_pickle=False``):

- ``format``: int, FORMAT
- ``weights``: (BUCKETS,) int8, times ``scale`` float32 is the weight; ``bias``: float32
- ``threshold``: float32, probability from which a text counts as a yes; ``data_threshold``: the same for a text that
  is data (a passage, a pasted e-mail)

A window's logit is ``bias`` plus the sum of its words' weights over the root of their number, plus the same of its
character n-grams; the features are those of ``models.ngrams``.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BundleNotFoundError, IntegrityError
from models.fields import REMEDY
from models.ngrams import BUCKETS, Grams, Ids, all_windows, grams

FORMAT = 1

_ARRAYS = {
    "format": np.int64, "weights": np.int8, "scale": np.float32, "bias": np.float32, "threshold": np.float32,
    "data_threshold": np.float32,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What the classifier makes of a text's K windows; K is 0 for a text without a word.

    Attributes:
        probabilities: (K,) float64.
        starts: (K,) int64, first character of every window.
        ends: (K,) int64, one past its last.
    """

    probabilities: NDArray[np.float64]
    starts: Ids
    ends: Ids


@dataclass(frozen=True, slots=True)
class NgramClassifier:
    """Text in, a probability per window out. Safe to call from several threads.

    Attributes:
        weights: (BUCKETS,) int8.
        scale: ``weights * scale`` are the real weights.
        bias: the logit of a text without features.
        threshold: probability from which a message counts as a yes.
        data_threshold: probability from which a text that is data does.
    """

    weights: NDArray[np.int8]
    scale: float
    bias: float
    threshold: float
    data_threshold: float

    def read(self, text: str) -> Reading:
        """The probability of every window of a text; takes time linear in its length."""
        found = grams(text)
        places = all_windows(len(found.starts))
        logits = self._logits(found, places)
        return Reading(1.0 / (1.0 + np.exp(-logits)), found.starts[places[:, 0]], found.ends[places[:, 1] - 1])

    def probability(self, text: str) -> float:
        """The highest of all windows; 0 for a text without a word."""
        return float(self.read(text).probabilities.max(initial=0.0))

    def _logits(self, found: Grams, places: Ids) -> NDArray[np.float64]:
        """(K,) float64 for windows ``places`` (K, 2)."""
        total = np.full(len(places), self.bias, np.float64)
        for ids, tokens in ((found.words, found.word_places), (found.chars, found.char_places)):
            sums = _running(np.bincount(tokens, self.weights[ids], len(found.starts)))
            counts = _running(np.bincount(tokens, minlength=len(found.starts)))
            within, size = sums[places[:, 1]] - sums[places[:, 0]], counts[places[:, 1]] - counts[places[:, 0]]
            total += self.scale * within / np.sqrt(np.maximum(size, 1))
        return np.clip(total, -60.0, 60.0)

    def save(self, path: Path) -> None:
        """Write the file; the same classifier always gives the same bytes.

        Raises:
            IntegrityError: a shape or a threshold is not one that ``load_ngram`` takes.
        """
        _check(self, path)
        arrays: dict[str, Any] = {
            "format": np.int64(FORMAT), "weights": self.weights, "scale": np.float32(self.scale),
            "bias": np.float32(self.bias), "threshold": np.float32(self.threshold),
            "data_threshold": np.float32(self.data_threshold),
        }  # fmt: skip
        with path.open("wb") as file:  # a name instead would have ".npz" put after it
            np.savez_compressed(file, allow_pickle=False, **arrays)


def load_ngram(path: Path) -> NgramClassifier:
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
        raise IntegrityError(str(path), f"is no n-gram classifier ({error})", REMEDY) from error
    for name, kind in _ARRAYS.items():
        if not np.issubdtype(arrays[name].dtype, kind):
            raise IntegrityError(str(path), f"{name} is {arrays[name].dtype}; expected {kind.__name__}", REMEDY)
        if name != "weights" and arrays[name].ndim:
            raise IntegrityError(
                str(path), f"{name} has the shape {arrays[name].shape}; expected a single value", REMEDY
            )
    if int(arrays["format"]) != FORMAT:
        raise IntegrityError(str(path), f"is of format {int(arrays['format'])}; expected {FORMAT}", REMEDY)
    numbers = {name: float(arrays[name]) for name in ("scale", "bias", "threshold", "data_threshold")}
    classifier = NgramClassifier(weights=arrays["weights"], **numbers)
    _check(classifier, path)
    return classifier


def _running(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sums of the first 0, 1, ... values."""
    return np.concatenate([np.zeros(1), np.cumsum(values, dtype=np.float64)])


def _check(classifier: NgramClassifier, path: Path) -> None:
    if classifier.weights.shape != (BUCKETS,):
        raise IntegrityError(
            str(path), f"weights has the shape {classifier.weights.shape}; expected {(BUCKETS,)}", REMEDY
        )
    if not (np.isfinite(classifier.scale) and np.isfinite(classifier.bias)):
        raise IntegrityError(str(path), "holds a scale or bias that is not finite", REMEDY)
    for name in ("threshold", "data_threshold"):
        if not 0.0 < getattr(classifier, name) < 1.0:
            raise IntegrityError(str(path), f"{name} is {getattr(classifier, name)}; expected 0 to 1", REMEDY)
