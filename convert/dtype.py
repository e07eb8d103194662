"""Which number format this machine trains in."""

from __future__ import annotations

from pathlib import Path

import torch


def fast_dtype() -> torch.dtype:
    """bfloat16 where the processor multiplies it in hardware; elsewhere it is many times slower than float32."""
    if torch.cuda.is_available():
        return torch.bfloat16
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    return torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else torch.float32
