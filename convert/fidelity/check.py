"""Prove that the converted model is the trained one: same token ids, same logits; and what quantising costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from convert.chat import Encode
from convert.checkpoint import Float32Array
from convert.errors import CheckError, InputError
from convert.fidelity.figures import Fidelity, compare
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
        positions: token positions to compare logits at.
        row_tokens: longest sequence.
        threads: of llama.cpp; 0 takes the physical cores.
    """

    positions: int = 2000
    row_tokens: int = 512
    threads: int = 0


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
class CheckReport:
    """Everything that was found.

    Attributes:
        tokens: parity of the tokenizers.
        f16: the float GGUF against transformers in float32.
        quantized: the quantised GGUF against the float one.
    """

    tokens: TokenParity
    f16: Fidelity
    quantized: Fidelity

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
            "quantized_against_f16": self.quantized.to_dict(),
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
    """Compare transformers (float32), the float GGUF and the quantised GGUF; one model is in memory at a time.

    Raises:
        InputError: a file is missing, or the texts are too short.
    """
    from convert.fidelity import reference  # torch loads only when something is compared with it
    from convert.tokenizer import encoder, load_tokenizer

    tokenizer = load_tokenizer(base)
    with GgufModel(f16, vocab_only=True) as vocabulary:
        tokens = token_parity(vocabulary.encode, encoder(tokenizer), texts.lines)
    rows = token_rows(texts.conversations, encoder(tokenizer), tokenizer.bos_token_id, options)
    model = reference.load_model(base, adapter)
    expected = [reference.logits(model, row) for row in _watched("check transformers", rows, progress)]
    del model
    halves = _gguf_logits(f16, rows, options, "check f16", progress)
    fidelity = compare(rows, expected, halves)
    del expected
    packed = _gguf_logits(quantized, rows, options, "check quantized", progress)
    return CheckReport(tokens, fidelity, compare(rows, halves, packed))


def _gguf_logits(
    path: Path, rows: Sequence[Sequence[int]], options: CheckOptions, stage: str, progress: Progress
) -> list[Float32Array]:
    with GgufModel(path, options.row_tokens, options.threads) as model:
        return [model.logits(row) for row in _watched(stage, rows, progress)]


def _watched(stage: str, rows: Sequence[Sequence[int]], progress: Progress) -> Iterable[Sequence[int]]:
    for number, row in enumerate(rows):
        progress(stage, number, len(rows))
        yield row
    progress(stage, len(rows), len(rows))
