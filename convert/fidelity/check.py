"""Prove that the converted model is the trained one: same token ids, same logits; and what quantising costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from convert.chat import Encode
from convert.checkpoint.weights import Float32Array
from convert.errors import CheckError, InputError
from convert.fidelity.figures import Fidelity, RowFigures, compare_row, summarise
from convert.fidelity.intervals import Difference, Intervals, intervals, paired
from convert.fidelity.texts import CheckTexts
from convert.progress import Progress, silent
from convert.quantization.libllama import GgufModel

#: How close the float16 GGUF must be to transformers in float32.
MIN_TOP1_AGREEMENT = 0.995
MAX_MEAN_KLD = 1e-4


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How much to check.

    Attributes:
        positions: token positions to compare logits at, of support and of general text each.
        row_tokens: longest sequence.
        threads: of llama.cpp; 0 takes the physical cores.
        baseline: another quantised GGUF of the same model, to take the difference from.
    """

    positions: int = 2000
    row_tokens: int = 512
    threads: int = 0
    baseline: Path | None = None


@dataclass(frozen=True, slots=True)
class TokenParity:
    """Whether llama.cpp and the training tokenizer split alike.

    Attributes:
        texts: how many were compared.
        differing: those that came out differently, at most the first ten.
    """

    texts: int
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """What quantising costs on some texts.

    Attributes:
        fidelity: the quantised GGUF against the float one.
        intervals: 95 % intervals of it.
        against: its divergence against that of the baseline, if there is one.
    """

    fidelity: Fidelity
    intervals: Intervals
    against: Difference | None = None

    def to_dict(self) -> dict[str, object]:
        """For the manifest."""
        made = {**self.fidelity.to_dict(), "intervals_95": self.intervals.to_dict()}
        return made if self.against is None else {**made, "against_baseline": self.against.to_dict()}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything that was found.

    Attributes:
        tokens: parity of the tokenizers.
        f16: the float GGUF against transformers in float32, on support text.
        support: what quantising costs on support text.
        general: what it costs on general text; None if there was none.
    """

    tokens: TokenParity
    f16: Fidelity
    support: Loss
    general: Loss | None

    def failures(self) -> list[str]:
        """What fell short, in words; empty if nothing did. The quantised file has no tolerance: it is reported."""
        found = []
        if self.tokens.differing:
            found.append(
                f"llama.cpp splits {len(self.tokens.differing)} or more of {self.tokens.texts} texts differently, "
                f"such as {self.tokens.differing[0]!r}; expected none; use the tokenizer.model that it was trained with"
            )
        if self.f16.top1_agreement < MIN_TOP1_AGREEMENT:
            found.append(
                f"float GGUF against transformers: top-1 agreement {self.f16.top1_agreement:.4f}; "
                f"expected at least {MIN_TOP1_AGREEMENT}"
            )
        if not self.f16.mean_kld <= MAX_MEAN_KLD:
            found.append(
                f"float GGUF against transformers: mean KLD {self.f16.mean_kld:.2e}; expected at most {MAX_MEAN_KLD}"
            )
        return found

    def require(self) -> None:
        """Raise if anything fell short.

        Raises:
            CheckError: says what.
        """
        if failures := self.failures():
            raise CheckError("; ".join(failures))

    def to_dict(self) -> dict[str, object]:
        """For the manifest's ``checks``."""
        return {
            "token_parity": asdict(self.tokens),
            "f16_against_transformers": self.f16.to_dict(),
            "quantized_against_f16": self.support.to_dict(),
            "quantized_against_f16_general": None if self.general is None else self.general.to_dict(),
            "tolerances": {"min_top1_agreement": MIN_TOP1_AGREEMENT, "max_mean_kld": MAX_MEAN_KLD},
        }


