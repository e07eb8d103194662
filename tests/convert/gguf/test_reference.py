"""Llama, Llama 3, Qwen2, Qwen3 and GPTQ, byte for byte against llama.cpp's own converter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from convert.gguf.source import GgufSource, read_source
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from convert.quantization.libllama import GgufModel
from tests.convert.gguf.checkpoints import KINDS, real, to_gptq, write_checkpoint
from tests.convert.gguf.lines import COUNT, lines
from tests.convert.gguf.reference import convert, difference, find_reference, run
from tests.convert.gguf.variants import LLAMA, VARIANTS, Variant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def reference() -> Path:
    return find_reference()


@pytest.fixture(scope="module")
def models(reference: Path, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each family; the reference knows a pre-tokenizer only by a hash that the real vocabulary has."""
    root = tmp_path_factory.mktemp("families")
    plain = {family: Variant(family, torch.bfloat16) for family in (LLAMA, *KINDS)}
    return {family: plain[family].write(root / f"Tiny-{family}-Chat-1M-v2", tokenizer, reference) for family in plain}


def compare(folder: Path, precision: Precision, reference: Path, tmp_path: Path) -> str:
    """In what both converters differ; large files are not left behind."""
    theirs = convert(reference, folder, precision.value, tmp_path / "theirs.gguf")
    ours = write_gguf(read_source(folder, precision), tmp_path / "ours.gguf")
    found = difference(ours, theirs)
    theirs.unlink()
    ours.unlink()
    return found


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("family", [LLAMA, *KINDS])
def test_every_byte_is_the_references(
    family: str, precision: Precision, models: dict[str, Path], reference: Path, tmp_path: Path
) -> None:
    assert compare(models[family], precision, reference, tmp_path) == ""


@pytest.mark.parametrize("variant", VARIANTS)
def test_published_variants_have_every_byte_of_the_references(
    variant: str, tokenizer: Path, reference: Path, tmp_path: Path
) -> None:
    folder = VARIANTS[variant].write(tmp_path / "Tiny-Chat-1M-v2", tokenizer, reference)
    assert compare(folder, Precision.F16, reference, tmp_path) == ""


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_gptq_has_every_byte_of_the_references(
    symmetric: bool, scattered: bool, reference: Path, tmp_path: Path
) -> None:
    plain = write_checkpoint(tmp_path / "Tiny-1M", "qwen2", real("qwen2", reference), torch.float16)
    folder = to_gptq(plain, tmp_path / "Tiny-1M-GPTQ", symmetric=symmetric, scattered=scattered)
    assert compare(folder, Precision.F16, reference, tmp_path) == ""


@pytest.mark.parametrize("family", KINDS)
def test_the_real_vocabulary_and_llama_cpp_split_two_thousand_lines_alike(
    family: str, models: dict[str, Path], tmp_path: Path
) -> None:
    path = write_gguf(read_source(models[family]), tmp_path / "m.gguf")
    tokenizer = Tokenizer.from_file(str(models[family] / "tokenizer.json"))
    texts = lines([*KINDS[family].special, *KINDS[family].added])
    with GgufModel(path, vocab_only=True) as llama:
        wrong = [t for t in texts if llama.encode(t) != tokenizer.encode(t, add_special_tokens=False).ids]
    assert (len(texts), wrong) == (COUNT, [])


def test_the_reference_runs_with_its_own_gguf_package(reference: Path) -> None:
    done = run(reference, "--help", options=("-v",))  # -v: Python says what it loads, and from where
    assert done.returncode == 0
    assert str(reference / "gguf-py" / "gguf" / "__init__.py") in done.stderr
    assert "site-packages/gguf/" not in done.stderr


def other_score(source: GgufSource) -> GgufSource:
    scores = (*source.vocabulary.scores[:-1], source.vocabulary.scores[-1] + 1)
    return replace(source, vocabulary=replace(source.vocabulary, scores=scores))


#: What is changed -> how, and what must be found.
CHANGES: dict[str, tuple[Callable[[GgufSource], GgufSource], str]] = {
    "nothing": (lambda source: source, ""),
    "name": (lambda source: replace(source, name="Another"), "key general.name"),
    "epsilon": (
        lambda source: replace(source, config=replace(source.config, rms_eps=2e-5)),
        "key llama.attention.layer_norm_rms_epsilon",
    ),
    "file type": (lambda source: replace(source, precision=Precision.BF16), "key general.file_type"),
    "one score": (other_score, "key tokenizer.ggml.scores"),
    "last tensor": (lambda source: replace(source, tensors=source.tensors[:-1]), "20 tensors in place of 21"),
    "order of tensors": (
        lambda source: replace(source, tensors=(source.tensors[1], source.tensors[0], *source.tensors[2:])),
        "tensor token_embd.weight in place of output.weight",
    ),
}


def test_a_changed_key_or_tensor_is_found_and_named(models: dict[str, Path], reference: Path, tmp_path: Path) -> None:
    theirs = convert(reference, models[LLAMA], "f16", tmp_path / "theirs.gguf")
    source = read_source(models[LLAMA], Precision.F16)
    found = {
        name: difference(write_gguf(edit(source), tmp_path / "o.gguf"), theirs) for name, (edit, _) in CHANGES.items()
    }
    assert found == {name: expected for name, (_, expected) in CHANGES.items()}
