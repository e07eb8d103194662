"""From a run's options and results to what the bundle is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convert.base import Base
from convert.build.bundle import BundleSpec, golden_vectors, read_chat
from convert.build.config import RunConfig
from convert.build.licences import read_licences
from convert.checkpoint.jsonfile import read_json
from convert.gguf.config import read_config
from convert.lora.adapter import read_adapter
from convert.tokenizer import encoder, load_tokenizer
from models.manifest import AdapterOrigin, Origin

#: Context to serve with unless told otherwise; a longer one costs memory on the box.
DEFAULT_CONTEXT_TOKENS = 2048


def make_spec(config: RunConfig, base: Base, model: Path, guard: Path, checks: Mapping[str, object]) -> BundleSpec:
    """Gather everything.

    Args:
        config: the run's options.
        base: the base.
        model: the quantised GGUF.
        guard: folder of the exported guard.
        checks: what the check found.

    Raises:
        InputError: a file is missing or malformed, or a licence is missing.
    """
    adapter = read_adapter(config.adapter) if config.adapter else None
    licences = read_licences(config.licences)
    files = [path.name for path in config.extras]
    licences.require(config.licences, adapter=adapter is not None, files=files)
    found = dict(checks)
    if config.evaluation is not None:
        found["held_out"] = read_json(config.evaluation)
    longest = read_config(base.folder).context_tokens
    return BundleSpec(
        name=config.bundle_name,
        description=config.description,
        demonstration=config.demonstration,
        context_tokens=config.context_tokens or min(DEFAULT_CONTEXT_TOKENS, longest),
        model=model,
        guard=guard,
        extras=config.extras,
        base=Origin(config.base_id or base.id, base.revision, base.sha256),
        adapter=AdapterOrigin(adapter.config, adapter.sha256) if adapter else None,
        licences=licences,
        chat=read_chat(base.folder, config.system_prompt),
        vectors=golden_vectors(encoder(load_tokenizer(base.folder))),
        checks=found,
    )
