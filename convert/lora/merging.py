"""One way in for all that merges: the folder to convert and the patch to apply, by the route that an adapter takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convert.base import Base
from convert.checkpoint.folder import index_folder
from convert.files import remove
from convert.lora.adapter import Adapter, refuse_other_base
from convert.lora.folder import write_folder
from convert.lora.merge import LoraPatch, refuse_misfit
from convert.progress import Progress, silent

#: Python with torch, transformers and PEFT, before any weights.
PEFT_BYTES = 700 << 20

#: Bytes per weight while PEFT merges: the model in float32, and the checkpoint's pages (16 bits) that it is read from.
PEFT_BYTES_PER_WEIGHT = 6


@contextmanager
def merging(
    base: Base, adapter: Adapter | None, scratch: Path, progress: Progress = silent
) -> Iterator[tuple[Path, LoraPatch | None]]:
    """What to write a GGUF from: ``read_source(folder)``, then ``write_gguf`` with the patch, inside the block.

    A plain LoRA streams: the folder is the base's own. Any other one is merged through PEFT into a float32 folder
    under ``scratch``, which takes four bytes a weight of disk and goes when the block ends.

    Args:
        base: the base.
        adapter: the adapter, or None to convert the base alone.
        scratch: where a merged folder may lie for a while; it need not exist.
        progress: told while a folder is written.

    Raises:
        InputError: the adapter is of another base, does not fit, or is not applied completely.
    """
    if adapter is None:
        yield base.folder, None
        return
    refuse_wrong_base(base, adapter)
    if not adapter.through_peft:
        yield base.folder, LoraPatch(adapter)
        return
    merged = scratch / base.folder.resolve().name  # the name decides about general.name, as the base's own does
    try:
        yield write_merged_folder(base, adapter, merged, progress), None
    finally:
        remove(scratch)


def write_merged_folder(base: Base, adapter: Adapter, out: Path, progress: Progress = silent) -> Path:
    """Write a model folder with the adapter merged in, in float32, by the route that the adapter needs.

    Raises:
        InputError: the adapter is of another base, does not fit, or is not applied completely.
    """
    refuse_wrong_base(base, adapter)
    if not adapter.through_peft:
        return write_folder(base.folder, out, LoraPatch(adapter), progress)
    from convert.lora.peft_merge import PeftPatch  # torch loads only for an adapter that needs it

    return write_folder(base.folder, out, PeftPatch(base.folder, adapter), progress)


def refuse_wrong_base(base: Base, adapter: Adapter) -> None:
    """Refuse an adapter of another base: by what it says of its base, then by the shapes; reads headers only.

    Raises:
        InputError: names the tensor or the base.
    """
    refuse_other_base(adapter, base)
    refs = index_folder(base.folder)
    refuse_misfit(adapter, refs, tied="lm_head.weight" not in refs)


def peft_ram_bytes(weights: int) -> int:
    """About the peak memory of merging through PEFT a model of so many weights."""
    return PEFT_BYTES + PEFT_BYTES_PER_WEIGHT * weights
