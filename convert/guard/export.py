"""Export a Detoxify checkpoint as an int8 ONNX guard: one folder with the model, its tokenizer and its thresholds.

``guard.onnx``: int64 ``input_ids``, ``attention_mask`` and, where the model takes them, ``token_type_ids``, all (B, T);
float32 ``logits`` (B, L). ``guard-tokenizer.json``: for the ``tokenizers`` library, without padding and truncation.
``guard.json``: ``models.manifest.GuardModel``. ``guard-float32.onnx`` beside them if asked for: the same before int8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer

from convert.build.bundle import GUARD_JSON
from convert.embed.sentences import SENTENCES
from convert.errors import InputError
from convert.files import atomic_folder
from convert.guard.calibration import Limits, Scored, figures, int8_cost, threshold
from convert.guard.detoxify import Detoxifier, load_detoxify
from convert.guard.onnxscore import WINDOW_TOKENS, Scorer
from convert.guard.samples import Sample
from convert.guard.tokenizer import read_tokenizer
from convert.onnx.int8 import quantize_encoder
from convert.onnx.parity import parity, require_parity
from convert.onnx.trace import to_onnx
from convert.progress import Progress, silent
from models.bundle import GUARD, GUARD_TOKENIZER, sha256_of
from models.manifest import GuardModel

#: The float32 model, kept if asked for.
FLOAT32 = "guard-float32.onnx"

#: Texts, at most, that show the quantiser how large activations get.
SHOWN = 400

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
        origin: where the checkpoint comes from, for the record; empty takes its file name.
        float32: whether FLOAT32 stays beside the int8 model.
    """

    trusted: bool = False
    per_channel: bool = True
    limits: Limits = field(default_factory=Limits)
    compared: int = 1500
    data: tuple[str, ...] = ()
    origin: str = ""
    float32: bool = False


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
        tokenizer: a tokenizer's file or a folder that holds one (see ``convert.guard.tokenizer``).
        out: replaced as a whole.
        samples: texts to calibrate on and to report on; without any, every threshold is UNCALIBRATED.
        options: how to export; None takes the defaults.
        progress: told how far scoring is.

    Returns:
        Labels, thresholds and the record of how they were found, as in ``out/guard.json``.

    Raises:
        InputError: checkpoint, tokenizer or a sample is missing, malformed or disagrees with the others.
        UnsupportedError: an architecture that cannot be exported.
        CheckError: the float32 ONNX model differs from PyTorch's by more than ``convert.onnx.parity`` allows.
    """
    options = options or ExportOptions()
    source = load_detoxify(checkpoint, trusted=options.trusted)
    words = read_tokenizer(tokenizer, source.vocabulary, source.padding)
    _check_samples(samples, source.labels)
    with atomic_folder(out) as folder:
        words.save(str(folder / GUARD_TOKENIZER))
        plain = folder / FLOAT32
        difference = export_float32(source, plain)
        require_parity(checkpoint, difference)
        quantize_encoder(plain, folder / GUARD, _shown(words, samples), per_channel=options.per_channel)
        record = {
            "checkpoint": {"origin": options.origin or checkpoint.name, "sha256": sha256_of(checkpoint)},
            "float32_onnx_max_logit_difference": float(f"{difference:.1e}"),
        }
        desk = _Desk(source.labels, Scorer(folder / GUARD, words), Scorer(plain, words), options, progress)
        model = desk.calibrated(samples, record)
        if not options.float32:
            plain.unlink()
        (folder / GUARD_JSON).write_text(
            json.dumps(asdict(model), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return model


def export_float32(source: Detoxifier, path: Path) -> float:
    """Write the float32 ONNX model; gives the largest difference of its logits from PyTorch's."""
    module = Logits(source).eval()
    to_onnx(module, path, "logits", segments=source.segments)
    return parity(module, path, segments=source.segments, vocabulary=source.vocabulary, tokens=source.tokens)


class Logits(torch.nn.Module):
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


def _shown(words: Tokenizer, samples: Sequence[Sample]) -> list[list[int]]:
    """Token ids of some of the texts; of general sentences if there are none."""
    texts = [sample.text for sample in samples[:: max(1, len(samples) // SHOWN)] if sample.text.strip()] or SENTENCES
    cut = Tokenizer.from_str(words.to_str())
    cut.enable_truncation(WINDOW_TOKENS)
    return [text.ids for text in cut.encode_batch(list(texts))]


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
