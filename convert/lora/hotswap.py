"""A LoRA as a GGUF file of its own, which the engine puts on and takes off while it runs.

Format: src/llama-adapter.cpp of the pinned llama.cpp. Factors are called NAME.lora_a, shape (rank, columns), and
NAME.lora_b, shape (rows, rank); the engine computes ``alpha / rank * B @ A``, with one alpha for the whole file and the
rank of each B. That knows no rsLoRA and no alpha per module, so what is missing of the scale is multiplied into B.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from convert.base import HUB_ID, Base
from convert.checkpoint.folder import index_folder
from convert.checkpoint.weights import Float32Array
from convert.errors import InputError
from convert.files import atomic_output
from convert.gguf.config import read_config
from convert.gguf.families import family_of
from convert.gguf.tensors import Precision, TensorPlan, permute_rows, plan_tensors
from convert.lora.adapter import Adapter, LoraPair
from convert.lora.merging import refuse_wrong_base
from convert.progress import Progress, silent

#: Digest of the base's weights, as in a bundle's manifest: an adapter of another base is told by it.
BASE_SHA256 = "tellerbox.base.sha256"

#: Digest of the adapter's own weights, as PEFT saved them.
ADAPTER_SHA256 = "tellerbox.adapter.sha256"

#: Precisions on offer. float32 holds what was trained, bit for bit where no scale is folded in; float16 takes half the
#: memory and is read twice as fast on every token, at 1e-3 of the update, a tenth of what Q4_K_M does to the weights.
PRECISIONS = (Precision.F32, Precision.F16)

#: What storing a factor as float16 may cost, relative to its norm.
MAX_ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class HotswapOptions:
    """How to write it.

    Attributes:
        precision: of the factors, one of PRECISIONS.
        name: ``general.name``; the adapter folder's name if empty.
        licence: its SPDX name for ``general.license``; left out if empty.
    """

    precision: Precision = Precision.F32
    name: str = ""
    licence: str = ""


def write_hotswap(
    base: Base, adapter: Adapter, out: Path, options: HotswapOptions | None = None, progress: Progress = silent
) -> Path:
    """Write ``out``, which is there only once it is whole. Memory: the adapter; of the base's weights only headers.

    Raises:
        InputError: the adapter is of another base, does not fit it, or does not fit the precision.
        UnsupportedError: it is no plain LoRA, or the base's architecture is not known.
    """
    options = options or HotswapOptions()
    adapter.require_plain("a file that the engine switches to")
    if options.precision not in PRECISIONS:
        raise InputError(f"precision {options.precision}; expected one of {', '.join(PRECISIONS)}")
    refuse_wrong_base(base, adapter)
    config = read_config(base.folder)
    plans = {plan.source.name: plan for plan in plan_tensors(config, index_folder(base.folder), options.precision)}
    alpha = _alpha(adapter)
    with atomic_output(out) as partial:
        writer = gguf.GGUFWriter(partial, family_of(config.architecture).gguf)
        _add_keys(writer, base, adapter, options, alpha)
        for number, (name, pair) in enumerate(sorted(adapter.pairs.items())):
            progress("adapter", number, len(adapter.pairs))
            for target, factor in _factors(plans[name], pair, alpha):
                writer.add_tensor(target, _stored(target, factor, options.precision))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    progress("adapter", len(adapter.pairs), len(adapter.pairs))
    return out


def refuse_hotswap_of_other_base(path: Path, base_sha256: str) -> None:
    """Refuse a file of ``write_hotswap`` that was made for another base; shapes alone cannot tell two of a size apart.

    Args:
        path: the adapter's GGUF; one of another tool, which records no digest, is let through.
        base_sha256: of the base's weights, as ``Base.sha256`` and a bundle's manifest have it.

    Raises:
        InputError: it is no GGUF adapter, or was made for another base.
    """
    try:
        fields = gguf.GGUFReader(path).fields
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path}: not a readable GGUF ({error}); make it with `python -m convert adapter`") from error
    kind = fields["adapter.type"].contents() if "adapter.type" in fields else None
    if kind != "lora":
        raise InputError(f"{path}: adapter.type is {kind!r}; expected 'lora'; make it with `python -m convert adapter`")
    made_for = fields[BASE_SHA256].contents() if BASE_SHA256 in fields else base_sha256
    if made_for != base_sha256:
        raise InputError(
            f"{path}: made for a base with sha256 {made_for}; this one has {base_sha256}; "
            "make it again with `python -m convert adapter` and the base that it was trained on"
        )


def _alpha(adapter: Adapter) -> float:
    """The alpha of the file: the configuration's own, so that a plain LoRA's factors stay as they are."""
    alpha = adapter.config.get("lora_alpha")
    return float(alpha) if isinstance(alpha, int | float) and not isinstance(alpha, bool) and alpha > 0 else 1.0


def _factors(plan: TensorPlan, pair: LoraPair, alpha: float) -> Iterator[tuple[str, Float32Array]]:
    """Both factors with their names; B's rows in the order of the base's rows, and B with the rest of the scale."""
    yield f"{plan.target}.lora_a", pair.a.read()
    b = pair.b.read()
    rest = pair.scale * pair.rank / alpha
    if not math.isclose(rest, 1.0, rel_tol=1e-12):
        b *= np.float32(rest)
    yield f"{plan.target}.lora_b", permute_rows(b, plan.heads) if plan.heads else b


def _stored(name: str, factor: Float32Array, precision: Precision) -> npt.NDArray[np.generic]:
    """The factor in its precision.

    Raises:
        InputError: float16 does not hold it.
    """
    if precision is Precision.F32:
        return factor
    with np.errstate(over="ignore"):
        small = factor.astype(np.float16)
    lost = float(np.linalg.norm(small.astype(np.float32) - factor))
    if not lost <= MAX_ROUNDING * float(np.linalg.norm(factor)):
        raise InputError(
            f"{name}: float16 changes it by {lost:.3g}, more than {MAX_ROUNDING:g} of its norm; use --precision f32"
        )
    return small


def _add_keys(writer: gguf.GGUFWriter, base: Base, adapter: Adapter, options: HotswapOptions, alpha: float) -> None:
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_name(options.name or adapter.folder.resolve().name)
    if options.licence:
        writer.add_license(options.licence)
    for key, value in base_keys(base, adapter.config).items():
        writer.add_uint32(key, value) if isinstance(value, int) else writer.add_string(key, value)
    writer.add_file_type(options.precision.file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    writer.add_string(BASE_SHA256, base.sha256)
    writer.add_string(ADAPTER_SHA256, adapter.sha256)


def base_keys(base: Base, config: Mapping[str, object]) -> dict[str, str | int]:
    """What the file says of its base: by hub id where one is known (the base's own, or the one that PEFT recorded)."""
    recorded = str(config.get("base_model_name_or_path") or "")
    known = base.id if HUB_ID.fullmatch(base.id) or not HUB_ID.fullmatch(recorded) else recorded
    organisation, _, name = known.rpartition("/")
    keys = gguf.Keys.General
    found: dict[str, str | int] = {keys.BASE_MODEL_COUNT: 1, keys.BASE_MODEL_NAME.format(id=0): name}
    if organisation:
        found[keys.BASE_MODEL_ORGANIZATION.format(id=0)] = organisation
        found[keys.BASE_MODEL_REPO_URL.format(id=0)] = f"https://huggingface.co/{known}"
    if base.revision != "local":
        found[keys.BASE_MODEL_VERSION.format(id=0)] = base.revision
    return found
