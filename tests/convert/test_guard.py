"""From a Detoxify checkpoint to an int8 ONNX guard, on tiny real models: parity, labels, thresholds, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer

from convert.build.bundle import read_guard
from convert.errors import CheckError, InputError
from convert.guard.calibration import Limits
from convert.guard.detoxify import load_detoxify
from convert.guard.export import FLOAT32, UNCALIBRATED, ExportOptions, Logits, export_float32, export_guard
from convert.guard.onnxscore import OVERLAP_TOKENS, WINDOW_TOKENS, Scorer
from convert.guard.samples import Sample
from convert.guard.tokenizer import read_tokenizer, roberta_tokenizer
from convert.onnx.parity import parity, require_parity
from convert.onnx.tokenizer import open_tokenizer
from models.bundle import GUARD, GUARD_TOKENIZER, sha256_of
from models.manifest import MANIFEST, GuardModel, read_manifest
from tests.convert.tiny_guard import (
    CLASSES,
    VOCABULARY,
    Spec,
    random_model,
    write_checkpoint,
    write_tokenizer,
    write_vocab,
)
from tests.paths import DEMO

TEXTS = ("please refund my order", "you idiot!", "damn", "the the the", "zebra, you", "", "my damn order " * 9)


@pytest.fixture
def vocab(tmp_path: Path) -> Path:
    return write_vocab(tmp_path / "vocab.txt")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "tiny.ckpt")
    return tmp_path / "tiny.ckpt"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[GuardModel, Path]:
    """The default tiny checkpoint, exported without samples."""
    folder = tmp_path_factory.mktemp("exported")
    write_checkpoint(folder / "tiny.ckpt")
    vocab = write_vocab(folder / "vocab.txt")
    return export_guard(folder / "tiny.ckpt", vocab, folder / "guard"), folder / "guard"


def reference(model: torch.nn.Module, words: Tokenizer, text: str) -> np.ndarray:
    """What the original model says, (outputs,) probabilities."""
    with torch.inference_mode():
        return torch.sigmoid(model(input_ids=torch.tensor([words.encode(text).ids])).logits)[0].numpy()


def test_the_int8_guard_says_about_the_same(exported: tuple[GuardModel, Path]) -> None:
    folder = exported[1]
    words = Tokenizer.from_file(str(folder / "guard-tokenizer.json"))
    found = Scorer(folder / "guard.onnx", words).probabilities(TEXTS)
    model = random_model(Spec())
    expected = np.stack([reference(model, words, text) for text in TEXTS])
    assert np.abs(found - expected).mean() < 0.03
    matrices = [tensor for tensor in onnx.load(folder / "guard.onnx").graph.initializer if np.prod(tensor.dims) > 500]
    assert len(matrices) > 10
    assert {tensor.data_type for tensor in matrices} == {onnx.TensorProto.UINT8}  # signed ones saturate on some x86


def test_the_guard_has_the_face_that_the_runtime_expects(exported: tuple[GuardModel, Path]) -> None:
    made, folder = exported
    session = onnxruntime.InferenceSession(str(folder / "guard.onnx"))
    assert {i.name: (i.type, len(i.shape)) for i in session.get_inputs()} == dict.fromkeys(
        ("input_ids", "attention_mask", "token_type_ids"), ("tensor(int64)", 2)
    )
    assert [(o.name, o.type) for o in session.get_outputs()] == [("logits", "tensor(float)")]
    assert {path.name for path in folder.iterdir()} == {"guard.onnx", "guard-tokenizer.json", "guard.json"}
    assert read_guard(folder) == made
    assert made.labels == CLASSES and made.thresholds == dict.fromkeys(CLASSES, UNCALIBRATED)


def roberta_words(folder: Path) -> Tokenizer:
    """A tiny RoBERTa's own tokenizer."""
    return roberta_tokenizer(write_tokenizer(folder / "bpe", "roberta"))


def test_segments_and_unreported_outputs_are_left_out_where_there_are_none(tmp_path: Path) -> None:
    spec = Spec("roberta", identity_classes=("male", "female"), outputs=5, num_classes=5)
    words = roberta_words(tmp_path)
    model = write_checkpoint(tmp_path / "tiny.ckpt", spec, words.get_vocab_size())
    made = export_guard(tmp_path / "tiny.ckpt", tmp_path / "bpe", tmp_path / "guard")
    session = onnxruntime.InferenceSession(str(tmp_path / "guard" / "guard.onnx"))
    assert [entry.name for entry in session.get_inputs()] == ["input_ids", "attention_mask"]
    found = Scorer(tmp_path / "guard" / "guard.onnx", words).probabilities(["you idiot"])
    assert made.labels == CLASSES and found.shape == (1, 3)
    assert np.abs(found[0] - reference(model, words, "you idiot")[:3]).max() < 0.1


