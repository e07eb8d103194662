"""The base model: a local folder, or a model hub's id that is downloaded once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from convert.checkpoint.folder import weights_sha256
from convert.errors import InputError

#: ``organisation/name``, as model hubs spell it.
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")

#: What a conversion reads; pickled weights are never downloaded.
HUB_FILES = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "README.md")


@dataclass(frozen=True)
class Base:
    """A base model at hand.

    Attributes:
        folder: the Hugging Face folder.
        id: the hub's id, or the folder's name.
        revision: the hub's commit; ``local`` for a folder.
    """

    folder: Path
    id: str
    revision: str

    @cached_property
    def sha256(self) -> str:
        """Of its weights (``convert.checkpoint.folder.weights_sha256``); reads them all once."""
        return weights_sha256(self.folder)


def resolve_base(name: str, revision: str | None = None, *, download: bool = True) -> Base:
    """Find a base by its folder or its hub id.

    Args:
        name: a folder, or ``organisation/model``.
        revision: of the hub's model; for a folder, what to call its state.
        download: whether a model that is not in the hub's local cache may be downloaded.

    Raises:
        InputError: there is no such folder, and the hub does not have it or cannot be reached.
    """
    folder = Path(name)
    if name and folder.is_dir():
        return Base(folder, folder.resolve().name, revision or "local")
    if not HUB_ID.fullmatch(name) or folder.is_absolute():
        raise InputError(f"{name}: no such folder; expected one or a hub id")
    return _from_hub(name, revision, download)


def _from_hub(name: str, revision: str | None, download: bool) -> Base:
    from huggingface_hub import snapshot_download  # a local folder needs no hub client

    try:
        path = Path(
            snapshot_download(name, revision=revision, allow_patterns=list(HUB_FILES), local_files_only=not download)
        )
    except Exception as error:  # the client raises its own, the HTTP library's and the socket's errors
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{name}: no such folder here, and no model hub gave it ({reason}); on a machine with internet run "
            f"`hf download {name} --local-dir DIR`, copy DIR here and pass --base DIR"
        ) from error
    return Base(path, name, path.name)
