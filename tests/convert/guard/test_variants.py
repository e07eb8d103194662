"""The five published variants: each architecture is exported as it was, with its own labels and its own tokenizer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer

from convert.errors import InputError
from convert.guard.detoxify import load_detoxify
from convert.guard.export import FLOAT32, ExportOptions, export_float32, export_guard
from convert.guard.exported import shortfalls
from convert.guard.onnxscore import Scorer
from convert.guard.tokenizer import BUILDERS
from convert.guard.variants import VARIANTS as PUBLISHED
from convert.guard.variants import Variant, find_source, require_sha256
from models.bundle import GUARD, sha256_of
from models.manifest import GuardModel
from tests.convert.tiny_guard import VARIANTS, random_model, write_checkpoint, write_tokenizer

TEXTS = ("please refund my order", "you idiot!", "the café, 25, 3000", "", "退款 还没 到", "my order is late " * 7)

LABELS = {
    "original": ["toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"],
    "unbiased": ["toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit"],
}


def test_every_published_variant_is_tried() -> None:
    assert set(VARIANTS) == set(PUBLISHED)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_exported_as_it_was(name: str, tmp_path: Path) -> None:
    spec = VARIANTS[name]
    file = write_tokenizer(tmp_path / "words", spec.family)
    words = BUILDERS[file.name](file)
    model = write_checkpoint(tmp_path / "tiny.ckpt", spec, words.get_vocab_size())
    made = export_guard(tmp_path / "tiny.ckpt", tmp_path / "words", tmp_path / "guard", (), ExportOptions(float32=True))
    assert list(made.labels) == LABELS["original" if name.startswith("original") else "unbiased"]
    assert float(str(made.calibration["float32_onnx_max_logit_difference"])) <= 1e-4
    assert onnx.load(tmp_path / "guard" / FLOAT32).opset_import[0].version == 17
    whole = Scorer(tmp_path / "guard" / FLOAT32, words).probabilities(TEXTS)  # padded, in batches
    small = Scorer(tmp_path / "guard" / GUARD, words).probabilities(TEXTS)
    with torch.inference_mode():
        expected = [model(input_ids=torch.tensor([words.encode(text).ids])).logits[0] for text in TEXTS]
    probabilities = torch.sigmoid(torch.stack(expected))[:, : len(made.labels)].numpy()
    assert np.abs(whole - probabilities).max() <= 1e-4
    assert np.abs(small - probabilities).mean() < (0.1 if "small" in name else 0.05)  # ALBERT shares one matrix
    assert probabilities.std(axis=0).min() > 0.01  # a model that says the same of every text would prove nothing


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_the_published_size_is_exported_as_it_was(name: str, tmp_path: Path) -> None:
    spec = VARIANTS[name].but(full_size=True)
    write_checkpoint(tmp_path / "whole.ckpt", spec)
    source = load_detoxify(tmp_path / "whole.ckpt")
    assert export_float32(source, tmp_path / "float32.onnx") <= 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / "float32.onnx"))
    assert session.get_inputs()[0].name == "input_ids" and source.tokens == 512
    assert source.vocabulary == {"bert": 30522, "roberta": 50265, "xlm-roberta": 250002, "albert": 30000}[spec.family]


class Requests(SimpleHTTPRequestHandler):
    """A folder over HTTP; what ends with ``.cut`` breaks off in the middle."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.endswith(".cut"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    write_checkpoint(tmp_path / "served" / "tiny.ckpt", VARIANTS["original"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Requests, directory=str(tmp_path / "served")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_variant_is_downloaded_once(host: str, tmp_path: Path) -> None:
    variants = {"tiny": Variant(f"{host}/tiny.ckpt", "nobody/nothing")}
    told: list[tuple[int, int]] = []
    words = write_tokenizer(tmp_path / "words", "bert")
    cache = tmp_path / "cache"
    found = find_source(
        "tiny", words, lambda _, done, total: told.append((done, total)), cache=cache, variants=variants
    )
    assert found.origin == f"{host}/tiny.ckpt" and found.checkpoint == cache / "tiny.ckpt"
    assert require_sha256(found.checkpoint, None) == sha256_of(tmp_path / "served" / "tiny.ckpt")
    assert told[-1][0] == told[-1][1] == found.checkpoint.stat().st_size
    assert load_detoxify(found.checkpoint).labels == tuple(LABELS["original"])
    (tmp_path / "served" / "tiny.ckpt").unlink()
    assert find_source("tiny", words, cache=cache, variants=variants) == found


@pytest.mark.parametrize("end", ["missing.ckpt", "tiny.cut"])
def test_what_cannot_be_downloaded_is_refused_and_leaves_nothing(host: str, end: str, tmp_path: Path) -> None:
    variants = {"tiny": Variant(f"{host}/{end}", "nobody/nothing")}
    with pytest.raises(InputError, match=r"tiny: http.*curl -LO"):
        find_source("tiny", cache=tmp_path / "cache", variants=variants)
    assert not list((tmp_path / "cache").glob("*")) if (tmp_path / "cache").exists() else True


def test_without_a_network_the_published_address_is_named(tmp_path: Path) -> None:
    nobody = {"original": Variant("http://127.0.0.1:9/toxic_original-c1212f89.ckpt", "nobody/nothing")}
    with pytest.raises(InputError, match=r"cannot be downloaded .*curl -LO http://127"):
        find_source("original", cache=tmp_path, variants=nobody)
    with pytest.raises(InputError, match=r"orginal: no such file, and no variant .* original, unbiased"):
        find_source("orginal")


def test_another_digest_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match="expected 00"):
        require_sha256(tmp_path / "tiny.ckpt", "00")


def test_a_variant_needs_its_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "tiny.ckpt").write_bytes(b"there")
    with pytest.raises(InputError, match=r"tokenizer of nobody/nothing .* --tokenizer DIR"):
        find_source(
            "tiny", cache=tmp_path, variants={"tiny": Variant("http://127.0.0.1:9/tiny.ckpt", "nobody/nothing")}
        )


def test_what_int8_costs_is_held_against_the_limits() -> None:
    good = {"same_decision": 0.99, "auc_lost": 0.003}
    bad = {"same_decision": 0.985, "auc_lost": 0.0064}
    made = GuardModel(("a", "b"), {"a": 0.5, "b": 0.5}, {"int8": {"texts": 9, "a": good, "b": bad}})
    assert [line.partition(":")[0] for line in shortfalls(made)] == ["b", "b"]
    assert shortfalls(GuardModel(("a",), {"a": 0.5}, {"int8": {"a": {"same_decision": 1.0, "auc_lost": None}}})) == []
    assert shortfalls(GuardModel(("a",), {"a": 0.5}, {})) == []


def test_the_reference_model_is_the_same_each_time() -> None:
    first, second = (random_model(VARIANTS["original"]).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_words_are_read_by_every_family(tmp_path: Path) -> None:
    for family in ("bert", "roberta", "xlm-roberta", "albert"):
        file = write_tokenizer(tmp_path / family, family)
        words: Tokenizer = BUILDERS[file.name](file)
        assert words.encode("refund my order").ids[1:-1] and words.encode("").ids
