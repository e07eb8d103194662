"""The bundle's classifier: an ONNX model with Detoxify's labels, on one thread, over overlapping windows.

Inputs ``input_ids`` and ``attention_mask``, and ``token_type_ids`` if the model declares it: int64 (B, T). Output
``logits``: float32 (B, L), one per label of the manifest; their sigmoids are the probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from guards.detector import Hit, Report, TextTooLongError
from guards.errors import GuardUnavailableError
from guards.views.normal import View
from models.bundle import GUARD, GUARD_TOKENIZER, Bundle
from models.manifest import GuardModel
from models.ngram_classifier import NgramClassifier

NAME = "toxicity"
#: A label that a guard may have beside Detoxify's: attempts on the assistant's instructions, a family of its own.
INJECTION_LABEL = "injection"

#: What the encoder's opinion of it weighs beside the n-gram classifier's, and from where the two together count: the
#: n-gram classifier by itself errs on long messages of ordinary customers.
ENCODER_WEIGHT = 0.6
POOLED_THRESHOLD = 0.6

#: Tokens of one window, special tokens included, and how many of them two windows share.
WINDOW_TOKENS = 128
OVERLAP_TOKENS = 32
#: Windows are padded to one of these lengths, never to the model's maximum: the cost grows with the length.
BUCKETS = (16, 32, 64, WINDOW_TOKENS)
#: Windows per call of the model; bounds its memory, not its work.
BATCH_WINDOWS = 8
#: A longer text is refused: on a small box every window costs the customer a tenth of a second.
MAX_WINDOWS = 24

_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_REMEDY = "rebuild the bundle with `python -m convert run`, or start degraded without this guard"


class ToxicityModel:
    """Text in, one probability per label and window out. Safe to call from several threads."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, outputs: GuardModel) -> None:
        self.labels = outputs.labels
        self.thresholds = outputs.thresholds
        self._session = session
        self._tokenizer = tokenizer
        self._inputs = frozenset(entry.name for entry in session.get_inputs())
        self._pad_id = _pad_id(tokenizer)
        tokenizer.no_padding()
        tokenizer.enable_truncation(WINDOW_TOKENS, stride=OVERLAP_TOKENS)

    @classmethod
    def load(cls, bundle: Bundle) -> ToxicityModel:
        """Load the classifier of a verified bundle and try it once.

        Raises:
            GuardUnavailableError: a file is missing or unreadable, an input is unknown, or the number of outputs is not
                that of the manifest's labels.
        """
        for name in (GUARD, GUARD_TOKENIZER):
            if not bundle.has(name):
                raise GuardUnavailableError(NAME, f"the bundle {bundle.folder} has no {name}", _REMEDY)
        try:
            session = onnxruntime.InferenceSession(
                str(bundle.path(GUARD)), sess_options=_one_thread(), providers=["CPUExecutionProvider"]
            )
            tokenizer = Tokenizer.from_file(str(bundle.path(GUARD_TOKENIZER)))
        except Exception as error:  # both libraries raise bare Exceptions for damaged files
            raise GuardUnavailableError(NAME, f"{bundle.folder}: cannot be loaded ({error})", _REMEDY) from error
        return cls._tried(session, tokenizer, bundle)

    @classmethod
    def _tried(cls, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, bundle: Bundle) -> ToxicityModel:
        """The model, if it takes what we give and gives what the manifest says."""
        file, labels = bundle.path(GUARD), bundle.manifest.guard.labels
        inputs = {entry.name for entry in session.get_inputs()}
        if not inputs <= _INPUTS or "input_ids" not in inputs:
            raise GuardUnavailableError(NAME, f"{file}: inputs {sorted(inputs)}; expected {sorted(_INPUTS)}", _REMEDY)
        if "logits" not in {entry.name for entry in session.get_outputs()}:
            raise GuardUnavailableError(NAME, f"{file}: has no output named 'logits'", _REMEDY)
        model = cls(session, tokenizer, bundle.manifest.guard)
        try:
            width = model._logits(model._windows("."))[0].size
        except Exception as error:  # onnxruntime's own types derive from Exception only
            raise GuardUnavailableError(NAME, f"{file}: does not run ({error})", _REMEDY) from error
        if width != len(labels):
            raise GuardUnavailableError(
                NAME, f"{file}: {width} outputs; the manifest has {len(labels)} labels {list(labels)}", _REMEDY
            )
        return model

    def probabilities(self, text: str) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
        """Probabilities of every window of the text, and where the windows lie.

        Returns:
            float64 (windows, L), and per window its start and end in characters of ``text``.

        Raises:
            TextTooLongError: it takes more than ``MAX_WINDOWS`` windows.
            ValueError: the model gave something that is not a number.
        """
        windows = self._windows(text)
        if len(windows) > MAX_WINDOWS:
            raise TextTooLongError(len(windows))
        probabilities = 1.0 / (1.0 + np.exp(-self._logits(windows).astype(np.float64)))  # (W, L)
        if not np.isfinite(probabilities).all():
            raise ValueError("the classifier gave a probability that is not a number")
        return probabilities, [_extent(window) for window in windows]

    def _windows(self, text: str) -> list[Encoding]:
        first = self._tokenizer.encode(text)
        return [first, *first.overflowing]

    def _logits(self, windows: Sequence[Encoding]) -> NDArray[np.float32]:
        """float32 (windows, L)."""
        batches = [windows[at : at + BATCH_WINDOWS] for at in range(0, len(windows), BATCH_WINDOWS)]
        return np.concatenate([self._run(batch) for batch in batches])

    def _run(self, windows: Sequence[Encoding]) -> NDArray[np.float32]:
        length = bucket(max(len(window.ids) for window in windows))
        ids = np.full((len(windows), length), self._pad_id, dtype=np.int64)  # (B, T)
        mask = np.zeros((len(windows), length), dtype=np.int64)  # (B, T)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = window.ids
            mask[row, : len(window.ids)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        outputs = self._session.run(["logits"], {name: feeds[name] for name in self._inputs})
        return np.asarray(outputs[0], dtype=np.float32)  # (B, L)


class ToxicityDetector:
    """Hits ``toxicity.<label>`` where a label's probability reaches its threshold in any window.

    For the label ``injection``, which one reading of the text answers as well, the hit is ``injection.encoder``. Where
    there is an n-gram classifier too, their opinions are pooled: each errs on other texts.
    """

    family = NAME

    def __init__(
        self, model: ToxicityModel, thresholds: Mapping[str, float], ngrams: NgramClassifier | None = None
    ) -> None:
        """Act on the labels in ``thresholds``; the model's other labels are only scored."""
        self._model = model
        self._ngrams = ngrams
        self._acting = [(column, label) for column, label in enumerate(model.labels) if label in thresholds]
        self._thresholds = thresholds

    def scan(self, view: View) -> Report:
        """Scores are the maximum over windows. A hit is the window in which its label is highest."""
        if not view.text.strip():
            return Report()
        probabilities, extents = self._model.probabilities(view.text)
        scores = {label: float(p) for label, p in zip(self._model.labels, probabilities.max(axis=0), strict=True)}
        if self._ngrams is not None and INJECTION_LABEL in self._thresholds:
            scores[INJECTION_LABEL] = pooled(self._ngrams.probability(view.text), scores[INJECTION_LABEL])
        hits = []
        for column, label in self._acting:
            if scores[label] >= self._thresholds[label]:
                start, end = extents[int(probabilities[:, column].argmax())]
                hits.append((scores[label], Hit(_rule(label), *view.span(start, end))))
        hits.sort(key=lambda scored: -scored[0])
        return Report(tuple(hit for _, hit in hits), scores)


def pooled(ngrams: float, encoder: float) -> float:
    """The weighted mean of two probabilities' logits, as a probability (a logarithmic opinion pool)."""
    logits = np.log(np.clip([ngrams, encoder], 1e-6, 1 - 1e-6)) - np.log1p(-np.clip([ngrams, encoder], 1e-6, 1 - 1e-6))
    return float(1.0 / (1.0 + np.exp(-(np.array([1.0 - ENCODER_WEIGHT, ENCODER_WEIGHT]) @ logits))))


def _rule(label: str) -> str:
    return f"{INJECTION_LABEL}.encoder" if label == INJECTION_LABEL else f"{NAME}.{label}"


def bucket(length: int) -> int:
    """The smallest bucket that holds ``length`` tokens."""
    return next((size for size in BUCKETS if length <= size), length)


def _extent(window: Encoding) -> tuple[int, int]:
    """Characters that a window covers; special tokens have the empty extent (0, 0)."""
    offsets = [(start, end) for start, end in window.offsets if end > start]
    return (offsets[0][0], offsets[-1][1]) if offsets else (0, 1)


def _one_thread() -> onnxruntime.SessionOptions:
    """A spinning second thread would take the cores from the language model (measured: a factor of ten)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _pad_id(tokenizer: Tokenizer) -> int:
    """The id for padding; RoBERTa derives positions from it, so it has to be the model's own."""
    if tokenizer.padding is not None:
        return int(tokenizer.padding["pad_id"])
    found = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return next((int(token_id) for token_id in found if token_id is not None), 0)
