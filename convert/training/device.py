"""Which processor trains and measures, and in which number format."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from convert.dtype import fast_dtype


@dataclass(frozen=True, slots=True)
class Device:
    """Where the computing is done.

    Attributes:
        kind: ``cuda``, ``mps`` or ``cpu``.
        name: the graphics card's, or the kind.
        bf16: whether training runs under bfloat16 autocast; else everything is float32.
    """

    kind: str
    name: str
    bf16: bool

    def to_dict(self) -> dict[str, object]:
        """For a report."""
        return {"kind": self.kind, "name": self.name, "numbers": "bfloat16 autocast" if self.bf16 else "float32"}


def pick_device() -> Device:
    """The first of CUDA, Apple's MPS and the processor that is there.

    A processor without bfloat16 instructions is tens of times slower under bfloat16 autocast than in float32, and a
    card without them emulates: there float32 is used.
    """
    if torch.cuda.is_available():
        return Device("cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False))
    if torch.backends.mps.is_available():
        return Device("mps", "mps", bf16=False)
    return Device("cpu", "cpu", bf16=fast_dtype() is torch.bfloat16)
