"""A sentence encoder to int8 ONNX, on tiny real ones: the same vectors, what the file says of itself, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from convert.__main__ import main
from convert.embed.export import EMBED_JSON, EmbedModel, export_encoder, measure
from convert.embed.fidelity import compare
from convert.embed.model import load_encoder
from convert.embed.sentences import SENTENCES, read_sentences
from convert.embed.source import read_encoder
from convert.errors import ConvertError, InputError
from convert.guard.tokenizer import bert_tokenizer
from convert.onnx.session import session_of
from models.manifest import EMBED, EMBED_TOKENIZER
from tests.convert.tiny_guard import VOCABULARY, write_vocab

LONGEST = 24


def write_encoder(folder: Path, pooling: str = "mean_tokens") -> Path:
    """A BERT of two layers, as sentence-transformers saves one."""
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=40,
        initializer_range=0.3,
    )
    transformers.BertModel(config).save_pretrained(folder)
    bert_tokenizer(write_vocab(folder / "vocab.txt")).save(str(folder / "tokenizer.json"))
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    write(
        folder / "modules.json",
        [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds],
    )
    modes = {f"pooling_mode_{name}": name == pooling for name in ("cls_token", "mean_tokens", "max_tokens")}
    (folder / "1_Pooling").mkdir()
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, **modes})
    write(folder / "sentence_bert_config.json", {"max_seq_length": LONGEST})
    return folder


def write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def change(path: Path, **values: object) -> None:
    write(path, {**json.loads(path.read_text(encoding="utf-8")), **values})


def reference(folder: Path, ids: list[int], pooling: str) -> np.ndarray:
    """The sentence's vector by its definition, in transformers alone."""
    with torch.inference_mode():
        model = transformers.BertModel.from_pretrained(folder).eval()
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
    vector = hidden.mean(axis=0) if pooling == "mean_tokens" else hidden[0]
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbedModel, Path]:
    folder = tmp_path_factory.mktemp("encoder")
    return export_encoder(write_encoder(folder / "tiny"), folder / "out"), folder


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_vectors_are_the_originals(pooling: str, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "tiny", pooling)
    made = export_encoder(folder, tmp_path / "out")
    assert made.float32_onnx_max_difference <= 1e-4 and made.pooling == pooling.partition("_")[0]
    words = Tokenizer.from_file(str(tmp_path / "out" / EMBED_TOKENIZER))
    ids = [encoding.ids for encoding in words.encode_batch(list(SENTENCES))]
    found = session_of(tmp_path / "out" / EMBED, words).run_all(ids)  # padded, in batches
    expected = np.stack([reference(folder, row, pooling) for row in ids])
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    assert (found * expected).sum(axis=1).min() > 0.98
    assert made.int8 == compare(found, expected.astype(np.float32))
    likeness = expected @ expected.T
    assert likeness.min() < 0.9  # vectors that all point one way would prove nothing


def test_what_a_search_has_to_know_stands_in_the_model(exported: tuple[EmbedModel, Path]) -> None:
    made, folder = exported
    session = onnxruntime.InferenceSession(str(folder / "out" / EMBED))
    assert dict(session.get_modelmeta().custom_metadata_map) == {
        "dimension": "32",
        "max_tokens": str(LONGEST),
        "pooling": "mean",
        "normalized": "true",
        "pad_id": "0",
    }
    assert [(o.name, o.type, o.shape[1]) for o in session.get_outputs()] == [("embedding", "tensor(float)", 32)]
    assert {path.name for path in (folder / "out").iterdir()} == {EMBED, EMBED_TOKENIZER, EMBED_JSON}
    told = json.loads((folder / "out" / EMBED_JSON).read_text(encoding="utf-8"))
    assert told["dimension"] == made.dimension == 32 and told["int8"]["sentences"] == len(SENTENCES)
    words = Tokenizer.from_file(str(folder / "out" / EMBED_TOKENIZER))
    assert len(words.encode("refund " * 100).ids) == LONGEST and len(words.encode("a").ids) == 3


