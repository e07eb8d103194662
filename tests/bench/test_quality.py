"""Quality: figures that are known beforehand, and the demonstration bundle read, asked and judged for real."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from bench.errors import UsageError
from bench.quality.asking import Answer
from bench.quality.conduct import judge_conduct, share
from bench.quality.likelihood import measure_likelihood, summarise, text_figures
from bench.quality.overlap import measure_overlap
from bench.quality.reader import Reader, documents, log_softmax
from bench.quality.run import Quality, QualityOptions, measure_quality
from bench.quality.tables import found_tables
from bench.quality.texts import QualityText, read_texts
from models.manifest import read_manifest
from tests.bench.targets import reply, target
from tests.paths import DEMO

needs_demo = pytest.mark.skipif(
    not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`"
)
TEXT = QualityText("en", "How do I cancel order 123?", "Press Cancel.", "cancel_order", True)
HOPELESS = QualityText("en", "Will it rain?", "I do not know.", "out_of_scope", False)


def answer(text: QualityText, said: str, **changes: object) -> Answer:
    plain: dict[str, object] = {
        "intent": text.intent,
        "handoff": False,
        "blocked": False,
        "sources": ("model:demo",),
        "rule": "",
    }
    return Answer(text, said, **{**plain, **changes})  # type: ignore[arg-type]


def silent(name: str) -> object:
    return lambda share, count: None


def test_the_texts_of_the_project_are_whole() -> None:
    texts = read_texts()
    assert {text.language for text in texts} == {"en", "zh"}
    assert len({text.question for text in texts}) == len(texts)
    assert sum(not text.answerable for text in texts) >= 20
    assert all(text.intent for text in texts)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nothing", "the whole"),
        ('{"language": "en"}', "question"),
        ('{"language": "de", "question": "a", "reference": "b", "intent": "", "answerable": true}', "'de'"),
        ('{"language": "en", "question": " ", "reference": "b", "intent": "", "answerable": true}', "empty"),
        ('{"language": "en", "question": "a", "reference": "b", "intent": "", "answerable": "yes"}', "answerable"),
    ],
)
def test_a_line_that_is_no_text_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2") as caught:
        read_texts(path)
    assert said in str(caught.value)


def test_a_file_without_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="holds no text"):
        read_texts(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="cannot be read"):
        read_texts(tmp_path / "missing.jsonl")


def test_divergence_and_perplexity_of_distributions_that_are_known() -> None:
    p, q = np.log([[0.5, 0.25, 0.25]]), np.log([[0.25, 0.5, 0.25]])
    figures = text_figures([0], q, p)
    assert figures.klds[0] == pytest.approx(0.5 * math.log(2.0) - 0.25 * math.log(2.0))
    assert figures.same[0] == 0.0
    found = summarise("en", [figures, figures], "p.gguf")
    assert found.perplexity.value == pytest.approx(4.0)
    assert found.against is not None
    assert found.against.reference_perplexity.value == pytest.approx(2.0)
    assert found.against.mean_kld.low == pytest.approx(found.against.mean_kld.value)


def test_a_divergence_has_a_direction() -> None:
    p, q = np.log([[0.9, 0.05, 0.05]]), np.log([[0.4, 0.3, 0.3]])
    assert text_figures([0], q, p).klds[0] != pytest.approx(text_figures([0], p, q).klds[0])


def test_huge_logits_do_not_overflow() -> None:
    assert np.exp(log_softmax(np.array([[1e4, 1e4 - 1.0]]))).sum() == pytest.approx(1.0)


def test_models_of_different_vocabularies_are_not_compared() -> None:
    with pytest.raises(UsageError, match="same vocabulary"):
        text_figures([0], np.zeros((1, 3)), np.zeros((1, 4)))


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration model once more, in far fewer bits."""
    path = tmp_path_factory.mktemp("coarse") / "q2.gguf"
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize, params.nthread = llama_cpp.LLAMA_FTYPE_MOSTLY_Q2_K, True, 1
    source = str(DEMO / "model.gguf").encode()
    assert llama_cpp.llama_model_quantize(source, str(path).encode(), params) == 0
    return path


@needs_demo
def test_a_coarser_model_diverges_and_a_model_does_not_from_itself(coarse: Path) -> None:
    texts = [text for text in read_texts() if text.answerable][8:14]
    chat = read_manifest(DEMO).chat
    model = DEMO / "model.gguf"
    same = {one.language: one for one in measure_likelihood(model, chat, texts, model, lambda share: None, 1)}
    worse = {one.language: one for one in measure_likelihood(coarse, chat, texts, model, lambda share: None, 1)}
    for language, found in worse.items():
        assert same[language].against is not None
        assert same[language].against.mean_kld.value == 0.0
        assert same[language].against.same_top1.value == 1.0
        assert found.against is not None
        assert found.against.mean_kld.value > 0.05
        assert found.against.mean_kld.low is not None
        assert found.against.mean_kld.low <= found.against.mean_kld.value <= (found.against.mean_kld.high or 0.0)
        assert found.against.same_top1.value < 1.0
        assert found.against.reference_perplexity == same[language].perplexity


