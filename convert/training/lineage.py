"""From which adapters, and from which data, an adapter came: what stands in its TRAINING file."""

from __future__ import annotations

from collections.abc import Mapping

from convert.base import Base
from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError
from convert.lora.adapter import CONFIG, TRAINING, Adapter, refuse_other_base

#: Of an ancestor's TRAINING file, what its descendants keep.
KEPT = ("data_sha256", "method", "origin", "rows", "steps")


def check_parent(parent: Adapter, base: Base) -> tuple[int, int]:
    """The rank and alpha of an adapter to go on from.

    Raises:
        InputError: it is of another base, or not of one rank and alpha throughout.
    """
    refuse_other_base(parent, base)
    rank, alpha = parent.config.get("r"), parent.config.get("lora_alpha")
    uneven = [name for name in ("rank_pattern", "alpha_pattern", "use_rslora") if parent.config.get(name)]
    if uneven or not isinstance(rank, int) or not isinstance(alpha, int):
        raise InputError(
            f"{parent.folder / CONFIG}: {', '.join(uneven) or 'r or lora_alpha'} set; expected an adapter of this "
            "command's kind (one whole rank and alpha); train a new adapter instead"
        )
    return rank, alpha


def lineage(parent: Adapter | None) -> list[dict[str, object]]:
    """The ancestors, oldest first: each one's sha256 and how it was trained, as far as is known.

    Raises:
        InputError: the parent's TRAINING file is malformed.
    """
    if parent is None:
        return []
    path = parent.folder / TRAINING
    record: Mapping[str, object] = read_json(path) if path.is_file() else {}
    older = record.get("lineage", [])
    if not isinstance(older, list) or not all(isinstance(entry, dict) for entry in older):
        raise InputError(f"{path}: lineage is {older!r:.60}; expected a list of objects; copy the adapter again")
    kept = {name: record[name] for name in KEPT if name in record}
    return [*older, {"adapter_sha256": parent.sha256, **kept}]
