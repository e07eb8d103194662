"""Search a type for every tensor: no more bytes than llama.cpp's own mixture, less divergence predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import gguf

from convert.checkpoint.jsonfile import read_json
from convert.checkpoint.weights import Float32Array
from convert.errors import InputError
from convert.fidelity.texts import CalibrationTexts
from convert.files import write_json
from convert.progress import Progress, silent
from convert.quantization.collect import calibration_rows
from convert.quantization.imatrix import Imatrix, require_coverage
from convert.quantization.libllama import GgufModel
from convert.quantization.quantize import FLOATS, QuantType, mixture, read_shapes, refuse_indivisible, refuse_quantized
from convert.quantization.rounding import RoundedModel
from convert.quantization.select import Choice, Option, choose_types
from convert.quantization.sensitivity import groups_of, stored_bytes, weighted_errors

#: Types on offer, smallest first. Those of the IQ family are smaller for the same quality, but slow without a GPU.
CANDIDATES = ("Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_0")

#: The type that a group is rounded to when its cost is measured: the one most tensors of the mixture have.
PROBE = gguf.GGMLQuantizationType.Q4_K


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search.

    Attributes:
        quant: the mixture whose bytes are the budget.
        tokens: of calibration text that every group's cost is measured with.
        groups: about how many groups of tensors are measured.
        threads: of llama.cpp; 0 takes the physical cores.
    """

    quant: QuantType = QuantType.Q4_K_M
    tokens: int = 1024
    groups: int = 64
    threads: int = 0


@dataclass(frozen=True, slots=True)
class TypePlan:
    """What was found.

    Attributes:
        types: tensor name -> type; every matrix that the mixture would quantise.
        bytes: what these tensors take.
        budget_bytes: what they take in the mixture.
        predicted_kld: sum of the predicted divergences, nats; only good for comparing with the next.
        mixture_predicted_kld: the same for the mixture, with the same importance matrix.
    """

    types: Mapping[str, str]
    bytes: int
    budget_bytes: int
    predicted_kld: float
    mixture_predicted_kld: float


def search_types(
    source: Path, imatrix: Imatrix, texts: CalibrationTexts, options: SearchOptions, progress: Progress = silent
) -> TypePlan:
    """Measure how sensitive the tensors of a float GGUF are and choose their types.

    Memory: the model as it is stored, and the logits of ``options.tokens`` positions twice.

    Raises:
        InputError: the source is no float GGUF, or the importance matrix does not cover it.
        UnsupportedError: rows do not divide by 256.
        QuantizeError: llama.cpp does not say what its mixture would be.
    """
    refuse_quantized(source)
    shapes = read_shapes(source)
    refuse_indivisible(shapes, options.quant)
    require_coverage(imatrix, shapes, str(source))
    stock = {name: kind for name, kind in mixture(source, options.quant).items() if kind not in FLOATS}
    costs = _measure(source, imatrix, texts, list(stock), options, progress)
    offers = _offers(source, imatrix, stock, costs, progress)
    by_type = {name: {option.type: option for option in some} for name, some in offers.items()}
    plain = [by_type[name][kind] for name, kind in stock.items()]
    budget = sum(option.bytes for option in plain)
    choice = choose_types(offers, budget)
    before = sum(option.damage for option in plain)
    if choice.damage > before:  # cannot be by more than a rounding, but what was asked for is no worse
        choice = Choice(stock, budget, before)
    return TypePlan(dict(choice.types), choice.bytes, budget, choice.damage, before)


def _measure(
    source: Path,
    imatrix: Imatrix,
    texts: CalibrationTexts,
    names: Sequence[str],
    options: SearchOptions,
    progress: Progress,
) -> dict[str, float]:
    """What a unit of weighted error costs in divergence, by tensor."""
    with GgufModel(source, vocab_only=True) as vocabulary:
        rows = calibration_rows(texts.mixed(), vocabulary.encode, vocabulary.bos, options.tokens)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(source).tensors}
    groups = groups_of(names, options.groups)
    costs = {}
    with RoundedModel(source, imatrix, rows, options.threads) as model:
        for number, group in enumerate(groups):
            progress("sensitivity", number, len(groups))
            errors = sum(
                weighted_errors(tensors[name], (PROBE.name,), _squares(imatrix, name))[PROBE.name] for name in group
            )
            cost = model.divergence(group, PROBE) / errors if errors else 0.0
            costs.update(dict.fromkeys(group, cost))
    progress("sensitivity", len(groups), len(groups))
    return costs


def _offers(
    source: Path, imatrix: Imatrix, stock: Mapping[str, str], costs: Mapping[str, float], progress: Progress
) -> dict[str, list[Option]]:
    """By tensor, what each type would take and do."""
    offers: dict[str, list[Option]] = {}
    tensors = [tensor for tensor in gguf.GGUFReader(source).tensors if tensor.name in stock]
    for number, tensor in enumerate(tensors):
        progress("types", number, len(tensors))
        kinds = (*CANDIDATES, *({stock[tensor.name]} - set(CANDIDATES)))
        errors = weighted_errors(tensor, kinds, _squares(imatrix, tensor.name))
        offers[tensor.name] = [
            Option(kind, stored_bytes(tensor, kind), costs[tensor.name] * errors[kind]) for kind in kinds
        ]
    progress("types", len(tensors), len(tensors))
    return offers


def _squares(imatrix: Imatrix, name: str) -> Float32Array | None:
    entry = imatrix.entries.get(name)
    return None if entry is None else entry.mean_squares


def write_types(plan: TypePlan, out: Path) -> Path:
    """Write the plan as JSON, types in the tensors' order by name."""
    write_json(out, asdict(plan))
    return out


def read_types(path: Path) -> TypePlan:
    """Read what ``write_types`` wrote.

    Raises:
        InputError: it is missing or malformed.
    """
    found = read_json(path)
    types = found.get("types")
    if found.keys() != set(TypePlan.__slots__) or not isinstance(types, dict):
        raise InputError(
            f"{path}: no plan of types; expected the keys {', '.join(TypePlan.__slots__)}; make it with `convert types`"
        )
    return TypePlan(**found)  # type: ignore[arg-type]
