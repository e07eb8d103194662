"""Time and memory of our way to a merged Q4_K_M beside the usual one: ``python -m tests.convert.compare_reference``.

The usual way is three programs: PEFT's merge_and_unload in float32, llama.cpp's convert_hf_to_gguf.py, llama-quantize.
Ours is ``convert gguf`` and ``convert quantize``. Both start from the same folder of TinyLlama-1.1B's shape with random
weights, the real Llama vocabulary and an r=16 adapter, and the quantised files are compared tensor by tensor.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import gguf
import numpy as np

from tests.convert.lora import full_size
from tests.convert.lora.measure import Measured, measure

#: The merge as PEFT's documentation has it, in float32; the tokenizer is copied, which transformers 5 does not save.
PEFT_MERGE = """
import shutil, sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base, adapter, out = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(out)
for name in ("tokenizer.model", "tokenizer_config.json"):
    shutil.copy(f"{base}/{name}", f"{out}/{name}")
"""

Steps = Mapping[str, list[str]]


def reference_steps(work: Path, llama: Path, quantizer: Path) -> Steps:
    """The usual three programs."""
    merged, out = work / "reference" / "tinyllama", work / "reference"
    convert = [
        str(llama / "convert_hf_to_gguf.py"),
        str(merged),
        "--outtype",
        "f16",
        "--outfile",
        str(out / "f16.gguf"),
    ]
    return {
        "PEFT merge": [sys.executable, "-c", PEFT_MERGE, *map(str, (work / "tinyllama", work / "adapter", merged))],
        "convert_hf_to_gguf.py": [sys.executable, *convert],
        "llama-quantize": [str(quantizer), str(out / "f16.gguf"), str(out / "q4.gguf"), "Q4_K_M", str(os.cpu_count())],
    }


def our_steps(work: Path) -> Steps:
    """Our two commands."""
    convert, out = [sys.executable, "-m", "convert"], work / "ours"
    joined = ["--base", str(work / "tinyllama"), "--adapter", str(work / "adapter"), "--out", str(out / "f16.gguf")]
    return {
        "convert gguf": [*convert, "gguf", *joined],
        "convert quantize": [*convert, "quantize", str(out / "f16.gguf"), str(out / "q4.gguf")],
    }


def run(steps: Steps, folder: Path) -> dict[str, Measured]:
    """All steps in order, in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    taken = {}
    for name, command in steps.items():
        taken[name] = measure(command)
        sys.stderr.write(f"{name}: {taken[name]}\n")
    return taken


def differing_bytes(ours: Path, reference: Path) -> float:
    """The share of bytes in which the tensors of two quantised files differ; merging rounds in another order."""
    left, right = ({t.name: t for t in gguf.GGUFReader(path).tensors} for path in (ours, reference))
    if {n: t.tensor_type for n, t in left.items()} != {n: t.tensor_type for n, t in right.items()}:
        raise RuntimeError(f"{ours} and {reference} hold other tensors or types; expected the same")
    wrong = sum(int(np.count_nonzero(t.data.view(np.uint8) != right[n].data.view(np.uint8))) for n, t in left.items())
    return wrong / sum(int(tensor.n_bytes) for tensor in left.values())


def compare(work: Path, llama: Path, quantizer: Path, turns: int) -> dict[str, object]:
    """Both ways in turns; the fastest turn of each counts, for other work on the machine only ever adds."""
    if not (work / "tinyllama").is_dir():
        vocabulary = llama / "models" / "ggml-vocab-llama-spm.gguf"
        full_size.write_model(work / "tinyllama", full_size.write_llama_tokenizer(work / "tokenizer", vocabulary))
        full_size.write_adapter(work / "adapter")
    rounds = []
    for _ in range(turns):
        reference = run(reference_steps(work, llama, quantizer), work / "reference")
        ours = run(our_steps(work), work / "ours")
        rounds.append({"reference": reference, "ours": ours})
    walls = {way: min(sum(step.wall_s for step in turn[way].values()) for turn in rounds) for way in rounds[0]}
    cpus = {way: min(sum(step.cpu_s for step in turn[way].values()) for turn in rounds) for way in rounds[0]}
    return {
        "threads": os.cpu_count(),
        "turns": [
            {way: {name: asdict(step) for name, step in taken.items()} for way, taken in turn.items()}
            for turn in rounds
        ],
        "wall_s": walls,
        "cpu_s": cpus,
        "wall_ratio": walls["ours"] / walls["reference"],
        "cpu_ratio": cpus["ours"] / cpus["reference"],
        "peak_rss_bytes": {
            way: max(step.peak_rss_bytes for turn in rounds for step in turn[way].values()) for way in rounds[0]
        },
        "differing_bytes": differing_bytes(work / "ours" / "q4.gguf", work / "reference" / "q4.gguf"),
    }


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.convert.compare_reference", description=__doc__)
    parser.add_argument("--sdist", type=Path, required=True, help="unpacked llama-cpp-python sdist")
    parser.add_argument(
        "--quantizer", type=Path, help="llama-quantize; default: vendor/llama.cpp/build/bin of the sdist"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for 15 GB of models")
    parser.add_argument("--turns", type=int, default=1, help="default: 1")
    args = parser.parse_args()
    llama = args.sdist.resolve() / "vendor" / "llama.cpp"
    quantizer = args.quantizer or llama / "build" / "bin" / "llama-quantize"
    if not quantizer.is_file():
        parser.error(f"{quantizer}: no such file; build it: cmake -B build && cmake --build build -t llama-quantize")
    args.work.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(json.dumps(compare(args.work.resolve(), llama, quantizer, args.turns), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
