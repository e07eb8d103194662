"""GPTQ checkpoints: 4-bit weights unpacked to float32 while they are read, a block of rows at a time.

Layout (AutoGPTQ, GPTQModel): for a layer of I inputs and O outputs in G groups, ``qweight`` (I / 8, O) and ``qzeros``
(G, O / 8) pack eight numbers into an int32, lowest bits first; ``scales`` (G, O); ``g_idx`` (I,) says each input's
group. A weight is ``scale * (q - zero)``; the format ``gptq`` stores zeros one too small, ``gptq_v2`` as they are.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convert.checkpoint.weights import Float32Array, TensorRef, WeightSource
from convert.errors import InputError, UnsupportedError
from convert.gguf.fields import get

BITS = 4
_PER_WORD = 32 // BITS
_PARTS = ("qweight", "qzeros", "scales", "g_idx")

#: What stored zeros lack, by ``checkpoint_format``.
ZERO_OFFSETS: Mapping[str, int] = {"gptq": 1, "gptq_v2": 0}

WARNING = (
    "a GPTQ checkpoint: its weights were rounded to 4 bits once already, and what they lost does not come back; "
    "quantising the result loses again; convert the original float model if you can get it"
)


@dataclass(frozen=True, slots=True)
class GptqSettings:
    """``quantization_config``.

    Attributes:
        group: inputs that share a scale; -1 for all.
        ordered_by_activation: ``desc_act``: the groups are scattered, and only ``g_idx`` says how.
        zero_offset: what stored zeros lack.
    """

    group: int
    ordered_by_activation: bool
    zero_offset: int


def read_gptq(raw: Mapping[str, object], path: Path) -> GptqSettings | None:
    """Read ``quantization_config``; None if the checkpoint is not quantised.

    Args:
        raw: ``config.json``.
        path: of the file, for messages.

    Raises:
        InputError: a field is missing or of the wrong type.
        UnsupportedError: it is quantised in a way that is not known.
    """
    settings = raw.get("quantization_config")
    if not settings:
        return None
    method = settings.get("quant_method") if isinstance(settings, dict) else None
    if not isinstance(settings, dict) or method != "gptq":
        raise UnsupportedError(
            f"{path}: a quantised checkpoint (quant_method {method!r}); expected float weights or 'gptq'; "
            "convert the original model"
        )
    bits = get(settings, "bits", int, path)
    layout = get(settings, "checkpoint_format", str, path, "gptq")
    if bits != BITS or layout not in ZERO_OFFSETS:
        raise UnsupportedError(
            f"{path}: GPTQ with {bits} bits in checkpoint_format {layout!r}; expected {BITS} bits in one of "
            f"{', '.join(ZERO_OFFSETS)}; convert the original model"
        )
    return GptqSettings(
        get(settings, "group_size", int, path), get(settings, "desc_act", bool, path, False), ZERO_OFFSETS[layout]
    )


@dataclass(frozen=True, slots=True)
class GptqTensor:
    """One packed matrix as a source of float32 weights.

    Attributes:
        name: as the float model calls it.
        shape: (O, I).
        parts: ``qweight``, ``qzeros`` and ``scales``.
        groups: each input's group, shape (I,), or where it lies.
        zero_offset: what stored zeros lack.
    """

    name: str
    shape: tuple[int, int]
    parts: Mapping[str, TensorRef]
    groups: TensorRef | int
    zero_offset: int

    @property
    def file(self) -> Path:
        """Where the packed weights lie."""
        return self.parts["qweight"].file

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return self.shape[0] * self.shape[1]

    def read(self) -> Float32Array:
        """All weights, shape (O, I). Raises as ``rows`` does."""
        return self.rows(0, self.shape[0])

    def rows(self, start: int, stop: int) -> Float32Array:
        """Weights of outputs ``start`` to ``stop``, shape (stop - start, I).

        Memory: the packed matrix (an eighth of its float form) and three times the block.

        Raises:
            InputError: a scale is NaN or infinite, or an input belongs to no group.
        """
        scales = self.parts["scales"].read()[:, start:stop]  # (G, rows)
        zeros = unpack(self.parts["qzeros"].read_integers().T).T[:, start:stop] + np.int8(self.zero_offset)
        quants = unpack(self.parts["qweight"].read_integers()[:, start:stop])  # (I, rows)
        groups = self._groups(len(scales))
        quants -= zeros[groups]
        weights = scales[groups]
        weights *= quants
        return np.ascontiguousarray(weights.T)

    def _groups(self, count: int) -> npt.NDArray[np.int32]:
        if isinstance(self.groups, int):
            return np.arange(self.shape[1], dtype=np.int32) // np.int32(self.groups)
        groups = self.groups.read_integers()
        if groups.min(initial=0) < 0 or groups.max(initial=0) >= count:
            raise InputError(
                f"{self.groups.file}: {self.groups.name} names group {int(groups.max())}; there are {count}; "
                "copy or download the folder again"
            )
        return groups


def unpack(words: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """Eight 4-bit numbers of each word, lowest bits first, along the first axis: (N, M) becomes (8 N, M)."""
    shifts = np.arange(0, 32, BITS, dtype=np.uint32)[None, :, None]
    numbers = (np.ascontiguousarray(words).view(np.uint32)[:, None, :] >> shifts) & np.uint32(2**BITS - 1)
    return numbers.astype(np.int8).reshape(len(words) * _PER_WORD, words.shape[1])


def unpacked(
    refs: Mapping[str, TensorRef], settings: GptqSettings, known: Container[str]
) -> tuple[dict[str, WeightSource], int]:
    """The checkpoint as the float model's: packed matrices after all others, in the order of their names.

    AutoGPTQ gives every layer a bias, also where the model has none; those are zero and are left out.

    Args:
        refs: all tensors of the checkpoint.
        settings: of its quantisation.
        known: names that the float model has.

    Returns:
        The sources by name, and how many empty biases were left out.

    Raises:
        InputError: a part is missing or of the wrong shape.
        UnsupportedError: a bias that the model has no place for is not zero.
    """
    packed = [name.removesuffix(".qweight") for name in refs if name.endswith(".qweight")]
    parts = {f"{base}.{part}" for base in packed for part in _PARTS}
    sources: dict[str, WeightSource] = {name: ref for name, ref in refs.items() if name not in parts}
    empty = [name for base in packed if (name := f"{base}.bias") in sources and name not in known]
    for name in empty:
        if refs[name].read().any():
            raise UnsupportedError(
                f"{refs[name].file}: {name} is not zero, and the model has no place for it; convert the original model"
            )
        del sources[name]
    sources.update({f"{base}.weight": _tensor(base, refs, settings) for base in packed})
    return sources, len(empty)


def _tensor(base: str, refs: Mapping[str, TensorRef], settings: GptqSettings) -> GptqTensor:
    found = {part: refs[f"{base}.{part}"] for part in _PARTS if f"{base}.{part}" in refs}
    file = found["qweight"].file
    missing = [part for part in _PARTS[:3] if part not in found]
    if missing or ("g_idx" not in found and settings.ordered_by_activation):
        raise InputError(
            f"{file}: the checkpoint lacks {base}.{(missing or ['g_idx'])[0]}; expected {', '.join(_PARTS)}; "
            "copy or download the folder again"
        )
    words, outputs = found["qweight"].shape
    inputs = words * _PER_WORD
    size = inputs if settings.group == -1 else settings.group
    groups = -(-inputs // size) if size > 0 else 0
    shapes = {"qzeros": (groups, outputs // _PER_WORD), "scales": (groups, outputs), "g_idx": (inputs,)}
    for part, shape in shapes.items():
        if part in found and found[part].shape != shape:
            raise InputError(
                f"{file}: {base}.{part} has shape {list(found[part].shape)}; {base}.qweight and groups of {size} say "
                f"{list(shape)}; use the config.json that belongs to these weights"
            )
    return GptqTensor(f"{base}.weight", (outputs, inputs), found, found.get("g_idx", size), settings.zero_offset)
