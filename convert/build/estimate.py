"""What each stage of a build takes in memory, disk and time: arithmetic on sizes with measured constants."""

from __future__ import annotations

from dataclasses import dataclass

from convert.quantization.quantize import QuantType
from convert.quantization.search import SearchOptions

#: About how many bits a weight takes with its scales, all tensors together; measured on Llama shapes.
BITS_PER_WEIGHT = {QuantType.Q4_K_M: 4.9, QuantType.Q5_K_M: 5.8, QuantType.Q6_K: 6.6, QuantType.Q8_0: 8.5}

#: Python with torch and transformers, before any weights.
TORCH_BYTES = 500 << 20

#: Python with numpy and gguf.
PLAIN_BYTES = 150 << 20

#: Bytes per element while one tensor is merged, checked and written: base, update, comparison and stored form.
TENSOR_BYTES = 9

#: The quantising child beside its interpreter: rows in memory, and as they are stored.
QUANTIZE_BYTES = 150 << 20

#: Copies of a checkpoint's weights while it is exported: PyTorch's, the graph's, the rounded ones and the file's.
EXPORT_COPIES = 4

#: Seconds for each thousand million weights, measured on two x86 cores with AVX2: merging and writing f16, quantising.
GGUF_S, QUANTIZE_S = 27.0, 96.0

#: Seconds for each thousand million weights and thousand tokens that the float GGUF reads; measured as the others.
IMATRIX_S = 17.0

TIME_BASIS = "measured on two x86 cores with AVX2; none where it was not measured"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the estimates depend on.

    Attributes:
        weights: of the model.
        largest: weights of its largest tensor.
        vocab: rows of its embedding.
        float_bytes: of the float GGUF.
        peft_ram_bytes: memory of merging through PEFT; 0 if the adapter streams.
        positions: compared by the check.
        checkpoint_bytes: of the guard's checkpoint; 0 for a guard that is exported already.
        quant: how it is quantised.
        calibration_tokens: read for the importance matrix; 0 without one.
        imatrix_bytes: of its file.
        searched: whether types are searched.
        encoder_bytes: of the sentence encoder that is taken in or exported; 0 without one.
    """

    weights: int
    largest: int
    vocab: int
    float_bytes: int
    peft_ram_bytes: int
    positions: int
    checkpoint_bytes: int
    quant: QuantType
    calibration_tokens: int = 0
    imatrix_bytes: int = 0
    searched: bool = False
    encoder_bytes: int = 0

    @property
    def quantized_bytes(self) -> int:
        """Of the quantised GGUF."""
        return int(self.weights * BITS_PER_WEIGHT[self.quant] / 8)


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage.

    Attributes:
        name: as in the records.
        ram_bytes: peak of its largest process.
        work_bytes: disk that it takes in the work folder, for good or while it runs.
        out_bytes: disk that it takes beside the bundle.
        about_s: time, or None if nobody measured it; see TIME_BASIS.
    """

    name: str
    ram_bytes: int
    work_bytes: int = 0
    out_bytes: int = 0
    about_s: float | None = None


def estimate(sizes: Sizes) -> tuple[StageEstimate, ...]:
    """All stages of this build in order."""
    billions = sizes.weights / 1e9
    guard_ram = TORCH_BYTES + EXPORT_COPIES * sizes.checkpoint_bytes if sizes.checkpoint_bytes else PLAIN_BYTES
    gguf_ram = sizes.peft_ram_bytes or PLAIN_BYTES + TENSOR_BYTES * sizes.largest
    merged_bytes = 4 * sizes.weights if sizes.peft_ram_bytes else 0
    logits = 2 * 4 * sizes.positions * sizes.vocab  # two models' float32, positions by vocabulary
    return (
        StageEstimate("guard", guard_ram, work_bytes=sizes.checkpoint_bytes),
        *_encoder(sizes),
        StageEstimate(
            "gguf",
            gguf_ram,
            work_bytes=sizes.float_bytes + merged_bytes,
            about_s=None if merged_bytes else round(GGUF_S * billions, 1),
        ),
        *_guidance(sizes),
        StageEstimate(
            "quantize",
            PLAIN_BYTES + QUANTIZE_BYTES,
            work_bytes=sizes.quantized_bytes,
            about_s=round(QUANTIZE_S * billions, 1),
        ),
        StageEstimate("check", TORCH_BYTES + 4 * sizes.weights + logits),
        StageEstimate(
            "pack", PLAIN_BYTES, out_bytes=sizes.quantized_bytes + sizes.checkpoint_bytes + sizes.encoder_bytes
        ),
    )


def _encoder(sizes: Sizes) -> list[StageEstimate]:
    """Taking in or exporting the sentence encoder."""
    if not sizes.encoder_bytes:
        return []
    ram = TORCH_BYTES + EXPORT_COPIES * sizes.encoder_bytes
    return [StageEstimate("embed", ram, work_bytes=sizes.encoder_bytes)]


def _guidance(sizes: Sizes) -> list[StageEstimate]:
    """The importance matrix and the search of types; both map the float GGUF."""
    found = []
    if sizes.calibration_tokens:
        seconds = IMATRIX_S * sizes.weights / 1e9 * sizes.calibration_tokens / 1e3
        ram = PLAIN_BYTES + sizes.float_bytes
        found.append(StageEstimate("imatrix", ram, work_bytes=sizes.imatrix_bytes, about_s=round(seconds, 1)))
    if sizes.searched:
        logits = 2 * 4 * SearchOptions().tokens * sizes.vocab  # the model's float32 before and after
        found.append(StageEstimate("types", PLAIN_BYTES + sizes.float_bytes + logits))
    return found
