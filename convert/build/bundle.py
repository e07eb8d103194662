"""Pack a bundle: copy the files, write ``manifest.json`` with all that was found, verify. No clocks, no paths."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from convert.build.licences import Licences
from convert.chat import Encode
from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError
from convert.fidelity.texts import PROBES
from convert.files import atomic_folder
from models.bundle import GUARD, GUARD_TOKENIZER, MODEL, Bundle, open_bundle, sha256_of
from models.errors import ManifestError
from models.fields import Fields
from models.manifest import (
    MANIFEST,
    AdapterOrigin,
    Chat,
    FileEntry,
    GoldenVector,
    GuardModel,
    Manifest,
    Origin,
    odd_parts,
)

#: The guard's labels, thresholds and calibration, beside its two files.
GUARD_JSON = "guard.json"

#: What a bundle may hold besides the required files.
EXTRAS = re.compile(
    r"embed\.onnx|embed-tokenizer\.json|(intents|injection)\.npz|adapter-(?!none\.gguf)[a-z0-9][a-z0-9._-]{0,31}\.gguf"
)

#: Packages whose versions decide about the bytes.
TOOLS = (
    *("gguf", "llama-cpp-python", "numpy", "onnx", "onnxruntime", "peft", "safetensors", "sentencepiece", "tokenizers"),
    *("torch", "transformers", "trl"),
)


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """All that a bundle is made of.

    Attributes:
        name: of the bundle; the OpenAI API's ``model``.
        description: what it is, in a sentence or two.
        demonstration: whether it is a demonstration model.
        context_tokens: context to serve it with.
        model: the quantised GGUF.
        guard: folder with guard.onnx, guard-tokenizer.json and guard.json.
        extras: further files, whose names EXTRAS lets in.
        base: where the base comes from.
        adapter: the merged adapter, or None.
        licences: who permits it.
        chat: template and system prompt.
        vectors: texts with their token ids.
        checks: what was checked and found.
    """

    name: str
    description: str
    demonstration: bool
    context_tokens: int
    model: Path
    guard: Path
    extras: tuple[Path, ...]
    base: Origin
    adapter: AdapterOrigin | None
    licences: Licences
    chat: Chat
    vectors: tuple[GoldenVector, ...]
    checks: Mapping[str, object]


def pack(spec: BundleSpec, out: Path) -> Bundle:
    """Write the bundle folder ``out`` (replaced as a whole) and open it again, which verifies it.

    Raises:
        InputError: a file is missing, or an extra one has a name that bundles do not have.
        BundleError: the result does not verify, for instance because a licence is missing; then ``out`` is untouched.
    """
    guard = read_guard(spec.guard)
    sources = {MODEL: spec.model, GUARD: spec.guard / GUARD, GUARD_TOKENIZER: spec.guard / GUARD_TOKENIZER}
    refuse_extras(spec.extras)
    sources |= {path.name: path for path in spec.extras}
    with atomic_folder(out) as folder:
        for name, source in sources.items():
            if not source.is_file():
                raise InputError(f"{source}: no such file; expected the bundle's {name}")
            shutil.copyfile(source, folder / name)
        (folder / MANIFEST).write_text(_manifest(spec, guard, folder, sources).to_json(), encoding="utf-8")
        open_bundle(folder)
    return open_bundle(out)


def _manifest(spec: BundleSpec, guard: GuardModel, folder: Path, names: Iterable[str]) -> Manifest:
    return Manifest(
        name=spec.name,
        description=spec.description,
        demonstration=spec.demonstration,
        context_tokens=spec.context_tokens,
        files={name: FileEntry(sha256_of(folder / name), (folder / name).stat().st_size) for name in sorted(names)},
        base=spec.base,
        adapter=spec.adapter,
        licences=spec.licences.licences,
        training_sets=spec.licences.training_sets,
        tools=tool_versions(),
        chat=spec.chat,
        tokenizer_vectors=spec.vectors,
        guard=guard,
        checks=spec.checks,
    )


def refuse_extras(paths: Sequence[Path]) -> None:
    """Let only files through that a bundle may hold.

    Raises:
        InputError: names the one that it may not, that is missing or that is given twice.
    """
    names = [path.name for path in paths]
    for path in paths:
        if not EXTRAS.fullmatch(path.name):
            raise InputError(
                f"{path}: bundles hold no such file; expected "
                "embed.onnx, embed-tokenizer.json, intents.npz, injection.npz or adapter-NAME.gguf; leave it out"
            )
        if not path.is_file():
            raise InputError(f"{path}: no such file; it was to be carried in the bundle")
        if names.count(path.name) > 1:
            raise InputError(f"{path.name}: given {names.count(path.name)} times; expected once")
    for name in odd_parts(names):
        raise InputError(f"{name}: is not given; encoder and tokenizer go together; pass both")


def read_guard(folder: Path) -> GuardModel:
    """What is known of an exported guard: from its ``guard.json``, or from the manifest if ``folder`` is a bundle.

    Raises:
        InputError: it or one of the guard's files is missing or malformed.
        BundleError: the bundle does not verify.
    """
    for name in (GUARD, GUARD_TOKENIZER):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder / name}: no such file; expected an exported guard; make one with `convert guard`"
            )
    if (folder / MANIFEST).is_file():
        return open_bundle(folder).manifest.guard
    try:
        fields = Fields(read_json(folder / GUARD_JSON), str(folder / GUARD_JSON))
        thresholds = fields.child("thresholds")
        return GuardModel(
            labels=fields.items("labels", str),
            thresholds={name: thresholds.get(name, float) for name in fields.get("thresholds", dict)},
            calibration=fields.get("calibration", dict),
        )
    except ManifestError as error:
        raise InputError(str(error).rpartition(";")[0] + "; export it again with `convert guard`") from error


def read_chat(base: Path, system_prompt: str) -> Chat:
    """The base's chat template: ``chat_template.jinja``, or the one in ``tokenizer_config.json``.

    Raises:
        InputError: it has none.
    """
    file = base / "chat_template.jinja"
    template = file.read_text(encoding="utf-8") if file.is_file() else _configured_template(base)
    if not isinstance(template, str) or not template:
        raise InputError(
            f"{base}: has no chat template; expected chat_template in tokenizer_config.json; use a chat model"
        )
    return Chat(template, hashlib.sha256(template.encode()).hexdigest(), system_prompt)


def _configured_template(base: Path) -> object:
    return read_json(base / "tokenizer_config.json").get("chat_template")


def golden_vectors(encode: Encode, texts: Sequence[str] = PROBES) -> tuple[GoldenVector, ...]:
    """Texts with the ids that the training tokenizer gives them."""
    return tuple(GoldenVector(text, tuple(encode(text))) for text in texts)


def tool_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide about the bytes, those that are installed."""
    found = {"python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
