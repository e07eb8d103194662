"""The model as transformers computes it, in float32: what a converted file is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedModel

from convert.checkpoint.jsonfile import read_json
from convert.checkpoint.weights import Float32Array
from convert.errors import InputError
from convert.lora.adapter import CONFIG


def load_model(base: Path, adapter: Path | None = None) -> PreTrainedModel:
    """The base for inference, with the adapter merged in by PEFT (which knows nothing of ``convert.lora.merge``).

    Raises:
        InputError: base or adapter is missing or malformed.
    """
    model = load_base(base)
    if adapter is not None:
        read_json(adapter / CONFIG)
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return model.eval()


def load_base(folder: Path) -> PreTrainedModel:
    """The base in float32.

    Raises:
        InputError: transformers does not load it.
    """
    try:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"{folder}: transformers does not load it ({reason}); expected a Hugging Face folder"
        ) from error


def logits(model: PreTrainedModel, ids: Sequence[int]) -> Float32Array:
    """Logits of all positions, shape (T, V), of one sequence of T tokens."""
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0]
    return np.asarray(out.numpy(), dtype=np.float32)