def test_a_tokenizer_of_another_model_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    larger = tmp_path / "larger.txt"
    larger.write_text("\n".join([*VOCABULARY, "stranger"]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="own tokenizer"):
        export_guard(checkpoint, larger, tmp_path / "guard")
    with pytest.raises(InputError, match="no tokenizer"):
        export_guard(checkpoint, tmp_path / "nowhere", tmp_path / "guard")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        export_guard(checkpoint, tmp_path / "tokenizer.json", tmp_path / "guard")
    assert not (tmp_path / "guard").exists()


def test_parity_notices_another_model(checkpoint: Path, tmp_path: Path) -> None:
    source = load_detoxify(checkpoint)
    assert export_float32(source, tmp_path / "float32.onnx") <= 1e-4
    with torch.no_grad():
        source.model.classifier.bias += 0.01
    module = Logits(source).eval()
    found = parity(module, tmp_path / "float32.onnx", segments=True, vocabulary=len(VOCABULARY), tokens=160)
    assert found == pytest.approx(0.01, abs=1e-4)
    with pytest.raises(CheckError, match=r"setup\.cfg"):
        require_parity(checkpoint, found)
    with pytest.raises(CheckError):
        require_parity(checkpoint, float("nan"))


def test_the_float32_model_stays_if_asked_for(checkpoint: Path, vocab: Path, tmp_path: Path) -> None:
    made = export_guard(checkpoint, vocab, tmp_path / "guard", (), ExportOptions(float32=True, origin="here"))
    words = read_tokenizer(vocab, len(VOCABULARY))
    whole = Scorer(tmp_path / "guard" / FLOAT32, words).probabilities(TEXTS)
    assert np.abs(whole - np.stack([reference(random_model(Spec()), words, text) for text in TEXTS])).max() < 1e-4
    assert made.calibration["checkpoint"] == {"origin": "here", "sha256": sha256_of(checkpoint)}


def samples(count: int) -> list[Sample]:
    """Random words, a third of them toxic, a third of the others legitimate."""
    rng = np.random.default_rng(0)
    words = VOCABULARY[57:]
    made = []
    for number in range(count):
        text = " ".join(rng.choice(words, rng.integers(1, 12)).tolist())
        target = float(number % 3 == 0)
        kind = "requests" if number % 3 == 1 else "comments"
        made.append(Sample(text, {"toxicity": target, "obscene": target}, kind, kind == "requests", number % 5 == 0))
    return made


def test_thresholds_keep_their_limits_on_the_int8_model(checkpoint: Path, vocab: Path, tmp_path: Path) -> None:
    given, limits = samples(300), Limits(legitimate=0.05, kind=0.1, other=0.2, lowest=0.0, highest=1.0)
    made = export_guard(checkpoint, vocab, tmp_path / "guard", given, ExportOptions(limits=limits, data=("made-up",)))
    own = [sample for sample in given if not sample.test]
    words = read_tokenizer(vocab, len(VOCABULARY))
    scores = Scorer(tmp_path / "guard" / "guard.onnx", words).probabilities([sample.text for sample in own])
    for column, label in enumerate(CLASSES[:2]):
        alarm = scores[:, column] >= made.thresholds[label]
        legitimate = np.array([sample.legitimate for sample in own])
        calm = np.array([sample.targets[label] < 0.5 for sample in own])
        assert alarm[legitimate & calm].mean() <= 0.05
        assert alarm[~legitimate & calm].mean() <= 0.2
    record = json.loads((tmp_path / "guard" / "guard.json").read_text(encoding="utf-8"))["calibration"]
    assert record["data"] == ["made-up"]
    assert record["calibrated_on"]["toxicity"]["samples"] == 240 and record["test"]["toxicity"]["samples"] == 60
    assert record["int8"]["texts"] == 60 and record["int8"]["toxicity"]["same_decision"] > 0.8


def test_targets_for_labels_that_the_model_lacks_are_refused(checkpoint: Path, vocab: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="threat"):
        export_guard(checkpoint, vocab, tmp_path / "guard", [Sample("x", {"threat": 1.0}, "s")])


def test_a_long_text_scores_as_its_worst_window(checkpoint: Path, vocab: Path, tmp_path: Path) -> None:
    source = load_detoxify(checkpoint)
    words = read_tokenizer(vocab, source.vocabulary)
    export_float32(source, tmp_path / "float32.onnx")
    text = "the order " * WINDOW_TOKENS + "you idiot damn " * 20
    cut = Tokenizer.from_str(words.to_str())
    cut.enable_truncation(WINDOW_TOKENS, stride=OVERLAP_TOKENS)
    first = cut.encode(text)
    windows = [first.ids, *(window.ids for window in first.overflowing)]
    with torch.inference_mode():
        each = [torch.sigmoid(source.model(input_ids=torch.tensor([ids])).logits)[0].numpy() for ids in windows]
    found = Scorer(tmp_path / "float32.onnx", words).probabilities([text, "you"])
    assert len(windows) > 2 and np.abs(found[0] - np.max(each, axis=0)).max() < 1e-4
    assert Scorer(tmp_path / "float32.onnx", words).probabilities([]).size == 0


#: Written for this test and standing in no training data.
ANGRY = (
    "why the hell hasn't my bloody sofa arrived",
    "I'm so fed up with this damn delivery, send me the refund",
    "the kettle is complete shit, I want to return it",
    "for the third time: cancel the fucking subscription",
    "holy crap, you charged me twice, fix it please",
    "goddammit, I forgot my password again",
    "this bill makes no damn sense",
    "I need the freaking invoice today",
    "I'm pissed, the parcel was left in the rain",
    "退款怎么还没到，真他妈慢",
)
HOSTILE = (
    "you are a complete idiot and so is your boss",
    "go fuck yourself, you lying bastards",
    "shut your mouth, you stupid cow",
    "I hope you and your family die",
    "all of you immigrants are filthy animals",
    "you dumb piece of trash, give me my money",
    "listen, moron, nobody likes you",
    "你们全都是傻逼，去死吧",
)


@pytest.mark.skipif(not (DEMO / MANIFEST).is_file(), reason="models/demo has not been built")
def test_the_shipped_guard_tells_anger_from_abuse() -> None:
    guard = read_manifest(DEMO).guard
    scorer = Scorer(DEMO / GUARD, open_tokenizer(DEMO / GUARD_TOKENIZER))
    column, at = guard.labels.index("toxicity"), guard.thresholds["toxicity"]
    angry, hostile = (scorer.probabilities(texts)[:, column] >= at for texts in (ANGRY, HOSTILE))
    assert angry.sum() <= 1 and hostile.sum() >= len(HOSTILE) - 1
