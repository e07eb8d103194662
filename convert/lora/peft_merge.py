"""Merge what only PEFT can fold in (DoRA, saved modules, embeddings), in float32, with the whole model in memory."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file

from convert.checkpoint.weights import Float32Array
from convert.errors import InputError, UnsupportedError
from convert.fidelity.reference import load_base
from convert.lora.adapter import WEIGHTS, Adapter


class PeftPatch:
    """Replaces every tensor by what PEFT made of it.

    Memory: the model in float32.
    """

    def __init__(self, base: Path, adapter: Adapter) -> None:
        """Load the base, put the adapter on it and merge.

        Raises:
            InputError: the adapter does not fit the base, or a tensor of it would not be applied; names it.
        """
        self._merged = _merge(base, adapter)
        self._left = set(self._merged)
        self._adapter = adapter

    def apply(self, name: str, weights: Float32Array, start: int = 0) -> Float32Array:
        """The merged rows; ``weights`` as they are for a buffer that the model does not load.

        Args:
            name: of the base's tensor.
            weights: all of its rows, or a block of them.
            start: number of the block's first row.

        Raises:
            InputError: the merged tensor has another shape, or is not finite.
        """
        merged = self._merged.get(name)
        if merged is None:
            return weights
        values = np.asarray(merged.numpy(), dtype=np.float32)[start : start + len(weights)]
        if values.shape != weights.shape:
            raise InputError(
                f"{self._adapter.folder}: makes {name} of shape {list(values.shape)}; the base has "
                f"{list(weights.shape)}; an adapter that adds tokens needs a base whose embedding has room for them"
            )
        if not np.isfinite(values).all():
            raise InputError(
                f"{self._adapter.folder}: makes {name} NaN or infinite; expected finite weights; train it again"
            )
        self._left.discard(name)
        return values

    def finish(self) -> None:
        """Raise if the merged model has a tensor that the base's files have not.

        Raises:
            UnsupportedError: names it.
        """
        left = sorted(self._left - {"lm_head.weight"})  # a head that is the embedding is listed by torch, not stored
        if left:
            raise UnsupportedError(
                f"{self._adapter.folder}: PEFT makes {left[0]}, which the base does not have; train it without biases"
            )


def _merge(base: Path, adapter: Adapter) -> Mapping[str, torch.Tensor]:
    model = load_base(base)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about missing keys, which are compared below
            wrapped = PeftModel.from_pretrained(model, adapter.folder)
    except (RuntimeError, ValueError, KeyError) as error:  # what PEFT and torch raise for tensors that do not fit
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{adapter.folder}: PEFT cannot put it on {base} ({reason}); pass the base that it was trained on"
        ) from error
    _refuse_unapplied(wrapped, adapter)
    merged: Mapping[str, torch.Tensor] = wrapped.merge_and_unload().state_dict()
    return merged


def _refuse_unapplied(wrapped: PeftModel, adapter: Adapter) -> None:
    """Compare what the model holds now with the file, value by value: PEFT itself only warns."""
    stored = load_file(adapter.folder / WEIGHTS)
    held = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    wrong = sorted(set(stored) ^ set(held))
    wrong += [
        name for name in sorted(set(stored) & set(held)) if not torch.equal(stored[name].float(), held[name].float())
    ]
    if wrong:
        raise InputError(
            f"{adapter.folder / WEIGHTS}: {wrong[0]} is not what the model has after loading; every tensor must be "
            "applied; copy the adapter again, or save it again with PEFT's save_pretrained"
        )
