"""Complete, valid bundle folders made from given files: the small real thing wherever a test needs a bundle."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.bundle import GUARD, GUARD_TOKENIZER, MODEL, Bundle, open_bundle, sha256_of
from models.manifest import (
    MANIFEST,
    Chat,
    FileEntry,
    GoldenVector,
    GuardModel,
    Licence,
    Manifest,
    Origin,
    adapter_files,
)

#: A GGUF file (version 3) without metadata and without tensors, for bundles whose language model is never opened.
EMPTY_GGUF = struct.pack("<4sIQQ", b"GGUF", 3, 0, 0)

TEMPLATE = "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{% endfor %}"


@dataclass(frozen=True, slots=True)
class BundleParts:
    """What goes into a bundle; each file as its bytes or as the path of one to copy.

    Attributes:
        guard: the ONNX classifier.
        guard_tokenizer: its tokenizer.
        thresholds: label -> threshold, in the order of the classifier's outputs.
        model: the language model.
        others: further files by name.
        template: chat template.
        system_prompt: what the model was trained with.
        vectors: tokenizer golden vectors.
        name: the bundle's name.
        context_tokens: the language model's context.
    """

    guard: bytes | Path
    guard_tokenizer: bytes | Path
    thresholds: Mapping[str, float]
    model: bytes | Path = EMPTY_GGUF
    others: Mapping[str, bytes | Path] = field(default_factory=dict)
    template: str = TEMPLATE
    system_prompt: str = "You are the assistant of a small shop."
    vectors: Sequence[GoldenVector] = ()
    name: str = "tiny"
    context_tokens: int = 256


def build_bundle(folder: Path, parts: BundleParts) -> Bundle:
    """Write the folder with its manifest, and open it as a server would: every checksum is verified."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {MODEL: parts.model, GUARD: parts.guard, GUARD_TOKENIZER: parts.guard_tokenizer, **parts.others}
    for name, content in contents.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    (folder / MANIFEST).write_text(_manifest(folder, sorted(contents), parts).to_json(), encoding="utf-8")
    return open_bundle(folder)


def _manifest(folder: Path, names: Sequence[str], parts: BundleParts) -> Manifest:
    model_sha256 = sha256_of(folder / MODEL)
    return Manifest(
        name=parts.name,
        description="A bundle of the test suite.",
        demonstration=True,
        context_tokens=parts.context_tokens,
        files={name: FileEntry(sha256_of(folder / name), (folder / name).stat().st_size) for name in names},
        base=Origin("tests", "1", model_sha256),
        adapter=None,
        licences=tuple(Licence(covers, covers, "Apache-2.0", "tests") for covers in ("base", "guard"))
        + tuple(Licence("adapter", name, "Apache-2.0", "tests") for name in adapter_files(names)),
        training_sets=(),
        tools={},
        chat=Chat(parts.template, hashlib.sha256(parts.template.encode()).hexdigest(), parts.system_prompt),
        tokenizer_vectors=tuple(parts.vectors),
        guard=GuardModel(tuple(parts.thresholds), dict(parts.thresholds), {"method": "set by hand"}),
        checks={},
    )
