"""``manifest.json``: what a bundle holds, where it comes from, under which licences, and what was checked.

The file is written once by the conversion stage and read at every start. Format 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from models.errors import BundleNotFoundError, IntegrityError, ManifestError
from models.fields import REMEDY, Fields

FORMAT = 1
MANIFEST = "manifest.json"

#: The sentence encoder for search and its tokenizer: both or neither.
EMBED = "embed.onnx"
EMBED_TOKENIZER = "embed-tokenizer.json"

#: Detoxify's largest head has 16 outputs; a longer list of labels is a damaged manifest.
MAX_GUARD_LABELS = 32

#: A file of this kind is a LoRA adapter that the engine can switch to.
_ADAPTER_FILE = re.compile(r"adapter-(?P<name>.*)\.gguf", re.DOTALL)

#: Names go into URLs, logs and metrics. What asks for no adapter at all cannot be the name of one.
_ADAPTER_NAME = re.compile(r"(?!none\Z)[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the bundle: its checksum and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where weights come from: a hub id or a recipe, its revision, and the sha256 of the weights as they were read."""

    id: str
    revision: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AdapterOrigin:
    """The LoRA that was merged in: its ``adapter_config.json`` and the sha256 of its weights."""

    config: Mapping[str, object]
    sha256: str


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: what it covers (base, adapter, guard, embed or data), its SPDX name and its source."""

    covers: str
    name: str
    spdx: str
    source: str


@dataclass(frozen=True, slots=True)
class Chat:
    """How turns become text: the Jinja template, its sha256, and the system prompt the model was trained with."""

    template: str
    sha256: str
    system_prompt: str


@dataclass(frozen=True, slots=True)
class GoldenVector:
    """A text and the token ids that the training tokenizer gives it (special tokens in it recognised, no BOS)."""

    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GuardModel:
    """The classifier's outputs.

    Attributes:
        labels: names of the ONNX outputs, in order.
        thresholds: per label, the probability from which it counts.
        calibration: how the thresholds were found (data, rates), for people to read.
    """

    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    calibration: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole of ``manifest.json``."""

    name: str
    description: str
    demonstration: bool
    context_tokens: int
    files: Mapping[str, FileEntry]
    base: Origin
    adapter: AdapterOrigin | None
    licences: tuple[Licence, ...]
    training_sets: tuple[str, ...]
    tools: Mapping[str, str]
    chat: Chat
    tokenizer_vectors: tuple[GoldenVector, ...]
    guard: GuardModel
    checks: Mapping[str, object]

    def to_json(self) -> str:
        """The file's text; the same manifest always gives the same bytes."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read and validate ``folder/manifest.json``.

    Raises:
        BundleNotFoundError: no such folder or file.
        ManifestError: not JSON, another format, a field missing or of another type.
        IntegrityError: a licence is missing, the guard's labels and thresholds disagree, or an adapter has a name that
            cannot be used.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise BundleNotFoundError(str(folder), "no such bundle folder", "name an existing one with --bundle")
    if not path.is_file():
        raise BundleNotFoundError(str(path), "is missing", REMEDY)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(str(path), f"is not JSON ({error})", REMEDY) from error
    except OSError as error:
        raise ManifestError(str(path), f"cannot be read ({error.strerror})", "make it readable") from error
    fields = Fields(raw, str(path))
    if fields.get("format", int) != FORMAT:
        raise ManifestError(str(path), f"is of format {fields.get('format', int)}; expected {FORMAT}", REMEDY)
    manifest = _manifest(fields)
    _check_adapters(manifest.files, path)
    _check_licences(manifest, path)
    _check_guard(manifest.guard, path)
    for name in odd_parts(manifest.files):
        raise IntegrityError(str(path), f"lists no {name}; an encoder and its tokenizer go together", REMEDY)
    return manifest


def _manifest(fields: Fields) -> Manifest:
    base, chat, guard = fields.child("base"), fields.child("chat"), fields.child("guard")
    adapter = fields.child("adapter") if fields.has("adapter") else None
    return Manifest(
        name=fields.get("name", str),
        description=fields.get("description", str),
        demonstration=fields.get("demonstration", bool),
        context_tokens=fields.get("context_tokens", int),
        files={n: FileEntry(f.get("sha256", str), f.get("bytes", int)) for n, f in fields.table("files").items()},
        base=Origin(base.get("id", str), base.get("revision", str), base.get("sha256", str)),
        adapter=None if adapter is None else AdapterOrigin(adapter.get("config", dict), adapter.get("sha256", str)),
        licences=tuple(
            Licence(f.get("covers", str), f.get("name", str), f.get("spdx", str), f.get("source", str))
            for f in fields.children("licences")
        ),
        training_sets=fields.items("training_sets", str),
        tools=fields.get("tools", dict),
        chat=Chat(chat.get("template", str), chat.get("sha256", str), chat.get("system_prompt", str)),
        tokenizer_vectors=tuple(
            GoldenVector(f.get("text", str), f.items("ids", int)) for f in fields.children("tokenizer_vectors")
        ),
        guard=GuardModel(
            labels=guard.items("labels", str),
            thresholds={n: guard.child("thresholds").get(n, float) for n in guard.get("thresholds", dict)},
            calibration=guard.get("calibration", dict),
        ),
        checks=fields.get("checks", dict),
    )


def missing_licences(
    licences: Sequence[Licence], training_sets: Sequence[str], *, adapter: bool, files: Iterable[str] = ()
) -> list[str]:
    """What no licence covers.

    Args:
        licences: those that there are.
        training_sets: names, each of which wants one that covers ``data``.
        adapter: whether one was merged in, which wants one that covers ``adapter``.
        files: of the bundle: an encoder wants one that covers ``embed``, a LoRA to switch to one that covers
            ``adapter`` under its own name.
    """
    names = set(files)
    covered = {(licence.covers, licence.name) for licence in licences if licence.spdx}
    kinds = {covers for covers, _ in covered}
    wanted = {"base", "guard"} | ({"adapter"} if adapter else set()) | ({"embed"} if EMBED in names else set())
    missing = sorted(wanted - kinds)
    missing += [f"adapter {name}" for name in adapter_files(names) if ("adapter", name) not in covered]
    return missing + sorted(name for name in training_sets if ("data", name) not in covered)


def odd_parts(files: Iterable[str]) -> list[str]:
    """Of the encoder and its tokenizer, the one that is missing while the other is there."""
    here = {EMBED, EMBED_TOKENIZER} & set(files)
    return sorted({EMBED, EMBED_TOKENIZER} - here) if here else []


def adapter_files(files: Iterable[str]) -> dict[str, str]:
    """The LoRA adapters among a bundle's files, by name: ``adapter-refunds-v2.gguf`` holds ``refunds-v2``."""
    matches = (_ADAPTER_FILE.fullmatch(file) for file in sorted(files))
    return {match["name"]: match[0] for match in matches if match}


