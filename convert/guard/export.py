"""Export a Detoxify checkpoint as an int8 ONNX guard: one folder with the model, its tokenizer and its thresholds.

``guard.onnx``: int64 ``input_ids``, ``attention_mask`` and, where the model takes them, ``token_type_ids``, all (B, T);
float32 ``logits`` (B, L). ``guard-tokenizer.json``: for the ``tokenizers`` library, without padding and truncation.
``guard.json``: ``models.manifest.GuardModel``.

Weights are quantised to seven bits: on x86 without VNNI a product of full-range int8 and uint8 saturates, so the same
file would score, and the thresholds would mean, something else on each processor
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from convert.build.bundle import GUARD_JSON
from convert.errors import CheckError, InputError
from convert.files import atomic_folder
from convert.guard.calibration import Limits, Scored, figures, int8_cost, threshold
from convert.guard.detoxify import Detoxifier, load_detoxify
from convert.guard.onnxscore import Scorer
from convert.guard.samples import Sample
from convert.guard.tokenizer import read_tokenizer
from convert.progress import Progress, silent
from models.bundle import GUARD, GUARD_TOKENIZER
from models.manifest import GuardModel

#: How close the float32 ONNX logits must be to PyTorch's.
MAX_DIFFERENCE = 1e-4

OPSET = 17

#: Without samples nobody knows better.
UNCALIBRATED = 0.5


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a guard is exported.

    Attributes:
        trusted: whether the checkpoint may hold any pickled object (see ``convert.guard.detoxify``).
        per_channel: one scale for each output of a matrix instead of one for all.
        limits: what a threshold may wrongly claim.
        compared: texts on which int8 is compared with float32.
        data: names of the sets that the samples come from, for the record.
    """

    trusted: bool = False
    per_channel: bool = True
    limits: Limits = field(default_factory=Limits)
    compared: int = 1500
    data: tuple[str, ...] = ()


