"""Reading Detoxify's checkpoints: which are taken, and what is said of those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from convert.errors import InputError, UnsupportedError
from convert.guard.detoxify import load_detoxify
from tests.convert.tiny_guard import CLASSES, Spec, contents, random_model, write_checkpoint


def test_old_names_are_spelled_as_detoxify_spells_them(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "tiny.ckpt", Spec(classes=("toxic", "severe_toxic", "identity_hate")))
    assert load_detoxify(tmp_path / "tiny.ckpt").labels == ("toxicity", "severe_toxicity", "identity_attack")


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (Spec(classes=CLASSES[:2]), "3 outputs for 2 classes"),
        (Spec(classes=(*CLASSES, "threat")), "3 outputs for 4 classes"),
        (Spec(num_classes=4), "num_classes is 4, but the head has 3"),
        (Spec(outputs=16), "the head has 16 outputs"),
        (Spec(classes=("toxicity", "obscene", "toxic")), "different names"),
        (Spec(classes=(), num_classes=3), "one or more"),
        (Spec(main_classes=3, outputs=16, num_classes=16), None),  # how many are reported may be said so as well
        (Spec(main_classes=2, outputs=16, num_classes=16), "16 outputs for 3 classes"),
        (Spec(identity_classes=("male",)), None),  # as in Detoxify's own: 7 classes named, no output for the others
    ],
)
def test_labels_that_disagree_are_refused(tmp_path: Path, spec: Spec, complaint: str | None) -> None:
    write_checkpoint(tmp_path / "tiny.ckpt", spec)
    if complaint is None:
        assert load_detoxify(tmp_path / "tiny.ckpt").labels == CLASSES
    else:
        with pytest.raises(InputError, match=complaint):
            load_detoxify(tmp_path / "tiny.ckpt")


def test_unknown_architectures_are_refused(tmp_path: Path) -> None:
    path, model = tmp_path / "tiny.ckpt", random_model(Spec())
    write_checkpoint(path, Spec(shaped=False))
    with pytest.raises(UnsupportedError, match="model_type is 'tiny'"):
        load_detoxify(path)
    made = contents(Spec(), model)
    made["config"]["arch"]["args"]["model_name"] = "GPT2ForSequenceClassification"  # type: ignore[index]
    torch.save(made, path)
    with pytest.raises(UnsupportedError, match="GPT2ForSequenceClassification"):
        load_detoxify(path)


@pytest.mark.parametrize(
    ("tensor", "complaint"),
    [
        ("bert.pooler.dense.bias", "1 tensors missing and 0 unknown"),
        ("classifier.weight", "no matrix 'classifier.weight'"),
        ("bert.embeddings.word_embeddings.weight", "no matrix"),
    ],
)
def test_a_missing_tensor_is_named(tmp_path: Path, tensor: str, complaint: str) -> None:
    made = contents(Spec(), random_model(Spec()))
    del made["state_dict"][tensor]  # type: ignore[attr-defined]
    torch.save(made, tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match=complaint):
        load_detoxify(tmp_path / "tiny.ckpt")


def test_a_tensor_too_many_or_of_another_shape_is_named(tmp_path: Path) -> None:
    made = contents(Spec(), random_model(Spec()))
    state = dict(made["state_dict"])  # type: ignore[call-overload]
    torch.save({**made, "state_dict": {**state, "bert.extra": torch.zeros(2, 2)}}, tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match=r"bert\.extra"):
        load_detoxify(tmp_path / "tiny.ckpt")
    torch.save({**made, "state_dict": {**state, "bert.pooler.dense.bias": torch.zeros(7)}}, tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match=r"bert\.pooler\.dense\.bias"):
        load_detoxify(tmp_path / "tiny.ckpt")


def test_the_pooler_of_earlier_transformers_is_not_missed(tmp_path: Path) -> None:
    spec = Spec("roberta")
    made = contents(spec, random_model(spec))
    made["state_dict"]["roberta.pooler.dense.weight"] = torch.zeros(32, 32)  # type: ignore[index]
    torch.save(made, tmp_path / "tiny.ckpt")
    assert load_detoxify(tmp_path / "tiny.ckpt").padding == 1


def test_the_buffer_of_earlier_transformers_is_not_missed(tmp_path: Path) -> None:
    made = contents(Spec(), random_model(Spec()))
    made["state_dict"]["bert.embeddings.position_ids"] = torch.arange(160)[None]  # type: ignore[index]
    torch.save(made, tmp_path / "tiny.ckpt")
    assert load_detoxify(tmp_path / "tiny.ckpt").tokens == 160


class Stowaway:
    """An object that runs code when it is unpickled, as any object can."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path, ("was here",)


def test_a_checkpoint_with_objects_is_loaded_only_when_trusted(tmp_path: Path) -> None:
    made = contents(Spec(), random_model(Spec()))
    torch.save({**made, "extra": Stowaway()}, tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match="trusted"):
        load_detoxify(tmp_path / "tiny.ckpt")
    assert load_detoxify(tmp_path / "tiny.ckpt", trusted=True).labels == CLASSES


def test_a_nan_weight_is_named(tmp_path: Path) -> None:
    made = contents(Spec(), random_model(Spec()))
    made["state_dict"]["bert.pooler.dense.bias"][3] = float("nan")  # type: ignore[index]
    torch.save(made, tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match=r"bert\.pooler\.dense\.bias holds 1 NaN .* again"):
        load_detoxify(tmp_path / "tiny.ckpt")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, share: float) -> None:
    write_checkpoint(tmp_path / "tiny.ckpt")
    whole = (tmp_path / "tiny.ckpt").read_bytes()
    (tmp_path / "tiny.ckpt").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="copy it again"):
        load_detoxify(tmp_path / "tiny.ckpt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken"])
def test_damage_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tiny.ckpt").write_bytes(content)
    with pytest.raises(InputError, match=r"tiny\.ckpt"):
        load_detoxify(tmp_path / "tiny.ckpt")


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"config": {"arch": {}}, "state_dict": {}}, [1, 2]])
def test_another_layout_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "tiny.ckpt")
    with pytest.raises(InputError, match="is it a Detoxify checkpoint"):
        load_detoxify(tmp_path / "tiny.ckpt")