def _check_adapters(files: Iterable[str], path: Path) -> None:
    for name, file in adapter_files(files).items():
        if not _ADAPTER_NAME.fullmatch(name):
            raise IntegrityError(
                str(path),
                f"lists {file!r}; expected adapter-NAME.gguf with a name of 1 to 32 small letters, digits, '.', '_' "
                "or '-' that begins with a letter or digit and is not 'none'",
                "rename the adapter and rebuild the bundle with `python -m convert run`",
            )


def _check_licences(manifest: Manifest, path: Path) -> None:
    missing = missing_licences(
        manifest.licences, manifest.training_sets, adapter=manifest.adapter is not None, files=manifest.files
    )
    if missing:
        raise IntegrityError(
            str(path), f"names no licence for {', '.join(missing)}", f"add it under `licences`, or {REMEDY}"
        )


def _check_guard(guard: GuardModel, path: Path) -> None:
    if not 0 < len(guard.labels) <= MAX_GUARD_LABELS or len(set(guard.labels)) != len(guard.labels):
        raise IntegrityError(str(path), f"guard labels {list(guard.labels)}; expected 1 to 32 different names", REMEDY)
    if set(guard.thresholds) != set(guard.labels):
        raise IntegrityError(
            str(path), f"guard thresholds for {sorted(guard.thresholds)}; expected {sorted(guard.labels)}", REMEDY
        )
    for label, value in guard.thresholds.items():
        if not 0.0 < value < 1.0:
            raise IntegrityError(str(path), f"guard threshold of {label!r} is {value}; expected 0 to 1", REMEDY)
