"""The streaming route needs no torch: a build PC of 2 GB can merge, write, quantise and make a file for hot swap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

#: What must not be imported, whether or not it is installed.
HEAVY = ("torch", "transformers", "peft", "datasets", "trl")

SCRIPT = """
import json, sys
from convert.__main__ import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(set(json.loads(sys.argv[2])) & set(sys.modules))]))
"""


def run(*arguments: str | Path) -> tuple[int, list[str]]:
    """Exit code of ``python -m convert`` and the heavy modules that it imported."""
    command = [sys.executable, "-c", SCRIPT, json.dumps([str(word) for word in arguments]), json.dumps(HEAVY)]
    told = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert told.stdout, told.stderr
    code, heavy = json.loads(told.stdout.splitlines()[-1])
    return code, heavy


@pytest.mark.parametrize("command", ["gguf", "merge", "adapter"])
def test_a_plain_adapter_is_converted_without_torch(command: str, base: Path, adapter: Path, tmp_path: Path) -> None:
    assert run(command, "--base", base, "--adapter", adapter, "--out", tmp_path / "out") == (0, [])
    assert (tmp_path / "out").exists()


def test_quantising_takes_no_torch(f16: Path, tmp_path: Path) -> None:
    assert run("quantize", f16, tmp_path / "q4.gguf", "--threads", "1") == (0, [])


def test_an_adapter_for_peft_does_take_torch(base: Path, tmp_path: Path) -> None:
    from tests.convert import tiny

    folder = tiny.write_adapter(base, tmp_path / "adapter", use_dora=True)
    code, heavy = run("gguf", "--base", base, "--adapter", folder, "--out", tmp_path / "out.gguf")
    assert code == 0
    assert {"torch", "peft"} <= set(heavy)
