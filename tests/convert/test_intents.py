"""The intent recipe on a few hundred lines: what it learns, that it repeats itself, and that nothing leaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.demo.intent_data import FALLBACK, Request, read_requests, split, utterances
from convert.demo.intents import IntentOptions, IntentReport, augmented, train_intents
from convert.errors import InputError
from models.linear import LinearClassifier, load_linear, normalise
from tests.convert.tiny_data import write_data
from tests.paths import DEMO

OPTIONS = IntentOptions(epochs=6, repeats=3)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[LinearClassifier, IntentReport, Path]:
    out = tmp_path_factory.mktemp("intents")
    report = train_intents(data, out, OPTIONS)
    return load_linear(out / "intents.npz"), report, out / "intents.npz"


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("I want to cancel order 12345 and get my money back", {"cancel_order", "get_refund"}),
        ("please cancel order {{Order Number}}", {"cancel_order"}),
        ("where is my parcel?", {"track_order"}),
        ("tell me a joke", {FALLBACK}),
        ("", {FALLBACK}),
    ],
)
def test_a_trained_classifier_knows_what_customers_want(
    trained: tuple[LinearClassifier, IntentReport, Path], text: str, intents: set[str]
) -> None:
    assert trained[0].best(text) in intents


def test_the_report_is_of_the_file_as_written(trained: tuple[LinearClassifier, IntentReport, Path]) -> None:
    classifier, report, path = trained
    spoken = utterances(held_out=True)
    right = sum(classifier.best(request.text) == request.label for request in spoken)
    assert report.utterances == len(spoken) and report.utterance_accuracy == pytest.approx(right / len(spoken))
    assert report.utterance_accuracy > 0.3  # 28 classes: chance is 0.04
    assert report.bytes == path.stat().st_size <= 1_500_000


def test_the_same_seed_gives_the_same_file(data: Path, tmp_path: Path) -> None:
    quick = IntentOptions(epochs=1, repeats=1)
    first, second = (train_intents(data, tmp_path / name, quick) for name in "ab")
    assert first == second
    assert (tmp_path / "a" / "intents.npz").read_bytes() == (tmp_path / "b" / "intents.npz").read_bytes()


def test_no_group_and_no_held_out_utterance_is_trained_on(data: Path) -> None:
    train, held = split(read_requests(data), 10)
    assert held and not {r.group for r in train} & {r.group for r in held}
    texts = {normalise(text) for text, _ in augmented(train, OPTIONS)}
    assert not texts & {normalise(request.text) for request in utterances(held_out=True)}


@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=40), st.integers(0, 100))
def test_a_split_keeps_every_request_once(groups: list[str], share: int) -> None:
    requests = [Request(str(number), "x", group) for number, group in enumerate(groups)]
    train, held = split(requests, share)
    assert sorted(train + held, key=lambda r: int(r.text)) == requests
    assert not {r.group for r in train} & {r.group for r in held}


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bitext_v11_instructions"):
        train_intents(tmp_path, tmp_path, OPTIONS)


@pytest.mark.skipif(not (DEMO / "intents.npz").is_file(), reason="models/demo has not been built")
def test_the_shipped_classifier_knows_held_out_utterances() -> None:
    classifier = load_linear(DEMO / "intents.npz")
    spoken = utterances(held_out=True)
    assert sum(classifier.best(r.text) == r.label for r in spoken) >= 0.7 * len(spoken)
    assert classifier.best("I want to cancel order 12345 and get my money back") in {"cancel_order", "get_refund"}