def test_the_measure_notices_another_model(exported: tuple[EmbedModel, Path]) -> None:
    made, folder = exported
    module = load_encoder(read_encoder(folder / "tiny"))
    with torch.no_grad():
        module.encoder.encoder.layer[1].output.dense.weight.mul_(-1.0)
    words = Tokenizer.from_file(str(folder / "out" / EMBED_TOKENIZER))
    found = measure(module, folder / "out" / EMBED, words, SENTENCES)
    assert found.cosine_mean < made.int8.cosine_mean - 0.02


def test_neighbours_and_cosines_are_what_they_say() -> None:
    angles = np.radians([0, 10, 30, 60, 100])
    whole = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    same = compare(whole, whole)
    assert (same.cosine_min, same.same_neighbour, same.neighbours_kept) == (1.0, 1.0, 1.0)
    moved = whole.copy()
    moved[0] = -whole[0]
    found = compare(moved, whole)
    assert found.cosine_min == -1.0 and found.cosine_mean == pytest.approx(0.6)
    assert found.same_neighbour == pytest.approx(0.6)  # the first's nearest is now the last, and the second's the third


def _no(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _weights(**changes: torch.Tensor | None) -> Callable[[Path], None]:
    """Replace or remove tensors."""

    def act(folder: Path) -> None:
        state = load_file(folder / "model.safetensors") | {k.replace("__", "."): v for k, v in changes.items()}
        save_file({k: v for k, v in state.items() if v is not None}, folder / "model.safetensors")

    return act


def _cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def _other_words(folder: Path) -> None:
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    words.add_tokens(["stranger"])
    words.save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (_no("modules.json"), r"no sentence encoder, it has no modules\.json"),
        (_no("tokenizer.json"), r"no tokenizer\.json"),
        (_no("model.safetensors"), r"save_pretrained"),
        (lambda folder: change(folder / "config.json", model_type="llama"), "model_type is 'llama'"),
        (lambda folder: write(folder / "modules.json", {"a": 1}), "malformed"),
        (lambda folder: write(folder / "modules.json", []), "expected Transformer, Pooling"),
        (lambda folder: change(folder / "1_Pooling" / "config.json", pooling_mode_max_tokens=True), "pools by"),
        (lambda folder: change(folder / "1_Pooling" / "config.json", word_embedding_dimension=31), "pools 31 numbers"),
        (lambda folder: change(folder / "config.json", hidden_size=None), "hidden_size is None"),
        (_other_words, "own tokenizer"),
        (_cut, "copy or download"),
        (_weights(embeddings__LayerNorm__bias=torch.full((32,), float("nan"))), r"LayerNorm\.bias holds 32 NaN"),
        (_weights(embeddings__LayerNorm__bias=None), r"1 tensors missing .*LayerNorm\.bias"),
        (_weights(embeddings__LayerNorm__bias=torch.zeros(3)), r"LayerNorm\.bias"),
        (_weights(stranger=torch.zeros(3)), "1 unknown"),
    ],
)
def test_what_is_no_sound_sentence_encoder_is_refused(
    harm: Callable[[Path], None], complaint: str, tmp_path: Path
) -> None:
    folder = write_encoder(tmp_path / "tiny")
    harm(folder)
    with pytest.raises(ConvertError, match=complaint):
        export_encoder(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sentences_are_lines_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("one\n\n two \ntwo\nthree\nfour\n", encoding="utf-8")
    assert read_sentences(tmp_path / "mine.txt") == ("one", "two", "three", "four")
    (tmp_path / "mine.txt").write_text("one\n", encoding="utf-8")
    with pytest.raises(InputError, match="1 sentences; expected more than 3"):
        read_sentences(tmp_path / "mine.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_sentences(tmp_path / "nowhere.txt")


def test_the_command_prints_what_it_measured(
    exported: tuple[EmbedModel, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["embed", str(exported[1] / "tiny"), "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["int8"]["sentences"] == len(SENTENCES)
    assert main(["embed", str(tmp_path), "--out", str(tmp_path / "other")]) == 2
    assert "no sentence encoder" in capsys.readouterr().err
