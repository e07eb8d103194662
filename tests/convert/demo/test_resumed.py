"""What an exported guard still knows of the weights it was made from."""

from __future__ import annotations

from pathlib import Path

import torch

from convert.demo.resumed import exported_weights
from convert.guard.export import export_guard
from models.bundle import GUARD
from tests.convert.tiny_guard import write_checkpoint, write_vocab


def test_every_weight_comes_back_but_for_the_rounding(tmp_path: Path) -> None:
    checkpoint = tmp_path / "tiny.ckpt"
    write_checkpoint(checkpoint)
    export_guard(checkpoint, write_vocab(tmp_path / "vocab.txt"), tmp_path / "guard")
    trained = torch.load(checkpoint, weights_only=True)["state_dict"]
    found = exported_weights(tmp_path / "guard" / GUARD)
    assert {name for name in trained if name.endswith("dense.weight")} <= set(found) <= set(trained)
    for name, weight in found.items():
        # Eight bits over six deviations, and columns that share a scale though smoothing drew them apart: 1 to 2 %.
        lost = (weight - trained[name]).norm().item()
        assert lost <= 0.03 * trained[name].norm().item(), name