@needs_demo
def test_log_probabilities_agree_with_another_reading_of_the_same_file() -> None:
    """Against the conversion's own reader, which computes other batches, over more than one batch."""
    from convert.quantization.libllama import GgufModel

    long = QualityText("en", "word " * 200, "Press Cancel order. " * 12, "", True)
    with Reader(DEMO / "model.gguf", threads=1) as reader:
        (document,) = documents(reader, read_manifest(DEMO).chat, [long])
        found = reader.log_probabilities(document)
        again = reader.log_probabilities(document)
    with GgufModel(DEMO / "model.gguf", 1024, 1) as other:
        expected = log_softmax(other.logits(document.ids).astype(np.float64))[document.first - 1 : -1]
    assert document.first > 128
    assert found.shape == expected.shape == (len(document.ids) - document.first, found.shape[1])
    assert np.allclose(found, expected, atol=0.05)
    assert np.array_equal(found, again)


@needs_demo
def test_a_text_longer_than_the_context_is_refused() -> None:
    with Reader(DEMO / "model.gguf", threads=1) as reader:
        (document,) = documents(reader, read_manifest(DEMO).chat, [QualityText("en", "a", "b c d " * 2000, "", True)])
        with pytest.raises(UsageError, match="shorten the text"):
            reader.log_probabilities(document)


def test_a_reference_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(b"GGUF no")
    with pytest.raises(UsageError, match=r"no\.gguf"):
        Reader(path)


def test_overlap_of_texts_that_are_known() -> None:
    said = ["press cancel order on the page now", "open the page of your orders"]
    same = measure_overlap("en", said, said)
    assert same.bleu.value == pytest.approx(100.0)
    assert same.rouge_l.value == 1.0
    assert "tok:13a" in same.bleu_signature
    other = measure_overlap("en", said, ["nothing alike whatsoever here at all", said[1]])
    assert other.rouge_l.value == pytest.approx(0.5)
    assert other.bleu.low is not None
    assert other.bleu.high is not None
    assert other.bleu.low < other.bleu.value < other.bleu.high


def test_chinese_is_compared_character_by_character() -> None:
    found = measure_overlap("zh", ["请打开我的订单。"], ["请打开您的订单。"])
    assert found.rouge_l.value == pytest.approx(6 / 7)
    assert found.bleu.value > 20.0
    assert "tok:zh" in found.bleu_signature


def test_shares_have_wilsons_interval() -> None:
    found = share(8, 10)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson, computed by hand
    assert share(0, 0) is None


def test_conduct_counts_what_it_says() -> None:
    found = judge_conduct(
        [
            answer(TEXT, "Order 123 is cancelled within 5 days."),
            answer(TEXT, "Press Cancel.", intent="track_order", rule="facts.amount"),
            answer(TEXT, "A colleague comes.", handoff=True, sources=("flow:person",)),
            answer(HOPELESS, "It will rain.", sources=("model:demo",)),
            answer(HOPELESS, "I may not say.", blocked=True),
            answer(HOPELESS, "I get a colleague.", handoff=True, sources=("flow:unknown",)),
        ]
    )
    shares = (found.intent, found.grounded, found.replaced, found.abstained, found.answered)
    assert [(round(one.value * one.requests), one.requests) for one in shares if one] == [
        (5, 6),
        (2, 3),
        (1, 3),
        (2, 3),
        (2, 3),
    ]
    assert found.wrong_intents == ("How do I cancel order 123? [track_order, not cancel_order]",)
    assert found.invented == ("Order 123 is cancelled within 5 days.",)
    assert found.unduly_answered == ("Will it rain?",)


def test_what_the_shop_says_is_no_invention() -> None:
    said = answer(TEXT, "We refund within 5 days.")
    assert judge_conduct([said]).grounded.value == 0.0  # type: ignore[union-attr]
    assert judge_conduct([said], ["A refund takes 5 days."]).grounded.value == 1.0  # type: ignore[union-attr]


def test_a_server_without_the_customers_route_is_named() -> None:
    with (
        target(lambda exchange: exchange.send(reply("404 Not Found", {}))) as other,
        pytest.raises(UsageError, match="no /api/query"),
    ):
        measure_quality(QualityOptions((TEXT,), None, str(other.address)), silent)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo() -> Iterator[Quality]:
    texts = read_texts()
    hopeless = [text for text in texts if not text.answerable][:12]
    answerable = [[text for text in texts if text.answerable and text.language == one][:2] for one in ("en", "zh")]
    yield measure_quality(QualityOptions((*hopeless, *answerable[0], *answerable[1], TEXT), DEMO), silent)  # type: ignore[arg-type]


@needs_demo
def test_the_demo_bundle_is_read_and_asked(demo: Quality) -> None:
    assert demo.bundle == "demo"
    assert all(found.perplexity.value > 1.0 and found.against is None for found in demo.likelihood)
    everything = demo.conduct["all"]
    assert everything.abstained is not None
    assert everything.abstained.value > 0.8
    assert everything.grounded is not None
    assert everything.grounded.value == 1.0, everything.invented
    assert len(demo.answers) == everything.abstained.requests + sum(a.text.answerable for a in demo.answers)
    titles = [table.title for table in found_tables(demo)]
    assert titles == ["Reference answers under the model", "Answers against reference answers", "Conduct"]