def export_guard(
    checkpoint: Path,
    tokenizer: Path,
    out: Path,
    samples: Sequence[Sample] = (),
    options: ExportOptions | None = None,
    progress: Progress = silent,
) -> GuardModel:
    """Export, check, calibrate and write the folder ``out``.

    Args:
        checkpoint: Detoxify's ``.ckpt``.
        tokenizer: a ``tokenizer.json``, a BERT ``vocab.txt``, or a folder that holds one of them.
        out: replaced as a whole.
        samples: texts to calibrate on and to report on; without any, every threshold is UNCALIBRATED.
        options: how to export; None takes the defaults.
        progress: told how far scoring is.

    Returns:
        Labels, thresholds and the record of how they were found, as in ``out/guard.json``.

    Raises:
        InputError: checkpoint, tokenizer or a sample is missing, malformed or disagrees with the others.
        UnsupportedError: an architecture that cannot be exported.
        CheckError: the float32 ONNX model differs from PyTorch by more than MAX_DIFFERENCE.
    """
    options = options or ExportOptions()
    source = load_detoxify(checkpoint, trusted=options.trusted)
    words = read_tokenizer(tokenizer, source.vocabulary)
    _check_samples(samples, source.labels)
    with atomic_folder(out) as folder:
        words.save(str(folder / GUARD_TOKENIZER))
        plain = folder / "float32.onnx"
        to_onnx(source, plain)
        difference = parity(source, plain, words)
        if difference > MAX_DIFFERENCE:
            raise CheckError(
                f"{checkpoint}: the ONNX logits differ from PyTorch's by {difference:.1e}; "
                f"expected at most {MAX_DIFFERENCE:.0e}"
            )
        quantize_guard(plain, folder / GUARD, per_channel=options.per_channel)
        desk = _Desk(source.labels, Scorer(folder / GUARD, words), Scorer(plain, words), options, progress)
        model = desk.calibrated(samples, {"float32_onnx_max_logit_difference": float(f"{difference:.1e}")})
        plain.unlink()
        (folder / GUARD_JSON).write_text(
            json.dumps(asdict(model), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return model


class _Logits(torch.nn.Module):
    """The model with positional inputs and the reported outputs only."""

    def __init__(self, source: Detoxifier) -> None:
        super().__init__()
        self.model, self.reported = source.model, len(source.labels)

    def forward(
        self, input_ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Token ids, attention mask and segment ids (B, T) int64 -> logits (B, L) float32."""
        extra = {} if segments is None else {"token_type_ids": segments}
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=mask, **extra).logits
        return logits[:, : self.reported]


def to_onnx(source: Detoxifier, path: Path) -> None:
    """Write the float32 ONNX model; batch and length are free."""
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if source.segments else [])]
    ids = torch.full((2, 8), 3)
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))[: len(names)]
    with _quiet():
        torch.onnx.export(
            _Logits(source).eval(),
            inputs,
            str(path),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's and the quantiser's remarks are about their own deprecations, not about the model."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)


def quantize_guard(source: Path, target: Path, *, per_channel: bool) -> None:
    """Write the int8 model: matrices and embeddings in int8 (seven bits used), activations quantised as they come."""
    with _quiet():
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=per_channel, reduce_range=True)


#: Lengths that parity is tried at: one token, odd, a bucket, longer than a bucket. Those beyond the model are left out.
PARITY_LENGTHS = (1, 2, 7, 16, 33, 128)


def parity(source: Detoxifier, path: Path, words: Tokenizer) -> float:
    """Largest difference between the ONNX model's logits and PyTorch's, over lengths, batches and padding."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    reference, rng, worst = _Logits(source).eval(), np.random.default_rng(0), 0.0
    for length in (length for length in PARITY_LENGTHS if length <= source.tokens):
        ids = rng.integers(5, min(source.vocabulary, words.get_vocab_size()), (3, length), dtype=np.int64)
        mask = (np.arange(length) < np.array([[length], [max(1, length // 2)], [1]])).astype(np.int64)
        arrays = (ids, mask, np.zeros_like(ids))[: 3 if source.segments else 2]
        names = ("input_ids", "attention_mask", "token_type_ids")
        found = session.run(["logits"], dict(zip(names, arrays, strict=False)))[0]
        with torch.inference_mode():
            expected = reference(*(torch.from_numpy(array) for array in arrays)).numpy()
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst


def _check_samples(samples: Sequence[Sample], labels: Sequence[str]) -> None:
    unknown = sorted({name for sample in samples for name in sample.targets} - set(labels))
    if unknown:
        raise InputError(
            f"the samples have targets for {', '.join(unknown)}; the checkpoint's labels are {', '.join(labels)}"
        )


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where a guard is calibrated: its labels, the int8 model, the float32 model it came from, and the options."""

    labels: tuple[str, ...]
    small: Scorer
    whole: Scorer
    options: ExportOptions
    progress: Progress

    def calibrated(self, samples: Sequence[Sample], record: Mapping[str, object]) -> GuardModel:
        """Thresholds from the int8 model's own probabilities, and ``record`` with how they were found added."""
        own = [sample for sample in samples if not sample.test]
        test = [sample for sample in samples if sample.test]
        made: dict[str, object] = {**record, "method": "not calibrated: no samples were given"}
        thresholds = dict.fromkeys(self.labels, UNCALIBRATED)
        if own:
            scored = self._scored(self.small, own, "calibrate")
            limits = self.options.limits
            for column, name in enumerate(self.labels):
                thresholds[name] = threshold(name, own, scored.probabilities[:, column], limits)
            made["method"] = (
                "the lowest thresholds on the int8 model's probabilities that keep the limits on false alarms"
            )
            made |= {"limits": asdict(limits), "data": list(self.options.data)}
            made["calibrated_on"] = self._figures(scored, thresholds)
        if test:
            scored = self._scored(self.small, test, "test")
            made["test"] = self._figures(scored, thresholds)
            step = -(-len(test) // self.options.compared)
            part = Scored(test[::step], scored.probabilities[::step])
            whole = self._scored(self.whole, part.samples, "compare")
            made["int8"] = {"texts": len(part.samples), **int8_cost(self.labels, part, whole, thresholds)}
        return GuardModel(self.labels, thresholds, made)

    def _scored(self, scorer: Scorer, samples: Sequence[Sample], stage: str) -> Scored:
        texts = [sample.text for sample in samples]
        return Scored(samples, scorer.probabilities(texts, self.progress, stage))

    def _figures(self, scored: Scored, thresholds: Mapping[str, float]) -> dict[str, object]:
        return {
            name: figures(name, scored.samples, scored.probabilities[:, column], thresholds[name])
            for column, name in enumerate(self.labels)
        }