def token_parity(llama: Encode, training: Encode, lines: Iterable[str]) -> TokenParity:
    """Compare two tokenizers on every line."""
    count, differing = 0, []
    for line in lines:
        count += 1
        if llama(line) != training(line):
            differing.append(line)
    return TokenParity(count, tuple(differing[:10]))


def token_rows(conversations: Sequence[str], encode: Encode, bos: int, options: CheckOptions) -> list[list[int]]:
    """Token rows, BOS first, until they hold ``options.positions`` positions together; the last one is cut to fit.

    Raises:
        InputError: the texts are too short.
    """
    rows: list[list[int]] = []
    left = options.positions
    for text in conversations:
        row = [bos, *encode(text)][: min(options.row_tokens, left)]
        if len(row) > 1:
            rows.append(row)
            left -= len(row)
        if left < 2:
            break
    if not rows:
        raise InputError("no text of two tokens or more to check with; pass some with --data")
    return rows


def check(
    base: Path,
    adapter: Path | None,
    f16: Path,
    quantized: Path,
    texts: CheckTexts,
    options: CheckOptions,
    progress: Progress = silent,
) -> CheckReport:
    """Compare transformers (float32) with the float GGUF, and that with the quantised one.

    Memory: first transformers alone, then the GGUFs, mapped; logits of all positions of transformers, of the others
    those of one row.

    Raises:
        InputError: a file is missing, or the texts are too short.
    """
    from convert.fidelity import reference  # torch loads only when something is compared with it
    from convert.tokenizer import encoder, load_tokenizer

    tokenizer = load_tokenizer(base)
    with GgufModel(f16, vocab_only=True) as vocabulary:
        tokens = token_parity(vocabulary.encode, encoder(tokenizer), texts.lines)
    encode, bos = encoder(tokenizer), tokenizer.bos_token_id
    rows = token_rows(texts.conversations, encode, bos, options)
    others = token_rows(texts.general, encode, bos, options) if texts.general else []
    model = reference.load_model(base, adapter)
    expected = [reference.logits(model, row) for row in _watched("check transformers", rows, progress)]
    del model
    fidelity = summarise(_against_reference(f16, rows, expected, options, progress))
    del expected
    return CheckReport(
        tokens=tokens,
        f16=fidelity,
        support=_loss(f16, quantized, rows, options, "check support text", progress),
        general=_loss(f16, quantized, others, options, "check general text", progress) if others else None,
    )


def _against_reference(
    f16: Path,
    rows: Sequence[Sequence[int]],
    expected: Sequence[Float32Array],
    options: CheckOptions,
    progress: Progress,
) -> list[RowFigures]:
    with GgufModel(f16, options.row_tokens, options.threads) as model:
        watched = _watched("check float", rows, progress)
        return [compare_row(row, logits, model.logits(row)) for row, logits in zip(watched, expected, strict=True)]


def _loss(
    f16: Path,
    quantized: Path,
    rows: Sequence[Sequence[int]],
    options: CheckOptions,
    stage: str,
    progress: Progress,
) -> Loss:
    """Run the float GGUF and the quantised ones side by side, row by row."""
    paths = [quantized, *([options.baseline] if options.baseline else [])]
    with ExitStack() as stack:
        reference, *models = [
            stack.enter_context(GgufModel(path, options.row_tokens, options.threads)) for path in (f16, *paths)
        ]
        figures: list[list[RowFigures]] = [[] for _ in models]
        for row in _watched(stage, rows, progress):
            logits = reference.logits(row)
            for found, model in zip(figures, models, strict=True):
                found.append(compare_row(row, logits, model.logits(row)))
    ours, *theirs = figures
    return Loss(summarise(ours), intervals(ours), paired(ours, theirs[0]) if theirs else None)


def _watched(stage: str, rows: Sequence[Sequence[int]], progress: Progress) -> Iterable[Sequence[int]]:
    for number, row in enumerate(rows):
        progress(stage, number, len(rows))
        yield row
    progress(stage, len(rows), len(rows))
