"""A bundle on disk: opened only if every byte is the one that the manifest names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import IntegrityError
from models.fields import REMEDY
from models.manifest import MANIFEST, Manifest, adapter_files, read_manifest

MODEL = "model.gguf"
GUARD = "guard.onnx"
GUARD_TOKENIZER = "guard-tokenizer.json"
REQUIRED = (MODEL, GUARD, GUARD_TOKENIZER)

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified folder. ``path(name)`` gives the files that the manifest lists, and no others."""

    folder: Path
    manifest: Manifest

    @property
    def model(self) -> Path:
        """The language model, a GGUF file."""
        return self.path(MODEL)

    @property
    def adapters(self) -> Mapping[str, Path]:
        """The LoRA adapters that the engine can switch to, GGUF files by name (empty if there are none)."""
        return {name: self.folder / file for name, file in adapter_files(self.manifest.files).items()}

    def path(self, name: str) -> Path:
        """Path of a listed file.

        Raises:
            IntegrityError: the manifest does not list it.
        """
        if name not in self.manifest.files:
            raise IntegrityError(str(self.folder / MANIFEST), f"does not list {name}", REMEDY)
        return self.folder / name

    def has(self, name: str) -> bool:
        """Whether the manifest lists the file (then it was verified)."""
        return name in self.manifest.files


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def open_bundle(folder: Path) -> Bundle:
    """Read the manifest and verify every file against it.

    Raises:
        BundleError: see ``models.errors``; the message names the file and the remedy.
    """
    manifest = read_manifest(folder)
    for name in REQUIRED:
        if name not in manifest.files:
            raise IntegrityError(str(folder / MANIFEST), f"does not list {name}", REMEDY)
    for name, entry in manifest.files.items():
        try:
            _verify(folder, name, entry.bytes, entry.sha256)
        except OSError as error:
            raise IntegrityError(
                str(folder / name), f"cannot be read ({error.strerror})", "make it readable"
            ) from error
    digest = hashlib.sha256(manifest.chat.template.encode()).hexdigest()
    if digest != manifest.chat.sha256:
        raise IntegrityError(str(folder / MANIFEST), f"chat template has sha256 {digest}, not the one named", REMEDY)
    return Bundle(folder, manifest)


def _verify(folder: Path, name: str, size: int, sha256: str) -> None:
    path = folder / name
    if Path(name).name != name:
        raise IntegrityError(str(folder / MANIFEST), f"lists {name!r}; expected a plain file name", REMEDY)
    if not path.is_file():
        raise IntegrityError(str(path), "is missing", REMEDY)
    if path.stat().st_size != size:
        raise IntegrityError(str(path), f"has {path.stat().st_size} bytes; the manifest says {size}", REMEDY)
    found = sha256_of(path)
    if found != sha256:
        raise IntegrityError(str(path), f"has sha256 {found}; the manifest says {sha256}", REMEDY)
